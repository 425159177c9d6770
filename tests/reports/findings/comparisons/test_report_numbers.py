"""Numbers in the page against direct computation from the files of the run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.reports.render.html.build import build_report
from fbench.statistics.comparison.multiplicity import levels_of_tests
from fbench.statistics.comparison.paired import compare
from fbench.statistics.single import summarise
from tests.reports.fabricated_run import Recipe, fabricate_run, latency_ms, static_cost
from tests.reports.read_page import Page

pytestmark = pytest.mark.usefixtures("unpainted")


def per_image(run: RunTable, network: str) -> np.ndarray:
    """Correctness (seeds, images) of a network on the test split, from the files themselves."""
    rows = sorted((row for row in run.plan if row.network == network), key=lambda row: row.seed)
    files = [np.load(run.folder.trial_folder(row.trial_id) / "predictions.npz") for row in rows]
    return np.array([file["test_predicted"] == file["test_labels"] for file in files])


@pytest.mark.parametrize("network", ["ires", "ires_no_se", "ires_relu"])
def test_summary_shows_the_mean_and_both_intervals(run: RunTable, page: Page, network: str) -> None:
    correct = per_image(run, network)
    by_seed = 100 * correct.mean(axis=1)
    low, high = stats.t.interval(0.95, 2, by_seed.mean(), stats.sem(by_seed))
    images = summarise(correct).new_images
    row = page.table("Quality").row(network)
    assert row[1] == "3"
    assert row[2] == f"{by_seed.mean():.1f}"
    assert row[3] == f"{low:.1f} – {high:.1f}"
    assert row[4] == f"{100 * images.low:.1f} – {100 * images.high:.1f}"


def test_cost_shows_counts_and_medians(page: Page) -> None:
    static, row = static_cost("ires_relu"), page.table("Cost").row("ires_relu")
    call_ms = latency_ms("ires_relu") * 1.055  # the median of twelve blocks with 0 to 11 % more
    assert row[2:4] == [f"{static.trainable_params:,}", f"{static.total_params_keras:,}"]
    assert float(row[4]) == pytest.approx(static.macs / 1e6, abs=0.01)
    assert row[5] == "0.400"
    assert float(row[6]) == pytest.approx(call_ms, abs=0.005)
    assert row[7].endswith(" in 64s")
    assert float(row[7].removesuffix(" in 64s").replace(",", "")) == pytest.approx(64 / (20 * call_ms / 1e3), abs=0.6)
    assert float(row[8].replace(",", "")) == pytest.approx(64 / (60 * call_ms / 1e3), abs=0.6)
    assert row[9:12] == ["12.5", "–", "103"]


def test_comparison_shows_both_estimands_and_the_corrected_test(tmp_path: Path) -> None:
    levels = ("ires", "ires_no_se", "ires_relu", "ires_kernel3")
    study = {"name": "all", "title": "All", "question": "?", "baseline": "ires", "levels": levels}
    recipe = Recipe(
        accuracy={"ires": 0.62, "ires_no_se": 0.5, "ires_relu": 0.61, "ires_kernel3": 0.57},
        seeds=range(6),
        studies=(study,),
    )
    run = fabricate_run(tmp_path / "run", recipe)
    page = Page(build_report([run]))
    differences = [per_image(run, level).astype(int) - per_image(run, "ires") for level in levels[1:]]
    found = [compare(difference) for difference in differences]
    p_values = [c.new_images.p_value for c in found]
    adjusted = multipletests(p_values, method="holm")[1]
    level_of = dict(zip(levels[1:], levels_of_tests(p_values), strict=True))
    for level, comparison, p in zip(levels[1:], found, adjusted, strict=True):
        row = page.table("Top-1 minus that of ires").row(level)
        by_seed = 100 * differences[levels.index(level) - 1].mean(axis=1)
        low, high = stats.t.interval(0.95, 5, by_seed.mean(), stats.sem(by_seed))
        assert row[2] == signed(by_seed.mean())
        assert row[3] == f"{signed(low)} to {signed(high)}"
        assert row[4] == f"{signed(100 * comparison.new_images.low)} to {signed(100 * comparison.new_images.high)}"
        assert row[6] == ("< 0.001" if p < 0.001 else f"{p:.3f}")
        corrected = [signed(100 * end) for end in comparison.new_images.interval(1 - level_of[level])]
        assert row[7] == " to ".join(corrected)
        assert row[8] == (("better" if by_seed.mean() > 0 else "worse") if p < 0.05 else "undecided")
        beside = page.table("On this test set").row(level)
        assert beside[3] == f"{comparison.sign_flip.p_value:.3f}"
        assert beside[4] == f"{2 / 2**6:.3f}"
        ratio = static_cost(level).macs / static_cost("ires").macs
        short = page.table("Against ires").row(level)
        assert short[1:5] == [row[8], row[2], row[7], row[6]]
        assert float(short[6].removeprefix("× ")) == pytest.approx(ratio, rel=0.01)
    assert f"corrected over 3 tests, is {3 * 2 / 2**6:.3f}" in page.text


def signed(points: float) -> str:
    return f"{points:+.1f}".replace("-", "−")


def test_recall_by_class_is_the_mean_over_seeds_with_its_interval(run: RunTable, page: Page) -> None:
    correct = per_image(run, "ires")
    row = next(row for row in run.plan if row.network == "ires")
    labels = np.load(run.folder.trial_folder(row.trial_id) / "predictions.npz")["test_labels"]
    cells = page.table("Recall by class").row("ires")[1:]
    for k, cell in enumerate(cells):
        found = summarise(correct[:, labels == k]).new_images
        mean = correct[:, labels == k].mean()
        assert cell == f"{100 * mean:.1f} {100 * found.low:.1f} – {100 * found.high:.1f}"


def test_change_of_recall_is_that_of_the_images_of_the_class(run: RunTable, page: Page) -> None:
    row = next(row for row in run.plan if row.network == "ires")
    labels = np.load(run.folder.trial_folder(row.trial_id) / "predictions.npz")["test_labels"]
    difference = per_image(run, "ires_no_se").astype(int) - per_image(run, "ires")
    cells = page.table("Recall minus that of the baseline").row("ires_no_se")
    assert cells[1] == "ires"
    for k, cell in enumerate(cells[2:]):
        found = compare(difference[:, labels == k]).new_images
        bounds = f"{signed(100 * found.low)} to {signed(100 * found.high)}"
        assert cell == f"{signed(100 * found.estimate)} {bounds}"


def test_the_printed_accuracy_stands_beside_ours(page: Page) -> None:
    assert page.table("Quality").row("ires")[5] == "66.29"
    assert page.table("Quality").row("ires_relu")[5] == "–"


def test_paper_stands_beside_measured(run: RunTable, page: Page) -> None:
    table = page.table("Figures as printed")
    accuracy, params = [row for row in table.rows if row[0] == "ires"]
    mean = 100 * per_image(run, "ires").mean()
    assert accuracy[1:3] == ["top-1, %", "66.29"]
    assert accuracy[4] == signed(mean - 66.29)
    assert params[1:4] == ["total parameters (Keras)", "54,900", f"{static_cost('ires').total_params_keras:,}"]
    assert params[4] == f"+{static_cost('ires').total_params_keras - 54_900:,}"


def test_counters_stand_beside_ours(page: Page) -> None:
    macs = static_cost("ires").macs
    row = page.table("Millions, for one image").row("ires")
    assert row[1] == row[3] == f"{macs / 1e6:.3f}"
    assert row[2] == f"{(macs + 350_000) / 1e6:.3f} +{100 * 350_000 / macs:.1f} %"
    assert row[4] == "–"
    assert "ptflops: convolution and linear" in page.text
    assert "torch gave no reading of ires: not available" in page.text


def test_a_counter_that_says_different_things_is_quoted_by_network(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(seeds=(0,), images=40))
    (cost,) = run.costs
    static = cost.static["ires_relu"]
    readings = tuple(r.model_copy(update={"counted": "its total is 7"}) for r in static.counters[:1])
    changed = static.model_copy(update={"counters": readings + static.counters[1:]})
    run.folder.write_cost(cost.model_copy(update={"static": {**cost.static, "ires_relu": changed}}))
    page = Page(build_report([load_run(run.folder.path)]))
    assert "ires_relu, fvcore: its total is 7" in page.text
    assert "ires, fvcore: batch norm and pooling too" in page.text


def test_a_network_whose_cost_failed_is_named_with_the_reason(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(seeds=(0,), images=40))
    (cost,) = run.costs
    rest = {name: static for name, static in cost.static.items() if name != "ires_relu"}
    run.folder.write_cost(cost.model_copy(update={"static": rest, "failures": {"ires_relu": "out of memory"}}))
    page = Page(build_report([load_run(run.folder.path)]))
    assert "The cost of ires_relu could not be measured: out of memory" in page.text
    assert page.table("Cost").row("ires_relu")[6] == "–"
