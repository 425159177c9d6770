"""What a dry run says of a study before it is run."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from support import make_stripes

from fbench.ablations.suite import adhoc_suite
from fbench.benchmark.runs.plan import RunPlan
from fbench.benchmark.runs.planning import plan_run
from fbench.benchmark.runs.power_analysis import TYPICAL, analyse_power, stated_components
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.store.run_table import load_run
from fbench.core.errors import UserError
from fbench.statistics.seeds.power import (
    VarianceComponents,
    certifiable_margin_of,
    detectable_difference_of,
    expected_estimate,
    variance_components,
)
from tests.reports.fabricated_run import Recipe, fabricate_run

REFERENCE = Path("results/fer2013-standard")


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> RunPlan:
    stripes, home = make_stripes(), tmp_path_factory.mktemp("plan")
    suite = adhoc_suite(["ires", "ires_relu", "ires_no_se"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FBENCH_CACHE_DIR", str(home / "cache"))
        patch.setattr("fbench.benchmark.runs.planning.load_dataset", lambda reference: stripes)
        return plan_run(RunRequest(suite=suite, preset="smoke", seeds=6, device="cpu", out=home / "run"))


def test_the_difference_and_margin_are_those_of_the_crossed_model_at_the_familys_level(plan: RunPlan) -> None:
    stated = VarianceComponents(seed=1e-4, image=1e-3, residual=0.1)
    (found,) = analyse_power(plan, None, stated)
    images = plan.config.data[0].images_by_split["test"]
    expected = expected_estimate(stated, 6, images)
    assert (found.comparisons, found.seeds, found.images, found.spreads) == (2, 6, images, "spreads as stated")
    assert found.detectable_difference == detectable_difference_of(expected, 0.025)
    assert found.certifiable_margin == certifiable_margin_of(expected, 0.025)
    assert found.margin == 0.01
    assert found.smallest_p == 2 * 2 / 2**6


def test_with_most_seeds_given_it_speaks_of_them(plan: RunPlan) -> None:
    assert analyse_power(plan, 20, TYPICAL)[0].seeds == 20


def test_without_records_the_spreads_are_typical(plan: RunPlan) -> None:
    (found,) = analyse_power(plan, None, None)
    assert found.spreads.startswith("typical spreads")
    assert not found.margin_in_reach


def test_earlier_records_of_the_same_networks_give_the_spreads(plan: RunPlan, tmp_path: Path) -> None:
    data = plan.config.data[0].name
    study = {"name": "s", "title": "", "question": "", "baseline": "ires", "levels": ("ires", "ires_relu")}
    recipe = Recipe(accuracy={"ires": 0.6, "ires_relu": 0.58}, data=(data,), studies=(study,), with_cost=False)
    earlier = fabricate_run(tmp_path / "earlier", recipe)
    from dataclasses import replace

    (found,) = analyse_power(replace(plan, take_from=(earlier.folder.path,)), None, None)
    components = variance_components(earlier.paired_differences("ires_relu", "ires", data)[1])
    images = plan.config.data[0].images_by_split["test"]
    assert found.spreads == "spreads of earlier records"
    assert found.detectable_difference == detectable_difference_of(expected_estimate(components, 6, images), 0.025)


def test_typical_spreads_are_those_of_the_reference_results() -> None:
    run = load_run(REFERENCE)
    pairs = [(a, b) for place, a in enumerate(run.networks) for b in run.networks[place + 1 :]]
    found = [variance_components(run.paired_differences(a, b, "fer2013")[1]) for a, b in pairs]
    for name in ("seed", "image", "residual"):
        measured = math.sqrt(np.median([getattr(one, name) for one in found]))
        assert math.sqrt(getattr(TYPICAL, name)) == pytest.approx(measured, rel=0.01)


def test_stated_spreads_are_points() -> None:
    assert stated_components("0.7,6,40") == VarianceComponents(
        seed=pytest.approx(0.007**2), image=pytest.approx(0.06**2), residual=pytest.approx(0.4**2)
    )


@pytest.mark.parametrize("text", ["", "1,2", "1,2,3,4", "1,2,x", "1,-2,3", "1,2,nan"])
def test_anything_else_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UserError, match="three standard deviations of 0 to 100 points"):
        stated_components(text)
