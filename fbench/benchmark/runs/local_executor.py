"""Many trials on one machine: in this process, or in worker processes."""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
import shutil
import signal
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Self

from fbench.benchmark.data.loaded import load_for
from fbench.benchmark.machine.allocator import huge_pages_in_new_processes
from fbench.benchmark.records.events import Event, Listen
from fbench.benchmark.records.specs import DataSpec, TrialSpec
from fbench.benchmark.runs.driver import keep
from fbench.benchmark.runs.executors import WorkerContext, attempt, failed_record
from fbench.benchmark.store.run_folder import RunFolder, TrialResult
from fbench.core.errors import UserError, reason_of

_DIED: Final = "its worker process died (out of memory, or a crash in native code)"


_LAST_WORDS_S: Final = 2.0
"""How long to wait for the last events of a trial whose result is there; the queue is quicker by far."""


@dataclass(frozen=True)
class _AllTold:
    """A worker has told all events of a trial."""

    trial_id: str


_Message = Event | _AllTold


class LocalExecutor:
    """Runs trials in this process where there is one job, else in that many worker processes.

    Workers start at once where ``data`` is given: importing PyTorch and reading the data takes them a second and a
    half, in which the process that wants them can go on with what comes before training. What they made lies in
    ``context.scratch`` until it is taken from there; the folder goes when the executor does.
    """

    def __init__(self, context: WorkerContext, data: DataSpec | None = None) -> None:
        self._context = context
        self._workers = _Workers(context.jobs, data) if data is not None and context.jobs > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._workers is not None:
            self._workers.stop()
        shutil.rmtree(self._context.scratch, ignore_errors=True)

    def run(self, specs: Sequence[TrialSpec], listen: Listen) -> Iterator[TrialResult]:
        """As :class:`fbench.benchmark.runs.executors.Executor`.

        When a worker process dies, what was in flight is tried again one at a time to find the culprit.
        """
        if self._context.jobs == 1:
            for spec in specs:
                yield attempt(spec, self._context, listen)
            return
        suspects = yield from self._in_workers(list(specs), self._context, listen)
        while suspects:
            first, rest = suspects[0], suspects[1:]
            if (yield from self._in_workers([first], replace(self._context, jobs=1), listen)):
                yield TrialResult(failed_record(first, _DIED))
            suspects = yield from self._in_workers(rest, self._context, listen)

    def _in_workers(
        self, specs: list[TrialSpec], context: WorkerContext, listen: Listen
    ) -> Generator[TrialResult, None, list[TrialSpec]]:
        """Run ``specs`` in one pool; return those without a result when a worker died, in flight first."""
        if not specs:
            return []
        workers = self._workers or _Workers(min(context.jobs, len(specs)), specs[0].data)
        self._workers = None
        waiting, running = list(specs), dict[Future[TrialResult], TrialSpec]()
        try:
            while waiting or running:
                while waiting and len(running) < context.jobs:
                    running[workers.submit(waiting[0], context)] = waiting[0]
                    del waiting[0]  # only now: a pool whose worker has died takes nothing more
                done, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
                workers.pass_on(listen)
                for future in done:
                    result = _result_of(future, running[future])
                    if not workers.has_told_all(result.record.trial_id):
                        workers.pass_on(listen, result)
                    del running[future]
                    yield result
        except BrokenProcessPool:
            return [*running.values(), *waiting]
        finally:
            workers.stop()
        return []


class _Workers:
    """A pool of processes that report events through a queue."""

    def __init__(self, jobs: int, data: DataSpec) -> None:
        context = multiprocessing.get_context("spawn")
        self._told: multiprocessing.Queue[_Message] = context.Queue()
        self._pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start_worker, initargs=(self._told,))
        self._complete: set[str] = set()
        with huge_pages_in_new_processes():
            for _ in range(jobs):
                self._pool.submit(_get_ready, data)

    def submit(self, spec: TrialSpec, context: WorkerContext) -> Future[TrialResult]:
        """Have a trial run by the next free process."""
        return self._pool.submit(_work, spec, context)

    def pass_on(self, listen: Listen, ended: TrialResult | None = None) -> None:
        """Pass on what the workers have told since; of a trial that has ended, all of it, before its end is told."""
        with contextlib.suppress(queue.Empty):
            while True:
                message = self._told.get(timeout=_LAST_WORDS_S) if ended else self._told.get_nowait()
                if not isinstance(message, _AllTold):
                    listen(message)
                elif ended is not None and message.trial_id == ended.record.trial_id:
                    return
                else:
                    self._complete.add(message.trial_id)

    def has_told_all(self, trial_id: str) -> bool:
        """Whether the last event of a trial was passed on."""
        return trial_id in self._complete

    def stop(self) -> None:
        """End them, whatever they do; more than once does no harm."""
        processes = list((self._pool._processes or {}).values())  # the pool offers no way to end a running call
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()


def _result_of(future: Future[TrialResult], spec: TrialSpec) -> TrialResult:
    """The result of a trial that has ended, also where its worker could not hand it over.

    Raises:
        BrokenProcessPool: a worker process died.
        UserError: the disk refuses.
    """
    try:
        return future.result()
    except (BrokenProcessPool, UserError):
        raise
    except Exception as error:  # of any type: what goes wrong between two processes
        return TrialResult(failed_record(spec, reason_of(error)))


# --- in a worker process

_parent: multiprocessing.Queue[_Message] | None = None


def _start_worker(parent: multiprocessing.Queue[_Message]) -> None:
    """Ctrl-C is for the parent, which ends its workers."""
    global _parent  # noqa: PLW0603 - a pool's initializer can hand over an open queue in no other way
    _parent = parent
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _get_ready(data: DataSpec) -> None:
    """What a worker needs for its first trial; what is wrong with the data is for that trial to say."""
    import fbench.benchmark.training.trial  # noqa: F401 - imported here, it is there when the trial comes

    with contextlib.suppress(Exception):
        load_for(data)


def _work(spec: TrialSpec, context: WorkerContext) -> TrialResult:
    """Run a trial and leave its files in the scratch folder; only their place and the record travel."""

    def tell(message: _Message) -> None:
        if _parent is not None:
            _parent.put(message)

    try:
        result = attempt(spec, context, tell)
    except KeyboardInterrupt as error:  # workers do not hear of Ctrl-C, so the network raised it
        result = TrialResult(failed_record(spec, reason_of(error)))
    tell(_AllTold(spec.trial_id))
    scratch = RunFolder(context.scratch)
    record = keep(scratch, result)
    return TrialResult(record, test_readings=result.test_readings, files=scratch.trial_folder(record.trial_id))
