"""The monotonic clock without the time for which this process was stopped, as by Ctrl-Z or by a batch system.

A stopped process cannot note that it was. Its watcher does, in memory that the two share: one number says how long the
process has been at rest, or, while it is stopped, where its clock stands. So the clock never runs back, whichever of
the two goes on first. The watcher also says once in a while that it is awake: where it was not, nobody was.
"""

from __future__ import annotations

import mmap
import time
from typing import Final

LONGEST_ASLEEP_S: Final = 10.0
"""A watcher that says nothing for longer was stopped itself, and what it watches over with it; it speaks each second,
and a machine with eight times as much work as cores let it wait for less than one."""


class WorkingClock:
    """Working seconds of one process, for which :class:`time.perf_counter` is the clock; processes that are forked from
    the one that made it read and write the same clock."""

    def __init__(self) -> None:
        self._shared = memoryview(mmap.mmap(-1, 16)).cast("d")  # a number is written whole
        self._rest_or_halted_at, self._awake_at = 0, 1

    def now_s(self) -> float:
        """The clock, in seconds; differences alone mean something."""
        rest_s = self._shared[self._rest_or_halted_at]
        return -rest_s if rest_s < 0 else self._awake_until() - rest_s

    def rest_s(self) -> float:
        """For how long the process has been at rest, in seconds."""
        rest_s, now = self._shared[self._rest_or_halted_at], time.perf_counter()
        return now + rest_s if rest_s < 0 else now - self._awake_until(now) + rest_s

    def halt(self) -> None:
        """Let the clock stand, as its process is stopped."""
        self._halt_at(time.perf_counter())

    def go_on(self) -> None:
        """Let it go on, as its process does."""
        if (halted_at := -self._shared[self._rest_or_halted_at]) > 0:
            now = time.perf_counter()
            if self._shared[self._awake_at]:
                self._shared[self._awake_at] = now
            self._shared[self._rest_or_halted_at] = now - halted_at

    def watch(self) -> None:
        """Say that the watcher is awake; if it was not for long, all was at rest. Nothing changes while the clock
        stands."""
        if self._shared[self._rest_or_halted_at] < 0:
            return
        awake_at, now = self._shared[self._awake_at], time.perf_counter()
        if awake_at and now - awake_at > LONGEST_ASLEEP_S:
            self._halt_at(awake_at)
            self.go_on()
        self._shared[self._awake_at] = now

    def _awake_until(self, now: float | None = None) -> float:
        """Until when somebody was awake: now, unless the watcher has been stopped and knows nothing of it yet."""
        awake_at, now = self._shared[self._awake_at], time.perf_counter() if now is None else now
        return awake_at if awake_at and now - awake_at > LONGEST_ASLEEP_S else now

    def _halt_at(self, moment: float) -> None:
        rest_s = self._shared[self._rest_or_halted_at]
        if rest_s >= 0:
            self._shared[self._rest_or_halted_at] = rest_s - moment


WORKING_CLOCK: Final = WorkingClock()
"""That of this process; a worker shares it with its keeper, which watches over it."""


def working_s() -> float:
    """The working clock of this process, in seconds, for which differences alone mean something."""
    return WORKING_CLOCK.now_s()


def rest_s() -> float:
    """For how long this process has been at rest, in seconds."""
    return WORKING_CLOCK.rest_s()
