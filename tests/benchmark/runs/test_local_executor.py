"""Trials in worker processes: a network that dies, or breaks its process, meets no other trial."""

from __future__ import annotations

import errno
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from support import data_spec_of, make_stripes, trial_spec_of

from fbench.architectures.plugins import load_plugin
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.events import Checkpointed, Ended, Evaluated, Event, Started, Stepped
from fbench.benchmark.runs import training_task
from fbench.benchmark.runs.driver import run_trials
from fbench.benchmark.runs.executors import WorkerContext, failed_record
from fbench.benchmark.runs.local_executor import LocalExecutor
from fbench.benchmark.runs.training_task import event_of
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.trial_result import TrialResult
from fbench.benchmark.training.networks import network_spec
from fbench.benchmark.workers.messages import Task
from fbench.benchmark.workers.supervisor import Failure, Outcome, Supervisor
from fbench.core.errors import UserError

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals"),
    pytest.mark.usefixtures("faces_at_hand", "same_registry_afterwards"),
]

RUDE = """
import os, signal
from pathlib import Path
from torch import nn
import fbench

class Rude(nn.Module):
    def __init__(self, size, classes):
        super().__init__()
        self.linear = nn.Linear(size, classes)
    def forward(self, x):
        if self.training and len(x) == 16 and x.device.type != "meta":
            marker = Path(os.environ["FBENCH_CACHE_DIR"], "died")
            if not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            nn.Conv2d.forward = None
            os.environ["OMP_NUM_THREADS"] = "3"
            os.chdir("/")
            os.umask(0o777)
        return self.linear(x.flatten(1))

@fbench.register("rude")
def build(num_classes=7, in_channels=1, image_size=48):
    return Rude(in_channels * image_size ** 2, num_classes)
"""


@pytest.mark.slow
def test_a_killed_trial_is_tried_again_and_what_it_breaks_then_reaches_no_other(tmp_path: Path) -> None:
    plugin = tmp_path / "rude.py"
    plugin.write_text(RUDE)
    load_plugin(plugin)
    faces = load_dataset(DataReference(name="synthetic"))
    own = trial_spec_of(faces, "lenet5", budget=Budget(image_passes=32, evaluation_points=1, batch_size=16))
    rude = network_spec("rude", "rude", {}, data_spec_of(faces))
    specs = [own.model_copy(update={"network": rude}), own]
    heard: list[Event] = []
    folder = RunFolder(tmp_path / "run")
    context = WorkerContext(tmp_path / "run" / ".writing-1", checkpoints=folder.checkpoints, retries=1, isolated=True)
    with LocalExecutor(context) as executor:
        assert run_trials(executor, specs, folder, heard.append) == []
    assert {record.status for record in folder.trials().values()} == {"finished"}
    started = [event.trial_id for event in heard if isinstance(event, Started)]
    assert started == [specs[0].trial_id, specs[0].trial_id, own.trial_id]
    assert len([event for event in heard if isinstance(event, Evaluated)]) == 2
    assert isinstance(heard[-1], Ended)
    modes = {file.name: file.stat().st_mode for file in (folder.path / "trials").rglob("*")}
    assert all(mode & stat.S_IRUSR for mode in modes.values()), modes
    with LocalExecutor(WorkerContext(tmp_path / "here" / ".writing-1")) as executor:
        run_trials(executor, [own], RunFolder(tmp_path / "here"), lambda event: None)
    assert RunFolder(tmp_path / "here").trial(own.trial_id).test == folder.trial(own.trial_id).test


@pytest.mark.usefixtures("faces_at_hand")
def test_a_trial_whose_process_dies_is_tried_again_as_often_as_retries_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the place of worker processes: whatever is begun dies."""
    begun: list[Task] = []

    def steps(supervisor: Supervisor, tasks: Iterable[Task], hear: object, may_begin: object) -> Iterator[Outcome]:
        supervisor._waiting.extend(tasks)
        while supervisor._waiting:
            begun.append(supervisor._waiting.popleft())
            yield Outcome(begun[-1], failure=Failure("died", "its worker process was killed (SIGKILL)"))

    monkeypatch.setattr(Supervisor, "steps", steps)
    stripes = make_stripes()
    specs = [trial_spec_of(stripes, "lenet5", seed=seed) for seed in (0, 1)]
    with LocalExecutor(WorkerContext(tmp_path / "scratch", retries=1, isolated=True)) as executor:
        results = list(executor.run(specs, lambda event: None))
    wanted = [spec.trial_id for spec in specs for _ in range(2)]
    assert [task.name for task in begun] == wanted
    assert [(one.record.trial_id, one.record.status) for one in results] == [
        (spec.trial_id, "failed") for spec in specs
    ]
    assert {one.record.failure_reason for one in results} == {"its worker process was killed (SIGKILL)"}


def test_what_a_worker_tells_is_heard_of_its_own_trial_and_files_alone(tmp_path: Path) -> None:
    scratch, precious = tmp_path / "scratch", tmp_path / "precious"
    scratch.mkdir()
    for file in (precious, scratch / "checkpoint"):
        file.touch()
    (scratch / "link").symlink_to(precious)
    told = (
        {"stepped": "a", "steps": 3},
        {"stepped": "b", "steps": 3},
        {"stepped": "a", "steps": "many"},
        "nonsense",
        *({"checkpointed": "a", "steps": 3, "file": str(scratch / name)} for name in ("checkpoint", "link", "none")),
        {"checkpointed": "a", "steps": 3, "file": str(precious)},
        {"checkpointed": "a", "steps": 3, "file": str(scratch / ".." / "precious")},
    )
    heard = [event for value in told if (event := event_of(("a",), value, scratch)) is not None]
    assert heard == [Stepped("a", 3), Checkpointed("a", 3, scratch / "checkpoint")]


def test_on_an_accelerator_every_trial_has_a_process_that_can_be_replaced_and_one_thread(tmp_path: Path) -> None:
    own = trial_spec_of(make_stripes(), "lenet5")
    of_session = own.model_copy(update={"network": own.network.model_copy(update={"source_sha256": "a" * 64})})
    assert of_session.network.is_of_session
    with LocalExecutor(WorkerContext(tmp_path / "cuda", "cuda:1")) as executor:
        assert executor._runs_elsewhere(own)
        assert not executor._runs_elsewhere(of_session)
        assert executor._supervisor._environment["OMP_NUM_THREADS"] == "1"
    with LocalExecutor(WorkerContext(tmp_path / "cpu")) as executor:
        assert not executor._runs_elsewhere(own)
        assert not executor._supervisor._environment


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_process_that_cannot_write_its_result_fails_its_trial_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files are used up, or may not be that large; a disk that is full is everybody's."""
    result = TrialResult(failed_record(trial_spec_of(make_stripes(), "lenet5"), "some reason"))
    said = [errno.EMFILE, errno.EFBIG, errno.ENOSPC]

    def refuse(*_: object) -> None:
        raise OSError(said.pop(0), "refused")

    monkeypatch.setattr(RunFolder, "write_trial", refuse)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="its worker process could not write its result"):
            training_task._keep(RunFolder(tmp_path), result)
    with pytest.raises(UserError, match="see to room and permission there"):
        training_task._keep(RunFolder(tmp_path), result)
