"""Tasks in worker processes: one that dies, hangs or breaks takes its own task with it and no other.

Each worker has a pipe of its own, and the supervisor knows what each has in hand, so that a death is the end of one
task, whenever it comes. A worker that ran a user's code does tasks of the same code alone, and goes when there are no
more: whatever that code did to its process (a default dtype, a patched library, the environment) meets no other code.
"""

from __future__ import annotations

import queue
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

from fbench.benchmark.machine.allocator import huge_pages_in_new_processes
from fbench.benchmark.workers.messages import Task
from fbench.benchmark.workers.process import Heard, WorkerProcess
from fbench.core.errors import MOST_OF_A_REASON, storable

_TICK_S: Final = 0.2
_MOST_UNBEGUN: Final = 2
START_LIMIT_S: Final = 300.0
"""How long a process may take to begin its first task: it imports PyTorch and reads the data."""
BEGINNING_S: Final = 60.0
"""How long a new process may take to have all the memory that it is going to take."""
_LONGEST_AWAY_S: Final = 10.0
"""Who does not look at its workers for longer was stopped itself, and they perhaps with it."""
GRACE_S: Final = 12.0
"""How long a trial may take to end where it can be gone on with; a step and a checkpoint take seconds."""

Hear = Callable[[Task, Any], None]
"""Is told what a task tells while it runs."""
MayBegin = Callable[[Task], bool]
"""Whether there is time for a task; once there is none, there is none later."""


@dataclass(frozen=True)
class Failure:
    """Why a task has no answer.

    Attributes:
        kind: whether its function raised, its process died, or its time was over.
        reason: in a sentence without its end, of at most 2,000 characters.
        details: the traceback where there is one, and the end of what was written to the standard streams.
        by_user: whether the function raised a :class:`fbench.core.errors.UserError`.
    """

    kind: Literal["raised", "died", "time"]
    reason: str
    details: str = ""
    by_user: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a task ended: with what its function returned, or a failure."""

    task: Task
    value: Any = None
    failure: Failure | None = None


class Supervisor:
    """Runs tasks in at most ``most`` worker processes at a time, which write their logs into ``folder``.

    ``first`` is done by each process at its start; what it answers is heard by nobody. ``huge_pages`` are for training;
    ``grace_s`` is how long tasks may take to end when they are asked to stop, before their processes are ended. One
    process is always started, another where there is ``room`` beside those that are beginning, whose number it is
    given; it is asked again and again. ``environment`` is added to that of the processes. A
    worker that ran a user's code ends with the tasks at hand, or with ``keeps_used`` waits for more of the same code.
    """

    def __init__(
        self,
        most: int,
        folder: Path,
        first: Task | None = None,
        *,
        huge_pages: bool = False,
        grace_s: float = GRACE_S,
        keeps_used: bool = False,
        room: Callable[[int], bool] = lambda beginning: True,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._most, self._folder, self._first = most, folder, first
        self._huge_pages, self._grace_s, self._keeps_used = huge_pages, grace_s, keeps_used
        self._room, self._environment = room, environment
        self._heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self._workers: list[WorkerProcess] = []
        self._waiting: deque[Task] = deque()
        self._may_begin: MayBegin = lambda task: True
        self._started = 0
        self._unbegun: Counter[str] = Counter()
        self._stop = self._is_stopping = False
        self._looked_at = time.monotonic()

    def start(self, processes: int) -> None:
        """Start processes before there is something to do, as far as there is room."""
        for _ in range(processes):
            if self._has_room():
                self._new_worker()

    def add(self, task: Task) -> None:
        """Do another task, before those that wait; while :meth:`run` goes on."""
        self._waiting.appendleft(task)

    def ask_to_stop(self) -> None:
        """Begin nothing more, and let the tasks in hand stop where they can be gone on with; for a signal's handler."""
        self._stop = True

    def run(
        self, tasks: Iterable[Task], hear: Hear = lambda task, value: None, may_begin: MayBegin = lambda task: True
    ) -> Iterator[Outcome]:
        """Do all tasks, begun in the given order, and give each one's outcome when it is there.

        Every task has one outcome, but for those that may not begin any more, and where it was asked to stop: then
        those in hand may have none, and those that wait have none. ``hear`` is called while the iterator waits. What is
        in hand when it is closed, or a keyboard interrupt comes, is stopped too.
        """
        with closing(self.steps(tasks, hear, may_begin)) as steps:
            yield from (outcome for outcome in steps if outcome is not None)

    def steps(
        self, tasks: Iterable[Task], hear: Hear = lambda task, value: None, may_begin: MayBegin = lambda task: True
    ) -> Generator[Outcome | None, None, None]:
        """As :meth:`run`, with None whenever it has waited for a moment: for who has other things to do meanwhile."""
        self._may_begin, self._looked_at = may_begin, time.monotonic()
        self._waiting.extend(tasks)
        try:
            while self._busy() or (self._waiting and not self._stop):
                if self._stop:
                    yield from self._stopped(hear)
                    return
                self._hand_out()
                yield from self._next_outcomes(hear)
                yield None
            if not self._keeps_used:
                self._end_used()
        except (KeyboardInterrupt, GeneratorExit):
            if not self._stop:  # else it was asked before, and had its time
                for _ in self._stopped(hear):
                    pass  # what has ended is done again, as nobody can be given it any more
            self.end()
            raise

    def waited_for(self) -> list[tuple[Task, float]]:
        """The tasks that have begun, each with the seconds since, or since the last time that counts for its limit."""
        now = time.monotonic()
        begun = ((worker.in_hand, worker.begun_at) for worker in self._workers)
        return [(task, now - begun_at) for task, begun_at in begun if task is not None and begun_at is not None]

    def end(self) -> None:
        """End all processes, whatever they do; more than once does no harm."""
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    # --- workers

    def _busy(self) -> list[WorkerProcess]:
        return [worker for worker in self._workers if worker.in_hand is not None]

    def _new_worker(self) -> WorkerProcess:
        self._started += 1
        self._folder.mkdir(parents=True, exist_ok=True)
        with huge_pages_in_new_processes() if self._huge_pages else nullcontext():
            log = self._folder / f"worker-{self._started}.log"
            worker = WorkerProcess(log, self._heard, self._environment)
        self._workers.append(worker)
        if self._first is not None:
            worker.give(self._first)
            worker.in_hand = None
        return worker

    def _hand_out(self) -> None:
        """Give each process that has nothing in hand the next task that it may do; start and end processes for them."""
        if len(self._busy()) < self._most:
            self._waiting = deque(task for task in self._waiting if self._may_begin(task))
        for worker in [one for one in self._workers if one.in_hand is None and one.code is not None]:
            same = next((task for task in self._waiting if task.code == worker.code), None)
            if same is None:
                self._drop(worker)
            else:
                self._waiting.remove(same)
                worker.give(same)
        while self._waiting and (free := self._free_worker()) is not None:
            free.give(self._waiting.popleft())

    def _free_worker(self) -> WorkerProcess | None:
        idle = [worker for worker in self._workers if worker.in_hand is None]
        if idle:
            return idle[0]
        return self._new_worker() if len(self._workers) < self._most and self._has_room() else None

    def _has_room(self) -> bool:
        now = time.monotonic()
        return not self._workers or self._room(sum(now - one.started_at < BEGINNING_S for one in self._workers))

    def _drop(self, worker: WorkerProcess) -> None:
        worker.end()
        self._workers.remove(worker)

    def _end_used(self) -> None:
        for worker in [one for one in self._workers if one.code is not None]:
            self._drop(worker)

    # --- what they say

    def _next_outcomes(self, hear: Hear) -> Iterator[Outcome]:
        """Wait a moment for messages; the outcomes that they bring, or that time brings."""
        for worker, message in self._messages():
            if worker not in self._workers:
                continue  # it was ended meanwhile
            if message is None:
                yield from self._lost(worker)
            else:
                yield from self._take(worker, message, hear)
        self._forgive_rest()
        for worker in list(self._workers):
            if worker.left_its_channel_open:
                yield from self._lost(worker)
            elif (failure := _over_time(worker)) is not None:
                yield from self._failed(worker, failure)

    def _forgive_rest(self) -> None:
        """Time in which this process did nothing, as after Ctrl-Z, is none that tasks have taken."""
        before, self._looked_at = self._looked_at, time.monotonic()
        if (away_s := self._looked_at - before) > _LONGEST_AWAY_S:
            for worker in self._workers:
                worker.forgive(away_s)

    def _messages(self) -> Iterator[Heard]:
        try:
            yield self._heard.get(timeout=_TICK_S)
            while True:
                yield self._heard.get_nowait()
        except queue.Empty:
            return

    def _take(self, worker: WorkerProcess, message: dict[str, Any], hear: Hear) -> Iterator[Outcome]:
        task = worker.in_hand
        if "failed" in message and (task is None or message["failed"] != task.name):  # what it began with
            worker.not_ready = _said_failure(message, "").reason
        if task is None:
            return
        match message:
            case {"begins": task.name}:
                worker.begun_at = time.monotonic()
            case {"tells": task.name, "value": value}:
                if task.limit_from_last_told:
                    worker.begun_at = time.monotonic()
                hear(task, value)
            case {"done": task.name, "value": value}:
                self._put_down(worker, message)
                yield Outcome(task, value)
            case {"stopped": task.name}:
                self._drop(worker)
                if not self._is_stopping:
                    yield Outcome(task, failure=Failure("raised", "it ended as if it had been asked to stop"))
            case {"failed": task.name}:
                failure = _said_failure(message, worker.log_tail())
                self._drop(worker)
                yield Outcome(task, failure=failure)

    def _put_down(self, worker: WorkerProcess, message: dict[str, Any]) -> None:
        worker.in_hand = worker.begun_at = None
        if message.get("last"):
            self._drop(worker)

    def _lost(self, worker: WorkerProcess) -> Iterator[Outcome]:
        """A process is no more, or says no more."""
        yield from self._failed(worker, lambda: Failure("died", worker.how_it_ended()))

    def _failed(self, worker: WorkerProcess, failure: Callable[[], Failure]) -> Iterator[Outcome]:
        """A process is ended; a task that it never began is another's, unless processes die again and again."""
        task, begun = worker.in_hand, worker.begun_at is not None
        found = failure()
        self._drop(worker)
        if task is None:
            return
        if not begun and self._unbegun[task.name] < _MOST_UNBEGUN:
            self._unbegun[task.name] += 1
            self._waiting.appendleft(task)
        else:
            yield Outcome(task, failure=Failure(found.kind, found.reason, worker.log_tail()))

    def _stopped(self, hear: Hear) -> Iterator[Outcome]:
        """Ask all to stop, give them time for it, and end them."""
        self._is_stopping = True
        deadline = time.monotonic() + self._grace_s
        self._waiting.clear()
        for worker in list(self._workers):
            if worker.in_hand is None or worker.begun_at is None:
                self._drop(worker)
            else:
                worker.ask_to_stop()
        while self._busy() and time.monotonic() < deadline:
            yield from self._next_outcomes(hear)
        self.end()


def _over_time(worker: WorkerProcess) -> Callable[[], Failure] | None:
    """Why the time of a worker's task is over; none where it is not."""
    task, now = worker.in_hand, time.monotonic()
    if task is None:
        return None
    if worker.begun_at is None:
        if now - worker.given_at < START_LIMIT_S:
            return None
        return lambda: Failure("died", f"its worker process did not begin within {START_LIMIT_S:.0f} s")
    if task.limit_s is None or now - worker.begun_at < task.limit_s:
        return None
    return lambda: Failure("time", f"it was not done within its limit of {task.limit_s:.0f} s")


def _said_failure(message: dict[str, Any], log: str) -> Failure:
    """What a worker says of a failure, which may be of any form."""
    reason, details = (storable(str(message.get(key, ""))) for key in ("reason", "details"))
    return Failure("raised", reason[:MOST_OF_A_REASON], details + log, by_user=message.get("by_user") is True)
