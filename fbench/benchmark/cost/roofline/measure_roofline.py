"""Measure the ceilings of a machine: dense products and convolutions, and kernels that only move bytes."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

import torch
from torch.nn import functional

from fbench.benchmark.cost.calls import Call
from fbench.benchmark.cost.clock import Clock, clock_of
from fbench.benchmark.machine.device import memory_format, numerics_in_force
from fbench.benchmark.machine.machine_roofline import (
    BandwidthRate,
    ComputeRate,
    MachineRoofline,
    keep_roofline,
    kept_roofline,
    machine_of_roofline,
)
from fbench.benchmark.records.numerics import Numerics
from fbench.core.machine import busy_percent

ROUNDS: Final = 5
VISIT_S: Final = 0.01
"""A visit repeats its kernel for about so long, so that clock and launches do not count."""
SIDES: Final = {"cpu": (256, 512, 1024), "cuda": (1024, 4096, 8192), "mps": (512, 1024, 2048)}
"""Sides of the square matrices."""
WORKING_SETS: Final = tuple(2**power for power in range(15, 29))
"""From 32 KiB to 256 MiB."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kernel:
    """A call, with the operations or bytes that it stands for."""

    name: str
    amount: float
    run: Callable[[], object]
    working_set_bytes: int = 0


def roofline_of_this_machine(numerics: Numerics, device: torch.device) -> MachineRoofline:
    """The kept roofline, or one that is measured now (some seconds) and kept."""
    where = machine_of_roofline(numerics, device.index or 0)
    roofline = kept_roofline(where)
    if roofline is None:
        roofline = measure_roofline(numerics, device)
        try:
            keep_roofline(roofline)
        except OSError as error:
            _log.warning("the ceilings of this machine could not be kept and will be measured anew: %s", error)
    return roofline


def measure_roofline(
    numerics: Numerics, device: torch.device, working_sets: tuple[int, ...] = WORKING_SETS, rounds: int = ROUNDS
) -> MachineRoofline:
    """Measure every kernel in ``rounds`` rounds of random order; the fastest visit counts, as a roofline is a
    ceiling."""
    busy = busy_percent(0.3)
    clock = clock_of(device)
    with numerics_in_force(numerics, device), torch.inference_mode():
        dense = _fastest(dense_kernels(numerics, device), clock, rounds)
        moving: dict[Kernel, float] = {}
        for size in working_sets:  # one size at a time, as all of them at once would not fit
            moving |= _fastest(moving_kernels(size, device), clock, rounds)
    return MachineRoofline(
        where=machine_of_roofline(numerics, device.index or 0),
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        busy_percent=busy,
        compute=tuple(ComputeRate(kernel=one.name, flops_per_s=one.amount / taken) for one, taken in dense.items()),
        bandwidth=tuple(
            BandwidthRate(working_set_bytes=one.working_set_bytes, kernel=one.name, bytes_per_s=one.amount / taken)
            for one, taken in moving.items()
        ),
    )


def dense_kernels(numerics: Numerics, device: torch.device) -> list[Kernel]:
    """Matrix products, and a 3x3 convolution in the layout of the numerics, in their arithmetic.

    Their values are drawn: a device that multiplies ones takes less power, and keeps a clock that no network sees.
    """
    draw = partial(torch.randn, device=device)
    kind = torch.bfloat16 if numerics.precision == "bf16" else torch.float32
    kernels = []
    for side in SIDES[device.type]:
        left, right = (draw(side, side, dtype=kind) for _ in range(2))
        kernels.append(Kernel(f"matrix product {side}", 2 * side**3, partial(torch.mm, left, right)))
    layout = memory_format(numerics)
    images = draw(8, 64, 56, 56, dtype=kind).contiguous(memory_format=layout)
    weights = draw(64, 64, 3, 3, dtype=kind).contiguous(memory_format=layout)
    flops = 2 * images.numel() * 64 * 9
    convolve = partial(functional.conv2d, images, weights, padding=1)
    return [*kernels, Kernel("convolution 3x3, 64 channels", flops, convolve)]


def moving_kernels(working_set_bytes: int, device: torch.device) -> list[Kernel]:
    """A copy, a sum of two and a product with reduction, each over so many bytes in all."""
    several = [torch.randn(working_set_bytes // (4 * parts), device=device) for parts in (2, 2, 3, 3, 3)]
    one, other, left, right, result = several
    amount = float(working_set_bytes)
    return [
        Kernel("copy", amount, partial(other.copy_, one), working_set_bytes),
        Kernel("dot", amount, partial(torch.dot, one, other), working_set_bytes),
        Kernel("add", amount, partial(torch.add, left, right, out=result), working_set_bytes),
    ]


def _fastest(kernels: list[Kernel], clock: Clock, rounds: int) -> Mapping[Kernel, float]:
    """Seconds of one call of each kernel, in its fastest visit."""
    repeats = {kernel: _repeats(kernel, clock) for kernel in kernels}
    found = dict.fromkeys(kernels, float("inf"))
    order = random.Random(0)
    for _ in range(rounds):
        for kernel in order.sample(kernels, len(kernels)):
            found[kernel] = min(found[kernel], _visit_s(kernel, repeats[kernel], clock))
    return found


def _repeats(kernel: Kernel, clock: Clock) -> int:
    _visit_s(kernel, 2, clock)  # allocates, and chooses an algorithm
    return max(1, round(VISIT_S / max(_visit_s(kernel, 2, clock), 1e-9)))


def _visit_s(kernel: Kernel, repeats: int, clock: Clock) -> float:
    def run(mark: Callable[[], None]) -> None:
        for _ in range(repeats):
            kernel.run()

    nothing = partial(int, 0)
    (taken,) = clock.time(Call(nothing, run, lambda: None))
    return taken / repeats if taken > 0 else float("inf")
