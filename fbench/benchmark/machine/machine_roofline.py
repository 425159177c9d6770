"""What a machine can do at most: measured arithmetic and memory bandwidth, kept once for each machine.

Roofline: Williams, Waterman and Patterson 2009, Communications of the ACM 52(4), 65-76.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Final

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt, ValidationError

from fbench.benchmark.data.cache import cache_directory
from fbench.benchmark.machine.measured_machine import MeasuredMachine, measured_machine
from fbench.benchmark.records.numerics import Numerics, Precision
from fbench.core.files import replacing
from fbench.core.hashing import short_hash
from fbench.core.machine import BUSY_PERCENT, describe_machine
from fbench.core.schema import FrozenModel

_log = logging.getLogger(__name__)
FOLDER: Final = "rooflines"


class MachineOfRoofline(FrozenModel):
    """What a roofline holds for: a machine with its versions, the threads of a call, and the arithmetic."""

    machine: MeasuredMachine
    threads: PositiveInt | None
    """None on an accelerator, whose arithmetic does not depend on it."""
    precision: Precision

    @property
    def key(self) -> str:
        """16 hexadecimal digits that stand for all of it."""
        return short_hash(self.model_dump(mode="json"))


class ComputeRate(FrozenModel):
    """Floating-point operations a second, two for each multiply-accumulate, of one dense kernel."""

    kernel: str
    flops_per_s: PositiveFloat


class BandwidthRate(FrozenModel):
    """Bytes a second that a kernel without arithmetic to speak of moves, over so many bytes again and again."""

    working_set_bytes: PositiveInt
    kernel: str
    bytes_per_s: PositiveFloat


class MachineRoofline(FrozenModel):
    """Measured ceilings of a machine; ``busy_percent`` is what other processes took of all cores just before."""

    where: MachineOfRoofline
    measured_at: str
    busy_percent: NonNegativeFloat | None
    compute: tuple[ComputeRate, ...]
    bandwidth: tuple[BandwidthRate, ...]

    @property
    def is_of_busy_machine(self) -> bool:
        """Whether other work took more than ``BUSY_PERCENT``."""
        return (self.busy_percent or 0.0) > BUSY_PERCENT

    @property
    def peak_flops_per_s(self) -> float:
        """The fastest kernel's."""
        return max(rate.flops_per_s for rate in self.compute)

    def bytes_per_s(self, working_set_bytes: float) -> float:
        """The bandwidth over a working set: the best of all that were measured over as many bytes or more.

        A smaller set is never slower than a larger one but for the overhead of its calls; beyond the largest measured
        set that one's holds.
        """
        largest = max(rate.working_set_bytes for rate in self.bandwidth)
        needed = min(working_set_bytes, largest)
        return max(rate.bytes_per_s for rate in self.bandwidth if rate.working_set_bytes >= needed)

    @property
    def memory_bytes_per_s(self) -> float:
        """The bandwidth over the largest set, which no cache holds."""
        return self.bytes_per_s(float("inf"))


def machine_of_roofline(numerics: Numerics, accelerator: int = 0) -> MachineOfRoofline:
    """What a roofline for this arithmetic on this machine, or on its accelerator of this number, holds for."""
    return MachineOfRoofline(
        machine=measured_machine(describe_machine(accelerator), numerics.device_kind),
        threads=numerics.threads_per_trial,
        precision=numerics.precision,
    )


def keep_roofline(roofline: MachineRoofline) -> Path:
    """Write a roofline into the cache and return its file; a cache that cannot be written is reported and costs only
    time, as the roofline is measured again."""
    file = _file(roofline.where)
    try:
        with replacing(file) as stream:
            stream.write((json.dumps(roofline.model_dump(mode="json"), indent=1) + "\n").encode())
    except OSError as error:
        _log.warning("the roofline could not be kept in %s and will be measured again: %s", cache_directory(), error)
    return file


def kept_roofline(where: MachineOfRoofline) -> MachineRoofline | None:
    """The roofline that was measured on exactly this machine; none where there is none, or its file cannot be read."""
    try:
        roofline = MachineRoofline.model_validate_json(_file(where).read_bytes())
    except (OSError, ValidationError):
        return None
    return roofline if roofline.where == where else None


def _file(where: MachineOfRoofline) -> Path:
    return cache_directory() / FOLDER / f"{where.key}.json"
