"""Fronts with their probabilities, and what a point costs, as the page shows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fbench.benchmark.records.cost_records import EnergyReading
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.reports.findings.comparisons.evidence import gather
from fbench.reports.findings.comparisons.summary import summarise_networks
from fbench.reports.findings.tradeoffs.cost_axes import cost_axes
from fbench.reports.findings.tradeoffs.fronts import FrontResult, accuracy_difference, front_result, price_words
from fbench.reports.render.html.build import build_report
from fbench.statistics.comparison.unpaired import unpaired_new_images
from fbench.statistics.intervals import Interval
from fbench.statistics.many.price import exact, price_of_a_point
from tests.reports.fabricated_run import LATENCY, Recipe, fabricate_run, latency_ms, static_cost
from tests.reports.read_page import Page

pytestmark = pytest.mark.usefixtures("unpainted")

FOUR = {"ires": 0.70, "ires_no_se": 0.48, "ires_relu": 0.62, "arch1": 0.66}


def result_of(run: RunTable) -> FrontResult:
    evidence = gather(run, run.config.data[0])
    found = front_result(evidence, summarise_networks(evidence))
    assert found is not None
    return found


def with_energy(run: RunTable, joules: dict[str, tuple[float, ...]]) -> RunTable:
    (cost,) = run.costs
    readings = tuple(
        EnergyReading(
            network=name,
            setting=LATENCY,
            joules_per_image=float(np.mean(values)),
            readings_j_per_image=values,
            method="counter",
        )
        for name, values in joules.items()
    )
    run.folder.write_cost(cost.model_copy(update={"energy": readings}))
    return load_run(run.folder.path)


def test_costs_are_those_of_the_records(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(accuracy=FOUR, images=200))
    evidence = gather(run, run.config.data[0])
    axes = {axis.name: axis for axis in cost_axes(evidence, summarise_networks(evidence))}
    assert list(axes) == ["parameters", "MACs", "latency at batch 1", "training step of 64 images"]
    assert axes["parameters"].values["ires"].estimate == static_cost("ires").trainable_params
    assert axes["parameters"].log_error("ires") == 0
    latency = axes["latency at batch 1"]
    middle = latency.values["arch1"]
    assert middle.low < middle.estimate < middle.high
    assert middle.estimate == pytest.approx(latency_ms("arch1") * 1.055)  # the median of 12 blocks, 0 to 11 % slower
    assert latency.log_error("arch1") > 0
    difference = latency.difference("ires", "arch1")
    assert difference is not None
    assert difference.estimate == pytest.approx((latency_ms("ires") - latency_ms("arch1")) * 1.055)
    assert axes["training step of 64 images"].values["ires"].estimate > 0


def test_the_cheapest_is_always_on_the_front_and_the_best_of_clear_winners_too(folder: Path) -> None:
    found = result_of(fabricate_run(folder, Recipe(accuracy=FOUR, images=400)))
    assert found.seeds == "common"
    by_params = {row.network: row.cells[0] for row in found.rows}
    cheapest = min(FOUR, key=lambda name: static_cost(name).trainable_params)
    for name in (cheapest, "ires"):
        cell = by_params[name]
        assert cell is not None
        assert cell.on_front
        assert cell.probability > 0.9
    assert found.monte_carlo_error <= 0.005


def test_energy_is_a_cost_where_it_was_read(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(accuracy=FOUR, images=200))
    run = with_energy(run, {"ires": (0.02, 0.021, 0.019), "ires_no_se": (0.01, 0.011, 0.009), "arch1": (0.05,)})
    found = result_of(run)
    assert found.axes[-1] == ("energy", "J an image")
    known = [row.network for row in found.rows if row.cells[-1]]
    assert known == ["ires", "ires_no_se"]  # one reading has no interval
    (step,) = [step for step in found.steps if step.axis == "energy"]
    assert (step.cheaper, step.dearer) == ("ires_no_se", "ires")
    assert step.price.cost.estimate == pytest.approx(0.01)
    assert step.price.cost.low < 0.01 < step.price.cost.high


def test_steps_go_along_the_front_and_free_lunches_are_named(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(accuracy=FOUR, images=400))
    found = result_of(run)
    for step in found.steps:
        if step.axis == "parameters":
            added = static_cost(step.dearer).trainable_params - static_cost(step.cheaper).trainable_params
            assert step.price.cost.estimate == added > 0
    dearer_and_worse = [
        name
        for name in FOUR
        if name != "ires" and static_cost(name).trainable_params > static_cost("ires").trainable_params
    ]
    lunch = [text for text in found.free_lunches if text.startswith("Parameters: ")]
    assert bool(lunch) is bool(dearer_and_worse)
    text = Page(build_report([run])).text
    assert "What a point of accuracy costs" in text
    assert all(one in text for one in found.free_lunches)


def test_unequal_seeds_are_taken_as_independent(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(accuracy=FOUR, images=200, seeds=range(4), missing=(("ires", 1), ("ires", 2))))
    assert result_of(run).seeds == "own"
    assert "seeds taken as independent" in Page(build_report([run])).text
    evidence = gather(run, run.config.data[0])
    assert accuracy_difference(evidence, "ires", "arch1").degrees_of_freedom < 400


def test_without_a_common_seed_a_difference_is_unpaired(folder: Path) -> None:
    missing = (("ires", 0), ("ires", 1), ("arch1", 2), ("arch1", 3))
    run = fabricate_run(folder, Recipe(accuracy=FOUR, images=200, seeds=range(4), missing=missing))
    evidence = gather(run, run.config.data[0])
    ours, theirs = evidence.networks["ires"].correct, evidence.networks["arch1"].correct
    found, unbounded = accuracy_difference(evidence, "ires", "arch1"), unpaired_new_images(ours, theirs)
    assert (found.estimate, found.p_value) == (unbounded.estimate, unbounded.p_value)
    assert unbounded.low <= found.low <= found.high <= unbounded.high


def test_a_network_of_one_seed_is_left_out_and_named(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(accuracy=FOUR, images=200, seeds=(0, 1), missing=(("arch1", 1),)))
    found = result_of(run)
    assert found.left_out == ("arch1",)
    assert "arch1" not in [row.network for row in found.rows]
    assert "Left out, with one seed: arch1." in Page(build_report([run])).text


def test_one_seed_each_has_no_probabilities_and_without_cost_records_counts_remain(tmp_path: Path) -> None:
    one = fabricate_run(tmp_path / "one", Recipe(images=60, seeds=(0,)))
    evidence = gather(one, one.config.data[0])
    assert front_result(evidence, summarise_networks(evidence)) is None
    assert "Probability, in %" not in build_report([one])
    unmeasured = fabricate_run(tmp_path / "two", Recipe(images=60, with_cost=False))
    assert [name for name, _ in result_of(unmeasured).axes] == ["parameters", "MACs"]


def test_words_of_a_price() -> None:
    gain, maybe = Interval(0.02, 0.01, 0.04, 0.95), Interval(0.01, -0.01, 0.03, 0.95)
    assert price_words(price_of_a_point(gain, exact(6_000))) == "3,000 (1,500 – 6,000)"
    assert price_words(price_of_a_point(gain, exact(-1))) == "nothing: cheaper and better"
    assert (
        price_words(price_of_a_point(maybe, exact(6_000))) == "at least 2,000, no upper bound: the gain may be nothing"
    )
    assert price_words(price_of_a_point(maybe, exact(-1))) == "none: no gain is shown, and it is cheaper"
    assert price_words(price_of_a_point(gain, Interval(1, -1, 3, 0.95))).startswith("at most ")
    assert price_words(price_of_a_point(maybe, Interval(1, -1, 3, 0.95))) == "no upper bound: the gain may be nothing"
