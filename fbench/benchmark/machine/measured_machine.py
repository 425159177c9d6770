"""What a measurement that is kept between runs holds for: one machine, a kind of device on it, and versions."""

from __future__ import annotations

from pydantic import PositiveFloat, PositiveInt

from fbench.core.machine import Machine
from fbench.core.schema import FrozenModel


class MeasuredMachine(FrozenModel):
    """A machine, one kind of device on it, and the versions that were measured."""

    processor: str
    usable_cores: PositiveInt
    memory_gib: PositiveFloat
    accelerator: str | None
    system: str
    device_kind: str
    fbench: str
    torch: str


def measured_machine(machine: Machine, device_kind: str) -> MeasuredMachine:
    """What a measurement on this kind of device of ``machine`` holds for."""
    return MeasuredMachine(
        processor=machine.processor,
        usable_cores=machine.usable_cores,
        memory_gib=machine.memory_gib,
        accelerator=machine.accelerator,
        system=machine.system,
        device_kind=device_kind,
        fbench=machine.versions["fbench"],
        torch=machine.versions["torch"],
    )
