"""Training time: means and intervals of the raw records, steps beside the baseline's, and who is fastest."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.trial_records import TargetTime, TrialRecord, TrialTimes
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.reports.figures.canvas import PAGE_WIDTH_IN
from fbench.reports.figures.drawing import to_svg
from fbench.reports.figures.training_time import training_time_chart
from fbench.reports.findings.comparisons.evidence import Evidence, gather
from fbench.reports.findings.costs.training_words import fastest_sentence, fastest_training
from fbench.reports.findings.tradeoffs.training_time import TrainingTimeResult, training_time_result
from fbench.reports.palette import assign_styles
from fbench.reports.render.html.speed_sections import training_time_section
from tests.reports.fabricated_cost import TRAIN, cost, series
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.speed_page import partial_page

THREE = {"ires": 0.7, "ires_no_se": 0.6, "ires_relu": 0.6}
SECONDS = {"ires": (100.0, 110.0, 130.0), "ires_no_se": (50.0, 55.0, 52.0), "ires_relu": (100.0, 90.0, 120.0)}
REACHED = {"ires": (40.0, 50.0, 60.0), "ires_no_se": (20.0, None, 30.0), "ires_relu": (None, None, 80.0)}

TOO_HIGH = 0.9


def with_times(run: RunTable, targets: tuple[float, ...] = (0.5,)) -> RunTable:
    """The run with other times in its records."""

    def changed(record: TrialRecord) -> TrialRecord:
        name, seed = record.spec.network.name, record.spec.seed
        times = TrialTimes(
            train_time_s=SECONDS[name][seed],
            data_time_s=1.0,
            step_time_s=9.0,
            evaluation_time_s=5.0,
            total_time_s=200.0,
            train_time_per_epoch_s=SECONDS[name][seed] / 4,
            concurrent_trials=1 + seed,
        )
        reached = tuple(
            TargetTime(
                target_top1=target,
                train_time_s=REACHED[name][seed] if target < TOO_HIGH or name == "ires" else None,
                image_passes=None,
            )
            for target in targets
        )
        update = {"times": times, "targets": reached, "chosen_epoch": 2.0 + seed}
        return record.model_copy(update=update)

    trials = {trial_id: changed(record) for trial_id, record in run.trials.items()}
    return RunTable(run.folder, run.config, run.plan, trials, run.costs)


def measured(factors: dict[str, float]) -> CostRecord:
    steps = [series(name, factor, TRAIN, 64, seed=place) for place, (name, factor) in enumerate(factors.items())]
    return cost(*steps, settings=(TRAIN,))


def evidence_of(folder: Path, record: CostRecord | None = None, targets: tuple[float, ...] = (0.5,)) -> Evidence:
    run = fabricate_run(folder, Recipe(accuracy=THREE, images=40, with_cost=False))
    if record is not None:
        run.folder.write_cost(record)
        run = load_run(folder)
    return gather(with_times(run, targets), run.config.data[0])


def result_of(evidence: Evidence) -> TrainingTimeResult:
    found = training_time_result(evidence)
    assert found is not None
    return found


def test_means_and_intervals_are_those_of_the_records(folder: Path) -> None:
    result = result_of(evidence_of(folder))
    row = result.rows[0]
    assert (row.network, row.seeds, row.concurrent_trials) == ("ires", 3, 3)
    logs = np.log(SECONDS["ires"])
    factor = math.exp(stats.t.ppf(0.975, 2) * logs.std(ddof=1) / math.sqrt(3))
    mean = np.mean(SECONDS["ires"])
    assert row.trial_s.estimate == pytest.approx(mean)
    assert (row.trial_s.low, row.trial_s.high) == (pytest.approx(mean / factor), pytest.approx(mean * factor))
    assert row.epoch_s == pytest.approx(mean / 4)
    assert row.epochs_to_chosen == pytest.approx(3.0)
    assert row.step is None
    assert result.concurrent_trials == 3


def test_a_target_is_shown_where_most_networks_reached_it_with_most_seeds(folder: Path) -> None:
    result = result_of(evidence_of(folder, targets=(0.3, 0.4, 0.5, 0.6, TOO_HIGH)))
    assert result.targets == (0.4, 0.5, 0.6)  # two of three networks; the highest was reached by one
    target = result.rows[1].targets[-1]
    assert (target.mean_s, target.reached, target.seeds) == (25.0, 2, 3)
    assert (result.rows[2].targets[0].mean_s, result.rows[2].targets[0].reached) == (80.0, 1)


def test_steps_are_held_against_the_first_studys_baseline(folder: Path) -> None:
    record = measured({"ires": 1.0, "ires_no_se": 0.8, "ires_relu": 1.0})
    result = result_of(evidence_of(folder, record))
    assert result.baseline == "ires"
    steps = {row.network: row.step for row in result.rows}
    quick, base, equal = steps["ires_no_se"], steps["ires"], steps["ires_relu"]
    assert quick is not None
    assert base is not None
    assert equal is not None
    assert quick.images_per_s == pytest.approx(64 / np.median(record.series[1].times_s))
    assert quick.ratio is not None
    assert quick.ratio.ratio == pytest.approx(0.8, rel=0.01)
    assert (quick.verdict, equal.verdict, base.verdict) == ("faster", "cannot tell", None)
    alone = result.rows[1].alone_s
    assert alone is not None
    assert alone.estimate == pytest.approx(7680 / quick.images_per_s)
    assert alone.low < alone.estimate < alone.high


def test_the_sentence_names_the_fastest_with_verdicts() -> None:
    steps = {one.network: one for one in measured({"ires": 1.0, "ires_no_se": 0.5, "ires_relu": 0.8}).series}
    found = fastest_training(steps)
    assert found is not None
    assert found.undecided == ()
    text = fastest_sentence(found, "ires")
    assert text.startswith("ires_no_se trains fastest: ")
    assert "faster than each of the 2 others" in text
    assert "ires_relu comes next and takes × 1.6" in text
    assert "the baseline ires takes × 2.0" in text or "the baseline ires takes × 1.9" in text


def test_an_equal_network_leaves_open_who_is_fastest() -> None:
    steps = {one.network: one for one in measured({"ires": 1.0, "ires_no_se": 0.5, "ires_relu": 0.5}).series}
    found = fastest_training(steps)
    assert found is not None
    assert len(found.undecided) == 1
    text = fastest_sentence(found, None)
    assert "has the highest median speed of training" in text
    assert f"cannot be told from {found.undecided[0]}; it is faster than the remaining 1" in text


@pytest.mark.slow
def test_of_equal_networks_the_first_by_chance_is_seldom_called_fastest() -> None:
    """The level holds although the fastest was chosen by the same data: 5 % of 200 are 10, three deviations 19."""
    names = [f"n{number}" for number in range(5)]
    called = 0
    for repetition in range(200):
        steps = {
            name: series(name, 1.0, TRAIN, 64, seed=1000 + 5 * repetition + place) for place, name in enumerate(names)
        }
        found = fastest_training(steps)
        assert found is not None
        called += not found.undecided
    assert called < 19


def test_one_network_is_not_the_fastest_of_any() -> None:
    (step,) = measured({"ires": 1.0}).series
    assert fastest_training({"ires": step}) is None


def test_without_times_there_is_no_part(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(accuracy=THREE, images=40, with_cost=False))
    trials = {key: record.model_copy(update={"times": None}) for key, record in run.trials.items()}
    untimed = RunTable(run.folder, run.config, run.plan, trials, run.costs)
    assert training_time_section(gather(untimed, run.config.data[0]), assign_styles(THREE), "k") is None


def test_the_chart_has_the_quickest_first_and_fits_a_page(folder: Path) -> None:
    record = measured({"ires": 1.0, "ires_no_se": 0.8, "ires_relu": 0.5})
    alone, shared = result_of(evidence_of(folder / "a", record)), result_of(evidence_of(folder / "b"))
    styles = assign_styles(THREE)
    with_steps, without = training_time_chart(alone.rows, styles), training_time_chart(shared.rows, styles)
    assert with_steps.width_in <= PAGE_WIDTH_IN
    assert with_steps.alt.startswith("Seconds of training a trial, the quickest first: ires_relu 103 (")
    assert without.alt.startswith("Seconds of training a trial, the quickest first: ires_no_se 52.3 (")
    assert "trials as they ran" in to_svg(with_steps, "k")
    assert "trials as they ran" not in to_svg(without, "k")


@pytest.mark.parametrize("with_steps", [True, False])
def test_the_table_says_what_was_measured(folder: Path, with_steps: bool) -> None:
    record = measured({"ires": 1.0, "ires_no_se": 0.8, "ires_relu": 1.0}) if with_steps else None
    evidence = evidence_of(folder, record)
    section = training_time_section(evidence, assign_styles(THREE), "k")
    assert section is not None
    page = partial_page("training_time.html.j2", tuple(THREE), training_time=section)
    row = page.table("Training time").row("ires_no_se")
    assert row[1].startswith("52.3 ")
    assert row[2:5] == ["13.1", "3.0", "25.0 2 of 3"]
    assert len(row) == (8 if with_steps else 5)
    assert (row[-1] == "faster") is with_steps
    assert ("trains fastest" in page.text) is with_steps
    assert "up to 3 trials shared the machine" in page.text
    assert all("scope" in attributes for tag, attributes in page.elements if tag == "th")


def test_one_seed_has_a_mean_without_an_interval(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(accuracy=THREE, images=40, seeds=(0,), with_cost=False))
    evidence = gather(with_times(run), run.config.data[0])
    section = training_time_section(evidence, assign_styles(THREE), "k")
    assert section is not None
    assert section.sentence == ""
    assert math.isnan(section.result.rows[0].trial_s.low)
    page = partial_page("training_time.html.j2", tuple(THREE), training_time=section)
    assert page.table("Training time").row("ires")[1] == "100"
