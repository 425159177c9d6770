"""Training time: means and intervals by hand, verdicts by measured steps, and what is left out."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from fabricated_run import Recipe, fabricate_run, latency_ms
from page import Page
from scipy import stats

from fbench.benchmark.table import RunTable, load_run
from fbench.reports.evidence import Evidence, gather
from fbench.reports.figures.drawing import to_svg
from fbench.reports.figures.training_time import training_time_chart
from fbench.reports.palette import assign_appearances
from fbench.reports.training_time import TrainingTimes, training_times


def evidence_of(run: RunTable) -> Evidence:
    return gather(run, run.config.data[0])


def times_of(run: RunTable, baseline: str = "ires") -> TrainingTimes:
    found = training_times(evidence_of(run), baseline)
    assert found is not None
    return found


def test_a_trial_has_its_mean_and_the_interval_of_the_logarithms(run: RunTable) -> None:
    row = times_of(run).rows[0]
    seconds = np.array([100.0, 103.0, 106.0])  # as the fabricated trials say
    logs = np.log(seconds)
    low, high = stats.t.interval(0.95, 2, logs.mean(), stats.sem(logs))
    factor = math.exp((high - low) / 2)
    assert row.trial_s.estimate == pytest.approx(103.0)
    assert (row.trial_s.low, row.trial_s.high) == pytest.approx((103 / factor, 103 * factor))
    assert (row.epoch_s, row.chosen_epoch) == (25.0, 3.0)


def test_the_time_to_an_accuracy_is_over_the_seeds_that_reached_it(run: RunTable) -> None:
    found = times_of(run)
    assert found.targets == (0.5,)
    reached = found.rows[0].reached[0]
    assert reached is not None
    assert (reached.time_s, reached.seeds) == (40.0, 3)


def test_what_is_faster_is_said_of_steps_measured_alone(run: RunTable) -> None:
    found = times_of(run)
    ratio = latency_ms("ires_relu") / latency_ms("ires")
    (relu,) = [row for row in found.rows if row.network == "ires_relu"]
    assert relu.step is not None
    assert relu.step.ratio.ratio == pytest.approx(ratio)
    assert relu.step.verdict == ("faster" if ratio < 1 else "slower")
    assert found.rows[0].step is None
    assert relu.images_per_s == pytest.approx(64 / (60e-3 * latency_ms("ires_relu") * 1.055))
    assert found.sentence.startswith("By the training step, beside ires: ")
    assert f"ires_relu takes {ratio:.2f}"[:24] in found.sentence


def test_without_a_measurement_nothing_is_called_faster(tmp_path: Path) -> None:
    found = times_of(fabricate_run(tmp_path / "run", Recipe(images=40, with_cost=False)))
    assert found.sentence == ""
    assert all(row.step is None and row.images_per_s is None for row in found.rows)


def test_one_seed_has_no_interval_and_an_absent_baseline_gives_way(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(images=40, seeds=(0,)))
    found = times_of(run, "a network that is not there")
    assert found.baseline == "ires"
    assert math.isnan(found.rows[0].trial_s.low)


def test_trials_without_times_have_no_such_part(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(images=40, accuracy={"ires": 0.5}))
    for record in run.trials.values():
        file = run.folder.trial_folder(record.trial_id) / "record.json"
        file.write_text(record.model_copy(update={"times": None}).model_dump_json(), encoding="utf-8")
    assert training_times(evidence_of(load_run(run.folder.path)), "ires") is None


def test_the_figure_states_the_order_and_names_every_network(run: RunTable) -> None:
    rows = times_of(run).rows
    slow = replace(rows[1], trial_s=replace(rows[1].trial_s, estimate=500.0))
    drawing = training_time_chart([rows[0], slow], assign_appearances(["ires", "ires_no_se"]))
    assert drawing.alt == "Training time of a trial, the fastest first: ires 103 s and ires_no_se 500 s."
    root = ElementTree.fromstring(to_svg(drawing, "k"))  # noqa: S314 - the text was made in the lines above
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any(text.startswith("ires_no_se") for text in texts)


def test_the_page_shows_it(page: Page) -> None:
    row = page.table("Training time").row("ires")
    assert row[1].startswith("103 ")
    assert row[4] == "40.0 3"
    assert row[-1] == "–"
