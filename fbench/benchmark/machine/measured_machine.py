"""What a measurement that is kept between runs holds for: one machine, a kind of device on it, and versions."""

from __future__ import annotations

from pydantic import PositiveFloat, PositiveInt

from fbench.core.machine import Machine
from fbench.core.schema import FrozenModel


class MeasuredMachine(FrozenModel):
    """A machine, one kind of device on it, and the versions that were measured.

    ``usable_cores`` and ``memory_gib`` are none on an accelerator, whose speed does not depend on what a batch system
    or a container leaves of the host.
    """

    processor: str
    usable_cores: PositiveInt | None
    memory_gib: PositiveFloat | None
    accelerator: str | None
    system: str
    device_kind: str
    fbench: str
    torch: str


def measured_machine(machine: Machine, device_kind: str) -> MeasuredMachine:
    """What a measurement on this kind of device of ``machine`` holds for."""
    on_host = device_kind == "cpu"
    return MeasuredMachine(
        processor=machine.processor,
        usable_cores=machine.usable_cores if on_host else None,
        memory_gib=machine.memory_gib if on_host else None,
        accelerator=machine.accelerator,
        system=machine.system,
        device_kind=device_kind,
        fbench=machine.versions["fbench"],
        torch=machine.versions["torch"],
    )
