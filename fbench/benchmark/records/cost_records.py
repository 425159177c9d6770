"""What was found: the record of a measurement of cost, with every raw sample. Units are in the field names."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Final, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import AliasChoices, Field, field_validator, model_validator

from fbench.benchmark.machine.machine_roofline import MachineRoofline
from fbench.benchmark.records.cost_specs import Backend, CostMode, CostSpec, Setting
from fbench.benchmark.records.trial_records import StaticCost
from fbench.core.arguments import typed_methods
from fbench.core.machine import BUSY_PERCENT, Machine
from fbench.core.schema import FrozenModel

COST_SCHEMA_VERSION: Final = 2

REFERENCE: Final = "reference load"
"""The name under which the fixed load is timed beside the networks, so that two records can be held against it."""

RESIDENT_GROWTH: Final = "growth of the resident set in a fresh process that returns freed memory at once"
ALLOCATOR_PEAK: Final = "CUDA allocator peak above what was allocated before"
"""How peak memory is read."""


class TimingSeries(FrozenModel):
    """Every timed call of one network in one setting, in time order; the columns have one entry a call.

    ``instance`` 1 is the second building of the network that is measured twice. ``blocks`` are numbered from 0; within
    a block every network is visited once a turn, ``orders`` says as which. ``parts_s`` splits a training step into
    data, forward, backward and optimizer. ``warm`` is whether the warm-up ended because times had settled.
    ``dropped_calls`` were thrown away because the clock had not gone forward.
    """

    network: str
    instance: int = 0
    setting: Setting
    batch_size: int
    threads: int
    blocks: tuple[int, ...]
    turns: tuple[int, ...]
    orders: tuple[int, ...]
    times_s: tuple[Annotated[float, Field(ge=1e-9, le=1e9)], ...]  # no clock has a nanosecond's half
    parts_s: dict[str, tuple[Annotated[float, Field(ge=0.0, le=1e9)], ...]] = Field(default_factory=dict)
    warmup_calls: int
    warm: bool
    dropped_calls: int = 0

    @model_validator(mode="after")
    def _columns_agree(self) -> Self:
        columns = [self.blocks, self.turns, self.orders, self.times_s, *self.parts_s.values()]
        if len({len(column) for column in columns}) != 1:
            raise ValueError(f"the columns of {self.network}, {self.setting.label} differ in length")
        return self

    def seconds(self) -> npt.NDArray[np.float64]:
        """The times, shape (calls,)."""
        return np.array(self.times_s, dtype=np.float64)


class MemoryReading(FrozenModel):
    """Peak memory of one network in one mode; ``method`` says how it was read, and none means it was not.

    ``activation_memory_mib`` is what a forward pass in training keeps for the backward pass: the distinct tensors that
    autograd saved, without weights and input.
    """

    network: str
    mode: CostMode
    batch_size: int
    peak_memory_mib: float | None
    method: str
    activation_memory_mib: float | None = None


class EnergyReading(FrozenModel):
    """Energy of one network in one setting, the idle machine's share included; none where it cannot be read, and why.

    ``readings_j_per_image`` has one value for each stretch of calls between two looks at the counter.
    """

    network: str
    setting: Setting
    joules_per_image: float | None
    readings_j_per_image: tuple[float, ...] = ()
    method: str


class RooflineReading(FrozenModel):
    """The least time of a call of one network under the record's roofline: its layers one after another, in evaluation.

    ``flops`` are two for each multiply-accumulate and one for each elementwise operation; ``bytes_moved`` is a lower
    bound; ``bound`` is what most of the time goes into.
    """

    network: str
    batch_size: int
    flops: int
    bytes_moved: int
    floor_s: float
    bound: Literal["compute", "memory"]

    @property
    def intensity(self) -> float:
        """FLOPs a byte."""
        return self.flops / self.bytes_moved


class BatchRate(FrozenModel):
    """Images per second at one batch size."""

    batch_size: int
    images_per_s: float


class BatchSearch(FrozenModel):
    """How a network's best batch size was found: what was tried, what was chosen, and why it went no further."""

    network: str
    mode: CostMode
    backend: Backend
    tried: tuple[BatchRate, ...]
    chosen: int
    stopped_because: str


class SettingFailure(FrozenModel):
    """A network that could not be timed in one setting; its other settings and the other networks were."""

    network: str
    setting: Setting
    reason: str


class Conditions(FrozenModel):
    """The state of the machine at one moment, none where it cannot be read; clocks are never set."""

    at: str
    busy_percent: float | None
    load_average_1min: float | None
    processor_mhz: float | None
    accelerator_mhz: float | None = None
    accelerator_temperature_c: float | None = None


@typed_methods
class CostRecord(FrozenModel):
    """Cost of all networks of a run on one machine: what is counted, every raw timing sample, memory, energy.

    ``other_work_percent`` is what other processes took of all cores during the measurement; none in older records.
    """

    schema_version: int = COST_SCHEMA_VERSION
    cost_id: str
    spec: CostSpec
    machine: Machine
    started_at: str
    finished_at: str
    before: Conditions | None
    after: Conditions | None
    other_work_percent: float | None = None
    static: dict[str, StaticCost]
    series: tuple[TimingSeries, ...]
    searches: tuple[BatchSearch, ...] = ()
    memory: tuple[MemoryReading, ...]
    energy: tuple[EnergyReading, ...] = ()
    roofline: MachineRoofline | None = Field(default=None, validation_alias=AliasChoices("roofline", "roof"))
    floors: tuple[RooflineReading, ...] = ()
    failures: dict[str, str] = Field(default_factory=dict)
    setting_failures: tuple[SettingFailure, ...] = ()
    interrupted: bool = False
    """Whether somebody ended the timing before its last block; energy was not read then."""

    @field_validator("spec")
    @classmethod
    def _recorded(cls, spec: CostSpec) -> CostSpec:
        return spec.model_copy(update={"networks": tuple(network.recorded() for network in spec.networks)})

    @property
    def busy_percent(self) -> float | None:
        """What other work took of all cores: during the measurement, or in older records the more of the two looks just
        before and after it. None where nothing is known."""
        if self.other_work_percent is not None:
            return self.other_work_percent
        looks = [look.busy_percent for look in (self.before, self.after) if look and look.busy_percent is not None]
        return max(looks, default=None)

    @property
    def is_of_busy_machine(self) -> bool:
        """Whether other work took more than ``BUSY_PERCENT``."""
        return (self.busy_percent or 0.0) > BUSY_PERCENT

    def floor_of(self, network: str, batch_size: int) -> RooflineReading | None:
        """The floor of a network for a batch, or none."""
        found = [one for one in self.floors if (one.network, one.batch_size) == (network, batch_size)]
        return found[0] if found else None

    def find(self, network: str, setting: Setting, instance: int = 0) -> TimingSeries | None:
        """The samples of a network in a setting, or none."""
        found = [
            one for one in self._of_networks.get(network, ()) if (one.setting, one.instance) == (setting, instance)
        ]
        return found[0] if found else None

    @cached_property
    def _of_networks(self) -> dict[str, list[TimingSeries]]:
        found: dict[str, list[TimingSeries]] = {}
        for one in self.series:
            found.setdefault(one.network, []).append(one)
        return found
