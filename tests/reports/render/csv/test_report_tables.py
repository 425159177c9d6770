"""The CSV files say what the records say."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from scipy import stats

from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.gather import gather_findings
from fbench.reports.render.csv.runs import Cell, csv_text, write_tables
from fbench.reports.render.csv.tables import comparison_rows
from fbench.statistics.single import summarise
from tests.reports.fabricated_run import Recipe, fabricate_run, static_cost


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_trials_have_a_row_each_with_their_measures(run: RunTable, tmp_path: Path) -> None:
    _, trials = write_tables(gather_findings([run]), tmp_path)
    rows = read(trials)
    assert [row["trial_id"] for row in rows] == [planned.trial_id for planned in run.plan]
    for row in rows:
        record = run.trials[row["trial_id"]]
        assert record.test is not None
        assert record.validation is not None
        assert float(row["test_top1"]) == pytest.approx(record.test.top1, rel=1e-5)
        assert float(row["validation_loss_nats"]) == pytest.approx(record.validation.loss, rel=1e-5)
        assert float(row["train_time_s"]) == 100 + 3 * record.spec.seed
        assert int(row["macs"]) == static_cost(row["network"]).macs


def test_failed_and_missing_trials_keep_their_row(folder: Path, tmp_path: Path) -> None:
    run = fabricate_run(folder, Recipe(seeds=(0, 1), images=40, failed=(("ires", 0),), missing=(("ires_relu", 1),)))
    _, trials = write_tables(gather_findings([run]), tmp_path)
    status = {(row["network"], row["seed"]): row for row in read(trials)}
    assert status["ires", "0"]["status"] == "failed"
    assert status["ires", "0"]["failure_reason"] == "the loss became NaN at step 17"
    assert status["ires_relu", "1"]["status"] == "missing"
    assert status["ires_relu", "1"]["test_top1"] == ""


def test_summary_has_both_intervals(run: RunTable, tmp_path: Path) -> None:
    summary, _ = write_tables(gather_findings([run]), tmp_path)
    for row in read(summary):
        expected = summarise(run.correctness(row["network"], row["data"]).correct)
        assert float(row["top1"]) == pytest.approx(expected.new_images.estimate, rel=1e-5)
        assert float(row["top1_this_test_set_low"]) == pytest.approx(expected.this_test_set.low, rel=1e-5)
        assert float(row["top1_new_units_high"]) == pytest.approx(expected.new_images.high, rel=1e-5)
        assert row["split"] == "test"


def test_one_seed_leaves_the_interval_over_seeds_empty(folder: Path, tmp_path: Path) -> None:
    summary, _ = write_tables(gather_findings([fabricate_run(folder, Recipe(seeds=(0,), images=40))]), tmp_path)
    assert {row["top1_this_test_set_low"] for row in read(summary)} == {""}


def test_nothing_finished_leaves_the_summary_empty(folder: Path, tmp_path: Path) -> None:
    run = fabricate_run(folder, Recipe(accuracy={"ires": 0.5}, seeds=(0,), failed=(("ires", 0),), images=40))
    summary, trials = write_tables(gather_findings([run]), tmp_path)
    assert summary.read_text(encoding="utf-8") == ""
    assert len(read(trials)) == 1


def test_every_cell_is_in_the_table_as_it_was_given() -> None:
    rows: list[dict[str, Cell]] = [
        {"name": 'x"y,\nz', "count": 10**17, "share": 0.1 + 0.2},
        {"name": "nan", "count": None, "share": None},
        {"name": "", "count": 0, "share": 1.0},
    ]
    text = csv_text(rows)
    assert list(csv.reader(text.splitlines(keepends=True))) == [
        ["name", "count", "share"],
        ['x"y,\nz', str(10**17), "0.3"],
        ["nan", "", ""],
        ["", "0", "1"],
    ]
    assert csv_text([]) == ""
    assert csv_text([], ("name", "count")) == "name,count\n"


def test_comparisons_count_the_trainings_that_collapsed(folder: Path) -> None:
    made = Recipe(seeds=range(6), collapsed=("ires_relu",), collapsed_trials=(("ires_no_se", 3),), with_cost=False)
    rows = {row["network"]: row for row in comparison_rows(gather_findings([fabricate_run(folder, made)]))}
    some, every = rows["ires_no_se"], rows["ires_relu"]
    columns = ("collapsed", "trainings", "baseline_collapsed", "baseline_trainings", "of_trainings", "seeds")
    assert [some[name] for name in columns] == [1, 6, 0, 6, "learned", 5]
    assert [every[name] for name in columns] == [6, 6, 0, 6, "all", 6]
    exact = [stats.fisher_exact([[bad, 6 - bad], [0, 6]]).pvalue for bad in (1, 6)]
    assert [some["p_collapsed_as_often"], every["p_collapsed_as_often"]] == pytest.approx(exact)
