"""A cluster of many machines in simulated time: nothing is trained and nobody waits, the driver is the real one.

Trials take the work that is written down for them, in the order in which a scheduler hands them out: first come, first
served, on any machine with room. Machines have speeds of their own, and join and leave.
"""

from __future__ import annotations

import heapq
import math
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from unittest import mock

import numpy as np
import numpy.typing as npt

from fbench.benchmark.clusters.connection import LostError, Node
from fbench.benchmark.clusters.options import ClusterOptions
from fbench.benchmark.clusters.parcel import Message, Parcel
from fbench.benchmark.clusters.versions import versions_here

NOTICED_S: Final = 1.0
"""How long after its end a machine is known to be gone."""


@dataclass(frozen=True)
class Machine:
    """A machine with room for so many trials, each at ``speed`` times the work of a second; there from one moment on,
    and until another."""

    name: str
    slots: int
    speed: float = 1.0
    joins_s: float = 0.0
    leaves_s: float = math.inf

    @property
    def node(self) -> Node:
        """What the driver is told of it."""
        return Node(self.name, self.name, self.name, float(self.slots), 0.0)


@dataclass(eq=False)
class SimulatedAttempt:
    """A trial that was handed over: what is left of it, and what it has said and nobody heard."""

    spec_id: str
    done: float
    avoided: frozenset[str]
    machine: Machine | None = None
    is_over: bool = False
    says: deque[Message | Exception] = field(default_factory=deque)


class SimulatedCluster:
    """In the place of a connection.

    Args:
        machines: all that there ever are.
        work_s: the seconds that a trial takes at speed 1, by its id.
        answer: how a trial ends.
        checkpoints: how often a trial hands a checkpoint over, at even distances.
        start_s: the seconds from the moment a trial has room to its first step.
    """

    flag = "flag"

    def __init__(
        self,
        machines: Sequence[Machine],
        work_s: Mapping[str, float],
        answer: Callable[[str], Message],
        checkpoints: int = 4,
        start_s: float = 0.06,
    ) -> None:
        self._machines, self._work_s, self._answer = machines, work_s, answer
        self._checkpoints, self._start_s = checkpoints, start_s
        self.now = 0.0
        self._queue: deque[SimulatedAttempt] = deque()
        self._running: dict[str, list[SimulatedAttempt]] = {one.name: [] for one in machines}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self.begun: dict[str, int] = {}
        for one in machines:
            self._at(one.joins_s, self._place)
            if not math.isinf(one.leaves_s):
                self._at(one.leaves_s, lambda one=one: self._leave(one))  # type: ignore[misc] # bound now

    @contextmanager
    def connected(self, options: ClusterOptions, gpus: float) -> Iterator[Any]:
        """As :func:`fbench.benchmark.clusters.connection.connected`; this process has the clock of the cluster."""
        with mock.patch.object(time, "monotonic", side_effect=lambda: self.now):
            yield self

    # --- what the driver asks

    def nodes(self) -> list[Node]:
        return [one.node for one in self._there()]

    def versions(self, nodes: Sequence[Node]) -> Mapping[str, Mapping[str, str]]:
        return {node.node_id: versions_here() for node in nodes}

    def put(self, content: npt.NDArray[np.uint8]) -> object:
        return object()

    def begin(self, parcel: str, data: object, checkpoint: bytes, avoided: Collection[str]) -> SimulatedAttempt:
        spec = Parcel.from_text(parcel).spec
        one = SimulatedAttempt(spec.trial_id, float(checkpoint or b"0"), frozenset(avoided))
        self._queue.append(one)
        self._at(self.now, self._place)
        return one

    def heard(self, attempts: Sequence[SimulatedAttempt], limit_s: float) -> list[SimulatedAttempt]:
        until = self.now + limit_s
        while not (ready := [one for one in attempts if one.says]) and self._events and self._events[0][0] <= until:
            self._happen()
        if not ready:
            self.now = until
        return ready

    def next_message(self, attempt: SimulatedAttempt) -> Message:
        said = attempt.says.popleft()
        if isinstance(said, Exception):
            raise said
        return said

    def give_up(self, attempt: SimulatedAttempt) -> None:
        attempt.is_over = True
        if attempt in self._queue:
            self._queue.remove(attempt)
        self._free(attempt)

    def ask_to_stop(self) -> None:
        raise AssertionError("nobody asks")

    def own_folders(self) -> tuple[str, ...]:
        return ()

    # --- what happens

    def _there(self) -> list[Machine]:
        return [one for one in self._machines if one.joins_s <= self.now < one.leaves_s]

    def _at(self, when: float, what: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (when, self._count, what))

    def _happen(self) -> None:
        when, _, what = heapq.heappop(self._events)
        self.now = max(self.now, when)
        what()

    def _place(self) -> None:
        for attempt in list(self._queue):
            room = [one for one in self._there() if len(self._running[one.name]) < one.slots]
            fit = [one for one in room if one.name not in attempt.avoided]
            if not room:
                return
            if fit:
                machine = min(fit, key=lambda one: len(self._running[one.name]) / one.slots)
                self._queue.remove(attempt)
                self._start(attempt, machine)

    def _start(self, attempt: SimulatedAttempt, machine: Machine) -> None:
        attempt.machine = machine
        self._running[machine.name].append(attempt)
        self.begun[attempt.spec_id] = self.begun.get(attempt.spec_id, 0) + 1
        attempt.says.append(Message({"begins": machine.name, "node": machine.name}))
        work_s = self._work_s[attempt.spec_id]
        first = self.now + self._start_s
        for number in range(1, self._checkpoints + 1):
            share = number / (self._checkpoints + 1)
            if share > attempt.done:
                when = first + (share - attempt.done) * work_s / machine.speed
                self._at(when, lambda share=share: self._checkpoint(attempt, share))  # type: ignore[misc] # bound now
        self._at(first + (1 - attempt.done) * work_s / machine.speed, lambda: self._end(attempt))

    def _checkpoint(self, attempt: SimulatedAttempt, share: float) -> None:
        if not attempt.is_over:
            message = {"checkpoint": attempt.spec_id, "steps": round(1000 * share)}
            attempt.says.append(Message(message, {"checkpoint": repr(share).encode()}))

    def _end(self, attempt: SimulatedAttempt) -> None:
        if attempt.is_over:
            return
        attempt.is_over = True
        attempt.says.append(self._answer(attempt.spec_id))
        self._free(attempt)

    def _leave(self, machine: Machine) -> None:
        for attempt in list(self._running[machine.name]):
            attempt.is_over = True
            self._running[machine.name].remove(attempt)
            lost = LostError(f"the node {machine.name} is no more")
            self._at(self.now + NOTICED_S, lambda attempt=attempt, lost=lost: attempt.says.append(lost))  # type: ignore[misc] # bound now

    def _free(self, attempt: SimulatedAttempt) -> None:
        if attempt.machine is not None and attempt in self._running[attempt.machine.name]:
            self._running[attempt.machine.name].remove(attempt)
            self._at(self.now, self._place)


def best_static_packing_s(machines: Sequence[Machine], work_s: Sequence[float]) -> float:
    """The wall time where everything is known beforehand: longest first, each where it ends first (Graham's rule for
    machines of unequal speed)."""
    ends = [(0.0, number, one.speed) for number, one in enumerate(slot for m in machines for slot in [m] * m.slots)]
    for work in sorted(work_s, reverse=True):
        at = min(range(len(ends)), key=lambda number: ends[number][0] + work / ends[number][2])
        end, number, speed = ends[at]
        ends[at] = (end + work / speed, number, speed)
    return max(end for end, _, _ in ends)


def least_possible_s(machines: Sequence[Machine], work_s: Sequence[float]) -> float:
    """No packing is faster: all that machines can do while they are there, or the longest on the fastest."""
    total = sum(work_s)

    def done_by(moment: float) -> float:
        return sum(one.slots * one.speed * max(0.0, min(moment, one.leaves_s) - one.joins_s) for one in machines)

    low, high = 0.0, 1.0
    while done_by(high) < total:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if done_by(middle) < total else (low, middle)
    return max(high, max(work_s) / max(one.speed for one in machines))
