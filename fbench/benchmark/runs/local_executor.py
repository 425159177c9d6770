"""Many trials on one machine: in worker processes, or in this one."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Sequence
from contextlib import closing
from types import TracebackType
from typing import Final, Self

from fbench.benchmark.machine.jobs import room_for_another
from fbench.benchmark.records.events import Listen
from fbench.benchmark.records.specs import DataSpec, TrialSpec
from fbench.benchmark.runs.executors import NO_LIMITS, TrialLimits, WorkerContext, attempt
from fbench.benchmark.runs.training_task import foreign_code, readying_task
from fbench.benchmark.runs.trial_tasks import TrialTasks
from fbench.benchmark.store.trial_result import TrialResult
from fbench.benchmark.workers.messages import Task
from fbench.benchmark.workers.supervisor import Supervisor
from fbench.core.errors import StoppedError

ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""What libraries read at their start."""


class LocalExecutor:
    """Runs trials in worker processes: so many at a time as there are jobs.

    Two kinds run in this process, one after another: networks that were defined in this very session, which no other
    process can build, and fbench's own where there is one job on a CPU. On an accelerator they have a process of their
    own there too, as after some of its errors no other training can run in the same one.

    On an accelerator a process computes with one thread, since it only launches what the device computes, and begins
    when the host's memory has room for it. Where their numerics say so, it trains several of fbench's own networks at
    a time, and those that another's error has left go on alone, from their checkpoints.

    ``together`` is how many trials a process trains at a time where that changes no bits; one, unless it is set.

    Workers start at once where ``data`` is given: importing PyTorch and reading the data takes them a second and a
    half, in which the process that wants them can go on with what comes before training. What they made lies in
    ``context.scratch`` until it is taken from there; the folder goes when the executor does.
    """

    def __init__(self, context: WorkerContext, data: DataSpec | None = None) -> None:
        self._context = context
        self._stop, self.together = False, 1
        first = None if data is None else readying_task(data)
        on_cpu = context.device == "cpu"
        self._supervisor = Supervisor(
            context.jobs,
            context.scratch / "logs",
            first,
            huge_pages=True,
            room=(lambda beginning: True) if on_cpu else room_for_another,
            environment={} if on_cpu else ONE_THREAD,
        )
        if data is not None and context.jobs > 1:
            self._supervisor.start(context.jobs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._supervisor.end()
        shutil.rmtree(self._context.scratch, ignore_errors=True)

    def ask_to_stop(self) -> None:
        """As :class:`fbench.benchmark.runs.executors.Executor`."""
        self._stop = True
        self._supervisor.ask_to_stop()

    def run(
        self, specs: Sequence[TrialSpec], listen: Listen, limits: TrialLimits = NO_LIMITS
    ) -> Generator[TrialResult, None, None]:
        """As :class:`fbench.benchmark.runs.executors.Executor`; a trial in this process has no limit."""
        elsewhere = [spec for spec in specs if self._runs_elsewhere(spec)]
        yield from self._in_workers(elsewhere, listen, limits)
        self._supervisor.end()  # what comes next may be a measurement, and wants the memory
        for spec in [spec for spec in specs if not self._runs_elsewhere(spec)]:
            if self._stop:
                return
            if not limits.may_begin(spec.trial_id):
                continue
            try:
                yield attempt(spec, self._context, listen, lambda: self._stop)
            except StoppedError:
                return

    def _runs_elsewhere(self, spec: TrialSpec) -> bool:
        alone = self._context.jobs == 1 and not self._context.isolated and self._context.device == "cpu"
        return not spec.network.is_of_session and not (alone and foreign_code(spec.network) is None)

    def _in_workers(
        self, specs: Sequence[TrialSpec], listen: Listen, limits: TrialLimits
    ) -> Generator[TrialResult, None, None]:
        tasks = TrialTasks(specs, self._context, limits, self.together)

        def hear(task: Task, value: object) -> None:
            if (event := tasks.heard(task, value)) is not None:
                listen(event)

        with closing(self._supervisor.steps(tasks.first, hear, tasks.may_begin)) as steps:
            for outcome in steps:
                yield from tasks.told()  # of a task that goes on, or is about to be gone on with alone
                if outcome is None:
                    continue
                results, more = tasks.results(outcome)
                for task in more:
                    self._supervisor.add(task)
                yield from results
        yield from tasks.told()
