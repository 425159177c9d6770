"""Seconds of work on a device: events of a GPU, the monotonic clock of a processor."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from fbench.benchmark.machine.device import synchronize


def seconds_of(work: Callable[[], object], times: int, device: torch.device, warm_up: int = 3) -> float:
    """Seconds of one of so many calls in a row, between which nothing waits, after some that do not count."""
    for _ in range(warm_up):
        work()
    synchronize(device)
    if device.type != "cuda":
        started = time.perf_counter()
        for _ in range(times):
            work()
        return (time.perf_counter() - started) / times
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    for _ in range(times):
        work()
    end.record()
    end.synchronize()
    return float(begin.elapsed_time(end)) / 1000.0 / times
