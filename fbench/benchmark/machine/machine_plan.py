"""The measured plan of a machine: how many trials at a time serve it best. It changes no result.

A plan is measured on request, kept in the user's cache for one machine, device and version of fbench and torch, and
used by runs that say nothing else. A plan of another machine, as in a home folder that several share, is never used.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import PositiveFloat, PositiveInt, ValidationError

from fbench.benchmark.data.cache import cache_directory
from fbench.core.files import replacing
from fbench.core.hashing import short_hash
from fbench.core.machine import Machine
from fbench.core.schema import FrozenModel

WORTHWHILE: Final = 1.03
"""More trials at a time are chosen only where they bring this much, as each also takes memory."""


class PlannedMachine(FrozenModel):
    """What a plan holds for: a machine, one kind of device on it, and the versions that were measured."""

    processor: str
    usable_cores: PositiveInt
    memory_gib: PositiveFloat
    accelerator: str | None
    system: str
    device_kind: str
    fbench: str
    torch: str

    @property
    def key(self) -> str:
        """16 hexadecimal digits that stand for all of it."""
        return short_hash(self.model_dump(mode="json"))

    def other_than(self, here: PlannedMachine) -> str:
        """The first field in which this is not ``here``, in words; empty where they are equal."""
        for field, mine in self.model_dump().items():
            if mine != getattr(here, field):
                return f"its {field} is {mine}, here it is {getattr(here, field)}"
        return ""


class JobsRate(FrozenModel):
    """What so many trials at a time train together: images a second, and the resident memory of the largest."""

    jobs: PositiveInt
    images_per_s: PositiveFloat
    memory_per_trial_mib: PositiveFloat


class ChunkRate(FrozenModel):
    """How fast training images are augmented, so many at once."""

    images_at_once: PositiveInt
    images_per_s: PositiveFloat


class MachinePlan(FrozenModel):
    """Measured rates with the choices that follow from them.

    ``busy_percent`` is what other processes took of all cores just before; rates of a busy machine mislead. None
    where the system does not tell.
    """

    machine: PlannedMachine
    measured_at: str
    network: str
    batch_size: PositiveInt
    busy_percent: float | None
    jobs_rates: tuple[JobsRate, ...]
    chunk_rates: tuple[ChunkRate, ...]

    @property
    def jobs(self) -> int:
        """Trials at a time."""
        return best_jobs(self.jobs_rates)

    @property
    def images_augmented_at_once(self) -> int:
        """Images that one call augments."""
        return max(self.chunk_rates, key=lambda rate: rate.images_per_s).images_at_once


@dataclass(frozen=True)
class KeptPlan:
    """A plan from the cache, or none and why."""

    plan: MachinePlan | None
    why_not: str = ""


def best_jobs(rates: Sequence[JobsRate]) -> int:
    """The fewest trials at a time that no larger number beats by 3 %."""
    chosen = min(rates, key=lambda rate: rate.jobs)
    for rate in sorted(rates, key=lambda rate: rate.jobs):
        if rate.images_per_s >= WORTHWHILE * chosen.images_per_s:
            chosen = rate
    return chosen.jobs


def planned_machine(machine: Machine, device_kind: str) -> PlannedMachine:
    """What a plan for this kind of device on ``machine`` holds for."""
    return PlannedMachine(
        processor=machine.processor,
        usable_cores=machine.usable_cores,
        memory_gib=machine.memory_gib,
        accelerator=machine.accelerator,
        system=machine.system,
        device_kind=device_kind,
        fbench=machine.versions["fbench"],
        torch=machine.versions["torch"],
    )


def keep_plan(plan: MachinePlan) -> Path:
    """Write a plan into the cache and return its file."""
    file = _plan_file(plan.machine)
    with replacing(file) as stream:
        stream.write((json.dumps(plan.model_dump(mode="json"), indent=1) + "\n").encode())
    return file


def kept_plan(here: PlannedMachine) -> KeptPlan:
    """The plan that was measured on exactly this machine, or none and why.

    A file that cannot be read is passed over; one that another machine wrote is named and not used.
    """
    file = _plan_file(here)
    if file.exists():
        plan = _read(file)
        if plan is None:
            return KeptPlan(None, f"{file} cannot be read")
        difference = plan.machine.other_than(here)
        return KeptPlan(None, f"{file} is of another machine: {difference}") if difference else KeptPlan(plan)
    others = [plan for other in sorted(file.parent.glob("*.json")) if (plan := _read(other)) is not None]
    same_kind = [plan for plan in others if plan.machine.device_kind == here.device_kind]
    if not same_kind:
        return KeptPlan(None, "nothing was measured on this machine yet")
    latest = max(same_kind, key=lambda plan: plan.measured_at)
    return KeptPlan(None, f"the latest plan was measured elsewhere or before: {latest.machine.other_than(here)}")


def _plan_file(machine: PlannedMachine) -> Path:
    return cache_directory() / "plans" / f"{machine.key}.json"


def _read(file: Path) -> MachinePlan | None:
    try:
        return MachinePlan.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None
