"""A network that did not learn is marked where its numbers stand, and sets no scale for those that did."""

from __future__ import annotations

from pathlib import Path

import pytest

from fbench.reports.figures.confusion import common_scale
from fbench.reports.findings.comparisons.evidence import gather
from fbench.reports.render.html.build import build_report
from fbench.reports.render.html.class_figures import confusion_differences, confusion_rates
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.read_page import Page

pytestmark = pytest.mark.usefixtures("unpainted")
SEEDS = tuple(range(5))


@pytest.mark.slow
def test_the_summary_says_how_many_trainings_collapsed_and_who_is_no_contender(tmp_path: Path) -> None:
    some = [("ires_relu", seed) for seed in (0, 1)]
    run = fabricate_run(
        tmp_path / "run", Recipe(seeds=SEEDS, images=200, collapsed=("ires_no_se",), collapsed_trials=some)
    )
    page = Page(build_report([run]))
    table = page.table("Quality: means over seeds")
    assert table.row("ires")[1] == "5"
    assert table.row("ires_no_se")[1] == "5 5 collapsed"
    assert table.row("ires_relu")[1] == "5 2 collapsed"
    assert "Left out, as most trainings of it collapsed or it has one seed: ires_no_se." in page.text


def test_a_network_that_did_not_learn_sets_no_scale(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(seeds=SEEDS, images=200, collapsed=("ires_no_se",)))
    evidence = gather(run, run.config.data[0])
    found = confusion_differences(evidence, [("ires_no_se", "ires"), ("ires_relu", "ires")], "k")
    assert found is not None
    rates = {name: confusion_rates(evidence.networks[name]) for name in ("ires", "ires_relu", "ires_no_se")}
    scale = common_scale([rates["ires_relu"] - rates["ires"]])
    assert scale < common_scale([rates["ires_no_se"] - rates["ires"]])
    assert all(f"full colour at ±{scale}; " in figure.title for figure in found.figures)
