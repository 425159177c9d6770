"""How many trials at a time a machine carries. It changes no result."""

from __future__ import annotations

from typing import Final

from fbench.core.capacity import available_memory_gib, cores_because, in_brackets, memory_because, usable_cores
from fbench.core.errors import UserError

MEMORY_PER_TRIAL_GIB: Final = 1.6
"""Resident memory of a worker that trains ResNet50 at batch 128 on a CPU, libraries and data included; ARCH-1 takes
0.8."""


def choose_jobs(asked: int | None, device_kind: str) -> int:
    """Trials at a time: as asked; else the cores of a CPU, as far as memory carries, or one on an accelerator.

    Raises:
        UserError: fewer than one, or more than the cores or the memory carry.
    """
    limit, why = jobs_limit_here()
    if asked is None:
        return limit if device_kind == "cpu" else 1
    if asked < 1:
        raise UserError(f"--jobs {asked} was given; give at least 1.")
    if asked > limit:
        raise UserError(f"--jobs {asked} was given and this machine {why}; give at most {limit}.")
    return asked


def jobs_limit_here() -> tuple[int, str]:
    """The most trials at a time on this machine now, and what sets the limit."""
    return jobs_limit(usable_cores(), available_memory_gib(), cores_because(), memory_because())


def jobs_limit(cores: int, memory_gib: float, cores_because: str = "", memory_because: str = "") -> tuple[int, str]:
    """The most trials at a time for so many usable cores and so much free memory, and what sets the limit.

    ``cores_because`` and ``memory_because`` name what leaves no more of the machine, where something does.
    """
    by_memory = max(1, int(memory_gib / MEMORY_PER_TRIAL_GIB))
    if by_memory < cores:
        free = f"{memory_gib:.1f} GiB of free memory{in_brackets(memory_because)}"
        return by_memory, f"has {free}, {MEMORY_PER_TRIAL_GIB} for each trial"
    return cores, f"has {cores} usable core{'' if cores == 1 else 's'}{in_brackets(cores_because)}"
