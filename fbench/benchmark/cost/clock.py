"""How a call is timed: the monotonic clock on a CPU, events on CUDA."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import torch

from fbench.benchmark.cost.calls import Call
from fbench.benchmark.machine.device import synchronize


class Clock(Protocol):
    """Times one call."""

    def time(self, call: Call) -> tuple[float, ...]:
        """Seconds of each part of the call, in the order of ``call.parts``; waits for the device before and after."""


@dataclass(frozen=True)
class WallClock:
    """The monotonic clock of a CPU, or of a device that has no events."""

    device: torch.device
    now: Callable[[], float] = time.perf_counter

    def time(self, call: Call) -> tuple[float, ...]:
        """Seconds of each part; a clock that jumps back gives a negative one, which the caller drops."""
        marks: list[float] = []
        synchronize(self.device)
        started = self.now()
        call.run(lambda: marks.append(self.now()))
        synchronize(self.device)
        return tuple(after - before for before, after in pairwise([started, *marks, self.now()]))


@dataclass(frozen=True)
class EventClock:
    """CUDA events on the stream of the calls: what the device spent, and what it waited for launches."""

    device: torch.device

    def time(self, call: Call) -> tuple[float, ...]:
        """Seconds of each part."""
        torch.cuda.synchronize(self.device)
        marks = [self._mark()]
        call.run(lambda: marks.append(self._mark()))
        marks.append(self._mark())
        marks[-1].synchronize()
        return tuple(before.elapsed_time(after) / 1000.0 for before, after in pairwise(marks))

    def _mark(self) -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self.device))
        return event


def clock_of(device: torch.device) -> Clock:
    """The clock that a device has."""
    return EventClock(device) if device.type == "cuda" else WallClock(device)
