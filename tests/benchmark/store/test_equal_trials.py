"""A trial of two runs is the same where its result and all its answers are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from bundled_run import a_trial, change, make_run
from once import made_once

from fbench.benchmark.records.predictions import prediction_files
from fbench.benchmark.store.equal_trials import is_same_trial
from fbench.benchmark.store.run_folder import RunFolder


@pytest.fixture
def both(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, RunFolder]:
    run = made_once(tmp_path_factory, "bundled-run", make_run)
    one, two = (Path(shutil.copytree(run, tmp_path / name)) for name in ("one", "two"))
    return RunFolder(one), RunFolder(two)


def same(one: RunFolder, two: RunFolder) -> bool:
    trial_id = a_trial(one.path).name
    return is_same_trial(one.trial(trial_id), one, two.trial(trial_id), two)


def test_times_and_machines_may_differ(both: tuple[RunFolder, RunFolder]) -> None:
    change(a_trial(both[1].path) / "record.json", lambda record: record.update(started_at="2020-01-01T00:00:00+00:00"))
    change(a_trial(both[1].path) / "record.json", lambda record: record["machine"].update(processor="Another"))
    assert same(*both)


def test_another_measure_or_answer_is_another_result(both: tuple[RunFolder, RunFolder]) -> None:
    trial = a_trial(both[1].path)
    good = (trial / "record.json").read_bytes()
    change(trial / "record.json", lambda record: record["test"].update(loss=0.5))
    assert not same(*both)
    (trial / "record.json").write_bytes(good)
    assert same(*both)
    predictions = both[1].predictions(trial.name)
    predictions["test"].predicted[0] += 1
    for name, content in prediction_files(predictions).items():
        (trial / name).write_bytes(content)
    assert not same(*both)
