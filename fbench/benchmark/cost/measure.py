"""Cost of all networks of a run on one machine: interleaved in blocks, exclusive, every raw sample kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Final

import torch
from torch import nn

from fbench.architectures.registry import build
from fbench.architectures.tracing.graph import NetworkTrace
from fbench.architectures.tracing.trace import trace
from fbench.benchmark.cost.backends import make_call
from fbench.benchmark.cost.batch_search import search_batch_size
from fbench.benchmark.cost.calls import Call, every_program_compiled
from fbench.benchmark.cost.clock import Clock, clock_of
from fbench.benchmark.cost.conditions import OtherWork, read_conditions
from fbench.benchmark.cost.counters import read_counters
from fbench.benchmark.cost.deadline import Deadline
from fbench.benchmark.cost.energy import energy_counter, read_energy
from fbench.benchmark.cost.interleave import Schedule, TimedCall, WarmUp, time_interleaved, warm_up
from fbench.benchmark.cost.memory import preload_fresh_processes, read_peak_memory
from fbench.benchmark.cost.memory_need import needed_gib, together, why_too_large
from fbench.benchmark.cost.reference_load import BATCH_SIZE, reference_call
from fbench.benchmark.cost.roofline.floors import network_floor
from fbench.benchmark.machine.allocator import freed_memory_kept
from fbench.benchmark.machine.device import numerics_in_force
from fbench.benchmark.machine.lost_device import refuse_lost
from fbench.benchmark.machine.machine_roofline import MachineRoofline
from fbench.benchmark.records.cost_records import (
    REFERENCE,
    BatchSearch,
    CostRecord,
    EnergyReading,
    MemoryReading,
    RooflineReading,
    SettingFailure,
)
from fbench.benchmark.records.cost_specs import CostMode, CostPlan, CostSpec, Setting
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.records.trial_records import StaticCost
from fbench.benchmark.training.networks import uncounted
from fbench.core.capacity import usable_cores
from fbench.core.errors import reason_of
from fbench.core.machine import describe_machine

SECONDS_PER_CALL: Final = 0.5

Progress = Callable[[str], None]


@dataclass
class _Counted:
    """What follows from the networks alone, and why a network has none of it."""

    static: dict[str, StaticCost] = field(default_factory=dict)
    traces: dict[str, NetworkTrace] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


@dataclass
class _Ready:
    """Warm calls, the batches that were chosen for them, and what cannot be timed."""

    calls: list[tuple[TimedCall, WarmUp]] = field(default_factory=list)
    searches: list[BatchSearch] = field(default_factory=list)
    failures: list[SettingFailure] = field(default_factory=list)


def measure_cost(
    spec: CostSpec,
    device: torch.device,
    test_time_passes: int = 1,
    progress: Progress = lambda what: None,
    roofline: MachineRoofline | None = None,
    left_out: Mapping[str, str] = MappingProxyType({}),
    visiting: Progress = lambda network: None,
    preparation_s: float | None = None,
) -> CostRecord:
    """Measure every network of ``spec``; what fails is recorded with its reason and left out of the rest.

    ``progress`` is called with a short text as each part begins, and ``visiting``, between timed calls, with the
    network that is called next. With ``roofline``, which is the machine's, each network's floor under it is told.
    Networks that are ``left_out`` are recorded as failed with the given reason. Nothing else of the run may work
    meanwhile. Ctrl-C while calls are timed ends the timing, and the record says that it was interrupted. Where
    ``preparation_s`` are over that building, compiling and warming up may take, what is not ready is left out.

    Raises:
        LostDeviceError: the device cannot be used any more in this process.
    """
    started_at, before, other_work = _now(), read_conditions(device), OtherWork()
    counted = _count(spec, test_time_passes, progress, left_out)
    networks = [network for network in spec.networks if network.name not in counted.failures]
    memory = _read_memory(networks, counted.traces, spec, device, progress)
    with freed_memory_kept(), numerics_in_force(spec.numerics, device), every_program_compiled():
        clock = clock_of(device)
        ready = _prepare(networks, counted.traces, spec, device, clock, progress, Deadline(preparation_s))
        seconds = spec.plan.seconds or SECONDS_PER_CALL * len(networks) * len(spec.plan.settings)
        schedule = Schedule(spec.plan.blocks, seconds, spec.seed)
        lost = partial(refuse_lost, device)
        timed = time_interleaved(ready.calls, clock, schedule, torch.get_num_threads(), progress, visiting, lost)
        energy = [] if timed.interrupted else _read_energy(ready, spec, device, progress)
    return CostRecord(
        cost_id=spec.cost_id,
        spec=spec,
        machine=describe_machine(device.index or 0),
        started_at=started_at,
        finished_at=_now(),
        before=before,
        other_work_percent=other_work.percent(),
        after=read_conditions(device),
        static=counted.static,
        series=timed.series,
        searches=tuple(ready.searches),
        memory=tuple(memory),
        energy=tuple(energy),
        roofline=roofline,
        floors=() if roofline is None else tuple(_floors(ready, counted.traces, roofline)),
        failures=counted.failures,
        setting_failures=(*ready.failures, *timed.failures),
        interrupted=timed.interrupted,
    )


def count_static(module: nn.Module, network: NetworkSpec, test_time_passes: int, counted: NetworkTrace) -> StaticCost:
    """Parameters, MACs and elementwise operations by our counter, with the other counters beside it."""
    return StaticCost(
        trainable_params=counted.trainable_params,
        frozen_params=counted.frozen_params,
        bn_running_stats=counted.bn_running_stats,
        total_params_keras=counted.total_params_keras,
        macs=counted.macs,
        macs_by_kind={str(kind): macs for kind, macs in counted.per_image.macs.items()},
        macs_per_call=counted.per_call.total_macs,
        not_counted=uncounted(counted),
        elementwise_ops=counted.elementwise_ops,
        elementwise_ops_by_kind=dict(counted.elementwise_ops_by_kind),
        counters=read_counters(module, network.input_shape, counted),
        test_time_passes=test_time_passes,
    )


def _count(spec: CostSpec, test_time_passes: int, progress: Progress, left_out: Mapping[str, str]) -> _Counted:
    counted = _Counted(failures=dict(left_out))
    for network in [network for network in spec.networks if network.name not in left_out]:
        progress(f"counting {network.name}")
        try:
            torch.manual_seed(spec.seed)
            module = build(network.resolved)
            traced = trace(module, network.input_shape)
            counted.static[network.name] = count_static(module, network, test_time_passes, traced)
            counted.traces[network.name] = traced
        except (Exception, SystemExit) as error:  # recorded; the other networks are still measured
            counted.failures[network.name] = reason_of(error)
    return counted


def _read_memory(
    networks: Sequence[NetworkSpec],
    traces: dict[str, NetworkTrace],
    spec: CostSpec,
    device: torch.device,
    progress: Progress,
) -> list[MemoryReading]:
    """Of an inference with the plan's smallest batch, and of a training step with its largest.

    Two readings at a time where two of the largest fit, each of a process of its own: what others take is no part of
    it. On an accelerator one at a time, and in this thread, as its allocator is one.

    Raises:
        LostDeviceError: the device cannot be used any more in this process.
    """

    def read(network: NetworkSpec, mode: CostMode, size: int) -> MemoryReading:
        if reason := why_too_large(traces[network.name], mode, size, device):
            return MemoryReading(network=network.name, mode=mode, batch_size=size, peak_memory_mib=None, method=reason)
        return read_peak_memory(network, mode, size, spec.numerics, device)

    wanted = [(network, mode, size) for network in networks for mode, size in memory_batches(spec.plan)]
    readings = []
    if device.type != "cpu":
        for network, mode, size in wanted:
            progress(f"peak memory of {network.name}")
            readings.append(read(network, mode, size))
        return readings
    if not all(network.is_of_session for network in networks):
        preload_fresh_processes()
    largest_gib = max((needed_gib(traces[network.name], mode, size) for network, mode, size in wanted), default=0.0)
    at_once = together(largest_gib, device, min(2, usable_cores()))
    with ThreadPoolExecutor(at_once) as pool:
        begun = [pool.submit(read, *one) for one in wanted]
        try:
            for (network, _, _), reading in zip(wanted, begun, strict=True):
                progress(f"peak memory of {network.name}")
                readings.append(reading.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return readings


def memory_batches(plan: CostPlan) -> list[tuple[CostMode, int]]:
    """Modes and batches whose peak memory is read."""
    sizes: dict[CostMode, list[int]] = {}
    for setting in plan.settings:
        if setting.batch_size is not None:
            sizes.setdefault(setting.mode, []).append(setting.batch_size)
    return [(mode, min(found) if mode == "inference" else max(found)) for mode, found in sizes.items()]


def _prepare(
    networks: Sequence[NetworkSpec],
    traces: dict[str, NetworkTrace],
    spec: CostSpec,
    device: torch.device,
    clock: Clock,
    progress: Progress,
    deadline: Deadline,
) -> _Ready:
    """Build and warm up every network in every setting, one of them twice, and the reference load.

    Raises:
        LostDeviceError: the device cannot be used any more in this process.
    """
    ready = _Ready()
    for setting in spec.plan.settings if networks else ():
        for network in networks:
            progress(f"warming up {network.name}, {setting.label}")
            try:
                deadline.require()
                size = _batch_size(network, traces[network.name], setting, spec, device, clock, ready, deadline)
                for instance in (0, 1) if network.name == spec.measured_twice else (0,):
                    call = _make(network, setting, spec, device, size)
                    timed = TimedCall(network.name, setting, size, call, instance)
                    ready.calls.append((timed, warm_up(call, clock)))
            except (Exception, SystemExit) as error:  # out of memory, no such backend: recorded and survived
                refuse_lost(device, error)
                ready.failures.append(SettingFailure(network=network.name, setting=setting, reason=reason_of(error)))
        reference = reference_call(spec.numerics, device)
        ready.calls.append((TimedCall(REFERENCE, setting, BATCH_SIZE, reference), warm_up(reference, clock)))
    return ready


def _batch_size(
    network: NetworkSpec,
    traced: NetworkTrace,
    setting: Setting,
    spec: CostSpec,
    device: torch.device,
    clock: Clock,
    ready: _Ready,
    deadline: Deadline,
) -> int:
    """The setting's batch, or the one that is searched for.

    Raises:
        MemoryError: the batch cannot fit into free memory.
    """
    too_large = partial(why_too_large, traced, setting.mode, device=device)
    if setting.batch_size is not None:
        if reason := too_large(setting.batch_size):
            raise MemoryError(reason)
        return setting.batch_size
    make = partial(_make, network, setting, spec, device)
    largest = spec.plan.largest_batch_size
    search = search_batch_size(
        network.name, setting, make, clock, largest, lambda size: deadline.why_over or too_large(size)
    )
    ready.searches.append(search)
    return search.chosen


def _make(network: NetworkSpec, setting: Setting, spec: CostSpec, device: torch.device, batch_size: int) -> Call:
    return make_call(network, setting.mode, setting.backend, batch_size, spec.numerics, device, spec.seed)


def _floors(ready: _Ready, traces: dict[str, NetworkTrace], roofline: MachineRoofline) -> Iterator[RooflineReading]:
    """One for each network and batch that inference was timed with."""
    timed = [one for one, _ in ready.calls if one.setting.mode == "inference" and one.network != REFERENCE]
    for network, size in dict.fromkeys((one.network, one.batch_size) for one in timed):
        floor = network_floor(traces[network].nodes, size, roofline)
        yield RooflineReading(
            network=network,
            batch_size=size,
            flops=floor.flops,
            bytes_moved=floor.bytes_moved,
            floor_s=floor.time_s,
            bound=floor.bound,
        )


def _read_energy(ready: _Ready, spec: CostSpec, device: torch.device, progress: Progress) -> list[EnergyReading]:
    """Of every network in every setting, one after the other, where the plan wants it."""
    energy_s = spec.plan.energy_s
    if energy_s is None:
        return []
    counter = energy_counter(device)
    readings = []
    for timed, _ in ready.calls:
        if timed.network != REFERENCE and timed.instance == 0:
            progress(f"energy of {timed.network}")
            readings.append(
                read_energy(timed.network, timed.setting, timed.call, timed.batch_size, energy_s, counter, device)
            )
    return readings


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
