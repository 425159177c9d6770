"""What the page says first: what was compared, what is real, and every warning that belongs to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fbench.benchmark.records.interim_analyses import InterimAnalyses
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.reports.findings.comparisons.headline import cautions
from fbench.reports.render.html.build import build_report
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.read_page import Page

pytestmark = pytest.mark.usefixtures("unpainted")

SMALL: dict[str, Any] = {"images": 60, "seeds": (0, 1)}


def page_of(folder: Path, **options: Any) -> Page:
    return Page(build_report([fabricate_run(folder, Recipe(**{**SMALL, **options}))]))


def test_one_seed_decides_nothing(folder: Path) -> None:
    page = page_of(folder, seeds=(0,), images=400)
    assert "one training per network cannot tell a better network from a lucky seed" in page.text
    tables = [table for table in page.tables if table.caption.startswith("Top-1 minus")]
    row = tables[0].row("ires_no_se")
    assert row[3] == "–"  # no interval over one seed
    assert row[5:] == ["–", "–", "–", "undecided", "–", "–"]
    assert (
        "ires_no_se against ires is undecided: one training on a side says nothing of the chance of a seed."
        in page.text
    )
    assert "better" not in [cell for table in tables for line in table.rows for cell in line]


def test_synthetic_data_is_named_wherever_it_is_shown(folder: Path) -> None:
    page = page_of(folder, synthetic=True, data=("synthetic",))
    assert "trained on synthetic faces (synthetic) with 2 seeds each" in page.text
    assert "Synthetic data: the faces of the data set synthetic are rendered" in page.text
    measured = (
        *("Quality", "Cost", "Top-1 minus", "On this test set", "Against ires", "Recall", "Figures as printed"),
        *("Probability", "What a point", "Which networks may be", "Training time"),
    )
    captions = [table.caption for table in page.tables if table.caption.startswith(measured)]
    assert len(captions) == 15
    assert all("(synthetic data)" in caption for caption in captions)
    figures = sum(tag == "figcaption" for tag, _ in page.elements) - 1  # batch sizes, which no data decide
    assert figures > 0
    assert page.text.count("(synthetic data)") == figures + len(captions)


def test_real_data_is_not_called_synthetic(page: Page) -> None:
    assert "ynthetic" not in page.text


@pytest.mark.parametrize(
    ("options", "warning"),
    [
        ({"selection": "test"}, "Selected on the test set"),
        ({"test": "none"}, "The test split was never read: accuracies are those of the validation split, which also"),
    ],
)
def test_what_a_reader_must_know_is_said(folder: Path, options: dict[str, Any], warning: str) -> None:
    found = cautions(fabricate_run(folder, Recipe(**{**SMALL, **options})))
    assert len(found) == 1
    assert found[0].startswith(warning)


def test_seeds_that_were_added_after_results_are_said(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(**SMALL))
    rows = [row.model_copy(update={"added_after_results": row.seed == 1}) for row in run.plan]
    run.folder.extend_plan(rows)
    (found,) = cautions(load_run(folder))
    assert found.startswith("1 seed was added after others had finished: if results were seen before")


def test_interim_analyses_on_the_way_are_said(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(**SMALL))
    run.folder.write_interim_analyses(InterimAnalyses(max_seeds=20))
    (found,) = cautions(run)
    assert found.startswith("Seeds were added until comparisons were decided")


@pytest.mark.parametrize(
    ("preset", "warned"), [("smoke", True), ("quick", False), ("standard", False), ("full", False)]
)
def test_numbers_of_the_preset_smoke_mean_nothing_and_others_do(run: RunTable, preset: str, warned: bool) -> None:
    found = cautions(replace(run, config=run.config.model_copy(update={"preset": preset})))
    wanted = ["The preset smoke only shows that everything runs: its numbers mean nothing."]
    assert found == (wanted if warned else [])


def test_nothing_to_warn_of_gives_no_warning(run: RunTable, page: Page) -> None:
    assert cautions(run) == []
    assert "note" not in [attributes.get("role") for _, attributes in page.elements]


def test_without_the_test_split_numbers_are_of_the_selection_split(folder: Path) -> None:
    page = page_of(folder, test="none")
    assert page.table("Quality").caption.startswith("Quality: means over seeds on the validation split")


def test_failed_and_missing_trials_are_listed_with_reasons(folder: Path) -> None:
    page = page_of(folder, failed=(("ires_relu", 1),), missing=(("ires_no_se", 0),))
    assert page.table("1 of 6 trials failed").row("ires_relu") == [
        "ires_relu", "fer2013", "1", "the loss became NaN at step 17",
    ]  # fmt: skip
    assert "Not yet run, 1 of 6: ires_no_se on fer2013, seed 0." in page.text


def test_a_network_without_a_pair_is_named(folder: Path) -> None:
    page = page_of(folder, failed=(("ires_relu", 0), ("ires_relu", 1)))
    assert "No comparison yet, as no training has finished of it or of ires: ires_relu." in page.text


def test_a_run_without_a_finished_trial_says_so(folder: Path) -> None:
    everything = tuple((network, seed) for network in ("ires", "ires_no_se", "ires_relu") for seed in (0, 1))
    page = page_of(folder, failed=everything, with_cost=False)
    assert "No trial on fer2013 has finished: 6 failed and 0 have no record yet." in page.text
    assert not [tag for tag, _ in page.elements if tag == "svg"]


def test_one_trial_is_enough_for_a_page(folder: Path) -> None:
    page = page_of(folder, accuracy={"ires": 0.6}, seeds=(3,), with_cost=False)
    assert "1 network was trained" in page.text
    assert page.table("Quality").row("ires")[3] == "–"


def test_studies_that_were_not_planned_are_left_out(folder: Path) -> None:
    page = page_of(folder, accuracy={"ires": 0.6, "ires_relu": 0.5})
    assert "Does h_swish help?" in page.text
    assert "Does SE help?" not in page.text


def test_columns_of_what_was_not_measured_are_left_out(folder: Path) -> None:
    table = page_of(folder, with_cost=False).table("Cost")
    assert table.rows[1] == ["Network", "%", "trainable", "total Keras", "MACs", "s a trial informative"]
    assert len(table.row("ires")) == len(table.rows[1])
