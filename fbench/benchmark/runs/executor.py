"""Many trials on one machine: in this process, or in worker processes. Each result is written where it was made."""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol

from fbench.architectures.plugins import load_plugin
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.records.specs import DataSpec, TrialSpec
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.store.ledger import log_readings
from fbench.benchmark.store.run_folder import RunFolder, TrialResult
from fbench.core.errors import UserError, reason_of


class Listener(Protocol):
    """Is told how trials go; called in the process that started them."""

    def stepped(self, trial_id: str, steps: int) -> None:
        """A trial has done so many steps."""

    def ended(self, record: TrialRecord) -> None:
        """A trial has ended and its record is written."""


@dataclass(frozen=True)
class Workplace:
    """Where trials run and where their results go."""

    run_path: Path
    device: str
    jobs: int


def run_trials(
    specs: Sequence[TrialSpec], place: Workplace, listener: Listener, workers: Workers | None = None
) -> None:
    """Run trials in the given order; results are in the run folder when the listener hears of them.

    One job runs in this process, more in that many worker processes: ``workers`` where they were started before. A
    keyboard interrupt stops the workers and is raised again; what was finished stays, what was running is lost.
    """
    if place.jobs == 1:
        for spec in specs:
            _run_here(spec, place, listener)
    else:
        _run_in_workers(list(specs), place, listener, workers)


def load_for(data: DataSpec) -> ImageDataset:
    """Load the data set of a specification once per process, and hold it against its fingerprint.

    Raises:
        UserError: the data has changed since the run was planned.
    """
    dataset = _load_once(str(data.reference))
    if dataset.fingerprint != data.fingerprint:
        raise UserError(
            f"The data set {data.name} has changed since this run was planned; put its files back, or give the same "
            "command with another --out."
        )
    return dataset


@lru_cache(maxsize=2)
def _load_once(reference: str) -> ImageDataset:
    return load_dataset(DataReference.parse(reference))


def _run_here(spec: TrialSpec, place: Workplace, listener: Listener) -> None:
    record = _run_and_write(spec, place, lambda steps: listener.stepped(spec.trial_id, steps))
    listener.ended(record)


def _run_and_write(spec: TrialSpec, place: Workplace, progress: Any) -> TrialRecord:
    try:
        result = _attempt(spec, place, progress)
    except (
        Exception,
        SystemExit,
    ) as error:  # of the plug-in, the data, or the device; a trial's own errors are in its result
        result = TrialResult(failed_record(spec, reason_of(error)))
    record = _write(RunFolder(place.run_path), result)
    log_readings(result)
    return record


def _attempt(spec: TrialSpec, place: Workplace, progress: Any) -> TrialResult:
    from fbench.benchmark.machine.device import pick_device, share_device
    from fbench.benchmark.training.trial import TrialContext, run_trial

    if spec.network.plugin_file is not None:
        load_plugin(spec.network.plugin_file)
    context = TrialContext(
        device=pick_device(place.device),
        concurrent_trials=place.jobs,
    )
    share_device(context.device, place.jobs)
    return run_trial(spec, load_for(spec.data), context, progress)


def _write(folder: RunFolder, result: TrialResult) -> TrialRecord:
    """Write a trial, or that it failed as it could not be written; the record as it is in its folder.

    Raises:
        UserError: the disk refuses, and would refuse the other trials too.
    """
    try:
        try:
            return folder.write_trial(result)
        except OSError:
            raise
        except Exception as error:  # of any type: what a trial holds comes from somebody's network
            reason = f"its result could not be written: {reason_of(error)}"
            failed = failed_record(result.record.spec, reason, result.record.started_at)
            return folder.write_trial(TrialResult(failed, result.history))
    except OSError as error:
        raise UserError(
            f"Trial '{result.record.trial_id}' could not be written to {folder.path} ({reason_of(error)}); see to "
            "room and permission there, and run the same command again: what was written before is kept."
        ) from error


# --- worker processes

_Message = tuple[Literal["step"], str, int]


class Workers:
    """A pool of processes that report their steps through a queue.

    They start at once: importing PyTorch and reading the data takes them a second and a half, in which the process
    that wants them can go on with what comes before training.
    """

    def __init__(self, jobs: int, data: DataSpec) -> None:
        context = multiprocessing.get_context("spawn")
        self.messages: multiprocessing.Queue[_Message] = context.Queue()
        self._pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start_worker, initargs=(self.messages,))
        for _ in range(jobs):
            self._pool.submit(_get_ready, data)

    def submit(self, spec: TrialSpec, place: Workplace) -> Future[TrialRecord]:
        """Have a trial run by the next free process."""
        return self._pool.submit(_work, spec, place)

    def stop(self) -> None:
        """End them, whatever they do; more than once does no harm."""
        processes = list((self._pool._processes or {}).values())  # the pool offers no way to end a running call
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()


@contextlib.contextmanager
def started_workers(specs: Sequence[TrialSpec], jobs: int) -> Iterator[Workers | None]:
    """Workers for these trials, ended with the block; none where the trials run in this process."""
    workers = Workers(jobs, specs[0].data) if specs and jobs > 1 else None
    try:
        yield workers
    finally:
        if workers is not None:
            workers.stop()


_messages: multiprocessing.Queue[_Message] | None = None


def _start_worker(messages: multiprocessing.Queue[_Message]) -> None:
    """Ctrl-C is for the parent, which ends its workers."""
    global _messages  # noqa: PLW0603 - a pool's initializer can hand over an open queue in no other way
    _messages = messages
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _get_ready(data: DataSpec) -> None:
    """What a worker needs for its first trial; what is wrong with the data is for that trial to say."""
    import fbench.benchmark.training.trial  # noqa: F401 - imported here, it is there when the trial comes

    with contextlib.suppress(Exception):
        load_for(data)


def _work(spec: TrialSpec, place: Workplace) -> TrialRecord:
    def progress(steps: int) -> None:
        if _messages is not None:
            _messages.put(("step", spec.trial_id, steps))

    try:
        return _run_and_write(spec, place, progress)
    except KeyboardInterrupt as error:  # workers do not hear of Ctrl-C, so the network raised it
        return _write(RunFolder(place.run_path), TrialResult(failed_record(spec, reason_of(error))))


def _run_in_workers(
    specs: list[TrialSpec], place: Workplace, listener: Listener, workers: Workers | None = None
) -> None:
    """Run all; when a worker process dies, what was in flight is tried again one at a time to find the culprit."""
    suspects = _one_pool(specs, place, listener, workers)
    while suspects:
        first, rest = suspects[0], suspects[1:]
        died = _one_pool([first], replace(place, jobs=1), listener)
        if died:
            reason = "its worker process died (out of memory, or a crash in native code)"
            listener.ended(_write(RunFolder(place.run_path), TrialResult(failed_record(first, reason))))
        suspects = _one_pool(rest, place, listener) if rest else []


def _one_pool(
    specs: list[TrialSpec], place: Workplace, listener: Listener, workers: Workers | None = None
) -> list[TrialSpec]:
    """Run ``specs`` in one pool; return those without a result when a worker died, in flight first."""
    if not specs:
        return []
    workers = workers or Workers(min(place.jobs, len(specs)), specs[0].data)
    waiting = list(specs)
    running: dict[Future[TrialRecord], TrialSpec] = {}
    try:
        while waiting or running:
            while waiting and len(running) < place.jobs:
                spec = waiting.pop(0)
                running[workers.submit(spec, place)] = spec
            done, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
            _drain(workers.messages, listener)
            for future in done:
                record = _result_of(future, running[future], place)
                running.pop(future)
                listener.ended(record)
    except BrokenProcessPool:
        return [*running.values(), *waiting]
    finally:
        workers.stop()
    return []


def _result_of(future: Future[TrialRecord], spec: TrialSpec, place: Workplace) -> TrialRecord:
    """The record of a trial that has ended, also where its worker could not hand it over.

    Raises:
        BrokenProcessPool: a worker process died.
        UserError: the disk refuses.
    """
    try:
        return future.result()
    except (BrokenProcessPool, UserError):
        raise
    except Exception as error:  # of any type: what goes wrong between two processes
        return _write(RunFolder(place.run_path), TrialResult(failed_record(spec, reason_of(error))))


def _drain(messages: multiprocessing.Queue[_Message], listener: Listener) -> None:
    with contextlib.suppress(queue.Empty):
        while True:
            _, trial_id, steps = messages.get_nowait()
            listener.stepped(trial_id, steps)


def failed_record(spec: TrialSpec, reason: str, started_at: str | None = None) -> TrialRecord:
    """The record of a trial of which nothing is known but that it failed."""
    from fbench.benchmark.training.seeds import derive_seeds
    from fbench.core.machine import describe_machine

    now = datetime.now(UTC).isoformat(timespec="seconds")
    return TrialRecord(
        trial_id=spec.trial_id,
        status="failed",
        failure_reason=reason,
        spec=spec,
        seeds=derive_seeds(spec.seed),
        machine=describe_machine(),
        started_at=started_at or now,
        finished_at=now,
    )
