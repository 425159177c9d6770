"""How many trials at a time a machine carries. It changes no result."""

from __future__ import annotations

import math
from typing import Final

from fbench.core.capacity import available_memory_gib, cores_because, in_brackets, memory_because, usable_cores
from fbench.core.errors import UserError

MEMORY_PER_TRIAL_GIB: Final = 1.6
"""Resident memory of a worker that trains ResNet50 at batch 128 on a CPU, libraries and data included; ARCH-1 takes
0.8."""


def choose_jobs(asked: int | None, device_kind: str) -> int:
    """Trials at a time: as asked; else the cores of a CPU, as far as memory carries, or one on an accelerator.

    The host's memory refuses none on an accelerator: as many begin as it carries, and more as it frees
    (:func:`room_for_another`).

    Raises:
        UserError: fewer than one, or more than the cores, or on a CPU the memory, carry.
    """
    limit, why = jobs_limit_here(device_kind)
    if asked is None:
        return limit if device_kind == "cpu" else 1
    if asked < 1:
        raise UserError(f"--jobs {asked} was given; give at least 1.")
    if asked > limit:
        raise UserError(f"--jobs {asked} was given and this machine {why}; give at most {limit}.")
    return asked


def jobs_limit_here(device_kind: str) -> tuple[int, str]:
    """The most trials at a time on this machine now, and what sets the limit."""
    memory_gib = available_memory_gib() if device_kind == "cpu" else math.inf
    return jobs_limit(usable_cores(), memory_gib, cores_because(), memory_because())


def room_for_another(beginning: int) -> bool:
    """Whether the host's memory carries another trial beside those that run, of which so many have only just begun and
    have yet to take theirs."""
    return available_memory_gib() >= (beginning + 1) * MEMORY_PER_TRIAL_GIB


def jobs_limit(cores: int, memory_gib: float, cores_because: str = "", memory_because: str = "") -> tuple[int, str]:
    """The most trials at a time for so many usable cores and so much free memory, and what sets the limit.

    ``cores_because`` and ``memory_because`` name what leaves no more of the machine, where something does.
    """
    by_memory = max(1, int(min(memory_gib / MEMORY_PER_TRIAL_GIB, cores)))
    if by_memory < cores:
        free = f"{memory_gib:.1f} GiB of free memory{in_brackets(memory_because)}"
        return by_memory, f"has {free}, {MEMORY_PER_TRIAL_GIB} for each trial"
    return cores, f"has {cores} usable core{'' if cores == 1 else 's'}{in_brackets(cores_because)}"
