"""How many trainings at a time are fastest on a device: measured for ten seconds where their number changes no bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import torch

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.machine.device import numerics_in_force, synchronize
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.training.together import Lane
from fbench.benchmark.training.trial import TrialContext
from fbench.core.working_clock import working_s

NUMBERS: Final = (1, 2, 4, 8)
SECONDS: Final = 10.0
NEAR: Final = 0.05
"""As a share of the fastest: fewer trainings that are so near leave memory to others, and end sooner each."""

_ROUNDS: Final = 20
"""Between two looks at the clock, before each of which the host waits for the device."""


def fastest_number(steps_per_s: Mapping[int, float]) -> int:
    """The fewest trainings at a time that take nearly as many steps a second, all together, as the most."""
    most = max(steps_per_s.values())
    return min(number for number, speed in steps_per_s.items() if speed >= (1 - NEAR) * most)


def measure_together(
    spec: TrialSpec,
    dataset: ImageDataset,
    device: torch.device,
    numbers: Sequence[int] = NUMBERS,
    seconds: float = SECONDS,
) -> dict[int, float]:
    """Steps a second of so many trainings of one network together, by their number; those that the device has no memory
    for are left out.

    Raises:
        Exception: of any type, where the network does not train.
    """
    found: dict[int, float] = {}
    endless = Budget(image_passes=10**9, evaluation_points=1, batch_size=spec.budget.batch_size)
    with numerics_in_force(spec.numerics, device):
        for number in numbers:
            specs = [spec.model_copy(update={"seed": spec.seed + one, "budget": endless}) for one in range(number)]
            try:
                found[number] = _steps_per_s(specs, dataset, device, seconds / len(numbers))
            except torch.OutOfMemoryError:
                if not found:
                    raise
                break
    return found


def _steps_per_s(specs: Sequence[TrialSpec], dataset: ImageDataset, device: torch.device, seconds: float) -> float:
    lanes = [Lane.of(spec, dataset, TrialContext(device)) for spec in specs]
    for lane in lanes:  # builds, warms up and records
        lane.step()
    synchronize(device)
    rounds, started = 0, working_s()
    passed = 0.0
    while passed < seconds:
        for _ in range(_ROUNDS):
            for lane in lanes:
                if lane.step() is not None:
                    raise RuntimeError("a training ended, or diverged, while its steps were timed")
        synchronize(device)
        rounds, passed = rounds + _ROUNDS, working_s() - started
    return rounds * len(lanes) / passed
