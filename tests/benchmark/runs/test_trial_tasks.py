"""Trials that run together in a worker process: each result is taken, and what is left goes on alone."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import trial_spec_of

from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.events import Ended, Event, Started, Stepped
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.driver import run_trials
from fbench.benchmark.runs.executors import NO_LIMITS, TrialLimits, WorkerContext
from fbench.benchmark.runs.local_executor import LocalExecutor
from fbench.benchmark.runs.together_task import choose_number
from fbench.benchmark.runs.trial_tasks import TrialTasks
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.training import together_speed
from fbench.benchmark.workers.supervisor import Failure, Outcome
from fbench.core.errors import UserError

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals"),
    pytest.mark.usefixtures("faces_at_hand"),
]


def two(passes: int = 32) -> list[TrialSpec]:
    """Two trials that run together on a CPU, which no run asks for: its steps are taken in turn, without streams."""
    faces = load_dataset(DataReference(name="synthetic"))
    budget = Budget(image_passes=passes, evaluation_points=1, batch_size=16)
    specs = [trial_spec_of(faces, "lenet5", seed, budget) for seed in range(2)]
    return [
        spec.model_copy(update={"numerics": spec.numerics.model_copy(update={"trials_together": 2})}) for spec in specs
    ]


def executed(
    specs: list[TrialSpec], folder: Path, listen: Any = lambda event: None, *, here: bool = False
) -> tuple[RunFolder, list[TrialSpec]]:
    """Trials in worker processes, or ``here``: a run with them, and what it left."""
    run = RunFolder(folder)
    context = WorkerContext(folder / ".writing-1", checkpoints=run.checkpoints, isolated=not here)
    with LocalExecutor(context) as executor:
        return run, run_trials(executor, specs, run, listen)


def test_together_they_are_trained_in_turn_to_what_each_gives_alone(tmp_path: Path) -> None:
    specs, heard = two(), list[Event]()
    together, left = executed(specs, tmp_path / "together", heard.append)
    assert left == []
    assert {record.status for record in together.trials().values()} == {"finished"}
    steps = [event.trial_id for event in heard if isinstance(event, Started | Stepped)]
    assert steps[:4] == [specs[0].trial_id, specs[1].trial_id, specs[0].trial_id, specs[1].trial_id]
    assert [event.record.trial_id for event in heard if isinstance(event, Ended)] == [one.trial_id for one in specs]
    alone, _ = executed(specs[:1], tmp_path / "alone", here=True)
    for kept in (together, alone):
        assert kept.trial(specs[0].trial_id).status == "finished"
    ours, theirs = (kept.predictions(specs[0].trial_id)["test"] for kept in (together, alone))
    np.testing.assert_array_equal(ours.logits, theirs.logits)


def test_after_their_process_was_killed_each_goes_on_alone(tmp_path: Path) -> None:
    specs, started = two(passes=64), list[str]()

    def listen(event: Event) -> None:
        if isinstance(event, Started):
            started.append(event.trial_id)
            if len(started) == 2:  # both have begun, in one process
                _kill_workers()

    run, left = executed(specs, tmp_path / "run", listen)
    assert left == []
    assert {record.status for record in run.trials().values()} == {"finished"}
    assert sorted(started) == sorted([spec.trial_id for spec in specs] * 2)


def _kill_workers() -> None:
    import psutil

    for child in psutil.Process().children():
        if "fbench.benchmark.workers" in " ".join(child.cmdline()):
            os.kill(child.pid, signal.SIGKILL)


def tasks_of(specs: list[TrialSpec], scratch: Path, limits: TrialLimits = NO_LIMITS) -> TrialTasks:
    return TrialTasks(specs, WorkerContext(scratch, isolated=True), limits)


def test_a_task_may_take_what_its_trials_may_take_one_by_one_and_begins_where_all_may(tmp_path: Path) -> None:
    specs = two()
    limits = TrialLimits({spec.trial_id: 60.0 for spec in specs}, lambda trial_id: trial_id == specs[0].trial_id)
    tasks = tasks_of(specs, tmp_path, limits)
    (task,) = tasks.first
    assert task.limit_s == 120
    assert not tasks.may_begin(task)


def test_a_result_that_was_told_is_kept_where_the_task_fails_and_others_go_on_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    specs = two()
    source, _ = executed(specs[:1], tmp_path / "run", here=True)
    scratch = RunFolder(tmp_path / "scratch")
    scratch.take_trial(source, specs[0].trial_id)
    tasks = tasks_of(specs, scratch.path)
    (task,) = tasks.first
    assert tasks.heard(task, {"ended": {"trial_id": "of another", "test_readings": 1, "may_pass": False}}) is None
    assert tasks.heard(task, {"ended": {"trial_id": specs[1].trial_id, "test_readings": 1}}) is None  # no such file
    assert tasks.heard(task, {"ended": {"trial_id": specs[0].trial_id, "test_readings": 1, "may_pass": False}}) is None
    assert [one.record.trial_id for one in tasks.told()] == [specs[0].trial_id]
    assert list(tasks.told()) == []
    results, more = tasks.results(Outcome(task, failure=Failure("died", "killed")))
    assert results == []
    assert [one.name for one in more] == [specs[1].trial_id]
    assert "1 trials that ran together go on alone: killed" in caplog.text


def test_what_was_told_before_a_stop_is_no_less_a_result(tmp_path: Path) -> None:
    specs = two()
    source, _ = executed(specs[:1], tmp_path / "run", here=True)
    scratch = RunFolder(tmp_path / "scratch")
    scratch.take_trial(source, specs[0].trial_id)
    tasks = tasks_of(specs, scratch.path)
    tasks.heard(tasks.first[0], {"ended": {"trial_id": specs[0].trial_id, "test_readings": 1, "may_pass": False}})
    assert [one.record.trial_id for one in tasks.told()] == [specs[0].trial_id]


def test_a_disk_that_refuses_ends_the_run(tmp_path: Path) -> None:
    tasks = tasks_of(two(), tmp_path)
    with pytest.raises(UserError, match="no room"):
        tasks.results(Outcome(tasks.first[0], failure=Failure("raised", "no room", by_user=True)))


def test_a_worker_that_measured_how_many_are_fastest_holds_the_memory_of_all_and_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Parent:
        replaced = False

        def replace_worker(self) -> None:
            self.replaced = True

    (spec, _), parent = two(), Parent()
    monkeypatch.setattr(together_speed, "measure_together", lambda *given: {1: 50.0, 2: 99.0, 4: 100.0})
    assert choose_number(parent, spec.model_dump(mode="json"), None, "cpu") == 2  # type: ignore[arg-type] # as it is used
    assert parent.replaced


def test_a_result_is_there_while_others_of_its_task_still_train(tmp_path: Path) -> None:
    specs, heard = two(), list[Event]()
    long = specs[1].model_copy(update={"budget": Budget(image_passes=16 * 200, evaluation_points=1, batch_size=16)})
    _, left = executed([specs[0], long], tmp_path / "run", heard.append)
    assert left == []
    ended = next(place for place, event in enumerate(heard) if isinstance(event, Ended))
    assert any(isinstance(event, Stepped) and event.trial_id == long.trial_id for event in heard[ended:])


def test_data_that_are_not_there_fail_each_trial_by_itself(tmp_path: Path) -> None:
    place = {"path": str(tmp_path / "gone.csv"), "source": "fer2013"}
    gone = [spec.model_copy(update={"data": spec.data.model_copy(update=place)}) for spec in two()]
    run, left = executed(gone, tmp_path / "run")
    assert left == []
    assert {record.status for record in run.trials().values()} == {"failed"}
