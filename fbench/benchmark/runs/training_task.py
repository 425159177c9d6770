"""A trial as a task of a worker process: what travels there, what runs there, what comes back."""

from __future__ import annotations

import contextlib
import errno
import gc
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from fbench.benchmark.data.loaded import load_for, take_sent
from fbench.benchmark.records.events import Checkpointed, Event, event_from_json, event_to_json
from fbench.benchmark.records.specs import DataSpec, NetworkSpec, TrialSpec
from fbench.benchmark.runs.driver import keep
from fbench.benchmark.runs.executors import WorkerContext, attempt, failed_record, with_log
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.trial_result import TrialResult
from fbench.benchmark.workers.inside import Parent
from fbench.benchmark.workers.messages import Task
from fbench.benchmark.workers.supervisor import Outcome
from fbench.core.errors import UserError, reason_of, traceback_of
from fbench.core.garbage import collection_put_off

_TRAIN: Final = f"{__name__}:train"
_GET_READY: Final = f"{__name__}:get_ready"
_DISK_REFUSES: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO))
"""What a disk says, whichever process asks it."""


def foreign_code(network: NetworkSpec) -> str | None:
    """A digest of the user's code that a network runs, its own options included; none for a network of fbench's."""
    return None if network.source_sha256 is None else network.digest


def training_task(
    spec: TrialSpec, context: WorkerContext, limit_s: float | None, data_file: Path | None = None
) -> Task:
    """Train a network in a worker; how it ended is for :func:`result_of_outcome`.

    ``data_file`` has the data where they were sent to this machine, as :func:`fbench.benchmark.data.loaded.take_sent`
    takes it.
    """
    arguments = {
        "spec": spec.model_dump(mode="json"),
        "data_path": spec.data.path,
        "scratch": str(context.scratch),
        "device": context.device,
        "jobs": context.jobs,
        "checkpoints": None if context.checkpoints is None else str(context.checkpoints),
        "data_file": None if data_file is None else str(data_file),
    }
    return Task(spec.trial_id, _TRAIN, arguments, foreign_code(spec.network), limit_s)


def readying_task(data: DataSpec) -> Task:
    """Import what a trial needs, and read the data."""
    return Task("get ready", _GET_READY, {"data": data.model_dump(mode="json"), "data_path": data.path})


def result_of(answer: dict[str, Any], trial_id: str, scratch: Path) -> TrialResult:
    """What a worker found; its files are in the scratch folder, and the record is one of them.

    Raises:
        UserError: the record is not valid.
    """
    folder = RunFolder(scratch)
    record = folder.trial(trial_id)
    return TrialResult(
        record,
        test_readings=int(answer["test_readings"]),
        files=folder.trial_folder(trial_id),
        may_pass=answer["may_pass"] is True,
    )


def event_of(trial_ids: Collection[str], value: object, scratch: Path) -> Event | None:
    """What a worker told of a trial in its hand; none where that is no event of one, or of no file that it may have
    written."""
    try:
        event = event_from_json(value) if isinstance(value, dict) else None
    except ValueError:
        return None
    if event is None or event.trial_id not in trial_ids:
        return None
    if isinstance(event, Checkpointed) and not _is_own_file(event.file, scratch):
        return None
    return event


def _is_own_file(file: Path, scratch: Path) -> bool:
    return file.parent == scratch and file.is_file() and not file.is_symlink()


def result_of_outcome(outcome: Outcome, spec: TrialSpec, scratch: Path) -> TrialResult:
    """The result of a trial that has ended, also where its worker could not hand it over.

    Raises:
        UserError: the disk refuses.
    """
    failure = outcome.failure
    if failure is None:
        try:
            return result_of(outcome.value, spec.trial_id, scratch)
        except Exception as error:  # of any type: what comes from a process that ran a user's code
            return TrialResult(failed_record(spec, f"its result cannot be read: {reason_of(error)}"))
    if failure.by_user:
        raise UserError(failure.reason)
    hint = "; --trial-timeout gives another" if failure.kind == "time" else ""
    failed = failed_record(spec, failure.reason + hint)
    return TrialResult(failed, failure_details=failure.details, may_pass=failure.kind == "died")


# --- in a worker process


def get_ready(_: Parent, data: dict[str, Any], data_path: str | None) -> None:
    """What a worker needs for its first trial; what is wrong with the data is for that trial to say.

    Modules live on: looking for garbage among them takes a sixth of the time of importing them.
    """
    with collection_put_off():
        import fbench.benchmark.training.trial  # noqa: F401 - imported here, it is there when the trial comes

        with contextlib.suppress(Exception):
            load_for(DataSpec.model_validate(data).model_copy(update={"path": data_path}))
    gc.freeze()


def train(
    parent: Parent,
    spec: dict[str, Any],
    data_path: str | None,
    scratch: str,
    device: str,
    jobs: int,
    checkpoints: str | None,
    data_file: str | None,
) -> dict[str, Any]:
    """Run a trial and leave its files in the scratch folder.

    Raises:
        UserError, RuntimeError: as of :func:`_keep`.
    """
    wanted = TrialSpec.model_validate(spec)
    if data_file is not None:
        take_sent(wanted.data.fingerprint, Path(data_file))
    wanted = wanted.model_copy(update={"data": wanted.data.model_copy(update={"path": data_path})})
    context = WorkerContext(Path(scratch), device, jobs, Path(checkpoints) if checkpoints else None)
    result = _trained(parent, wanted, context)
    if result.record.status == "failed":
        parent.replace_worker()
    _keep(RunFolder(context.scratch), with_log(result, parent.log_tail()))
    return {"test_readings": result.test_readings, "may_pass": result.may_pass}


def _keep(scratch: RunFolder, result: TrialResult) -> None:
    """Write a result, or fail by itself where this process cannot write, as a network has used up its open files.

    Raises:
        UserError: the disk refuses, and would refuse the other trials too.
        RuntimeError: something else does.
    """
    try:
        keep(scratch, result)
    except UserError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno not in _DISK_REFUSES:
            raise RuntimeError(f"its worker process could not write its result ({reason_of(cause)})") from cause
        raise


def _trained(parent: Parent, spec: TrialSpec, context: WorkerContext) -> TrialResult:
    try:
        return attempt(spec, context, lambda event: parent.tell(event_to_json(event)), lambda: parent.asks_to_stop)
    except KeyboardInterrupt as error:  # workers do not hear of Ctrl-C, so the network raised it
        failed = TrialResult(failed_record(spec, reason_of(error)))
        return replace(failed, failure_details=traceback_of(error))
