"""Cost of all networks of a run on one machine: interleaved in blocks, exclusive, every raw sample kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import torch
from torch import nn

from fbench.architectures.registry import build
from fbench.architectures.trace import trace
from fbench.benchmark.allocator import freed_memory_kept
from fbench.benchmark.cost.calls import Call, make_call
from fbench.benchmark.cost.counters import read_counters
from fbench.benchmark.cost.memory import preload_fresh_processes, read_peak_memory
from fbench.benchmark.device import numerics_in_force, synchronize
from fbench.benchmark.machine import describe_machine
from fbench.benchmark.records import CostRecord, CostSample, MemoryReading, StaticCost
from fbench.benchmark.specs import CostMode, CostPlan, CostSpec, NetworkSpec


@dataclass(frozen=True)
class _Timed:
    """One kind of timed call of one network."""

    network: str
    mode: CostMode
    batch_size: int
    calls_per_block: int
    call: Call


def measure_cost(
    spec: CostSpec,
    device: torch.device,
    test_time_passes: int = 1,
    progress: Callable[[str], None] = lambda what: None,
) -> CostRecord:
    """Measure every network of ``spec``; a network that fails is recorded with its reason and left out of the rest.

    ``progress`` is called with a short text as each part begins. Nothing else of the run may work meanwhile.
    """
    started_at = _now()
    static: dict[str, StaticCost] = {}
    failures: dict[str, str] = {}
    modules: dict[str, nn.Module] = {}
    for network in spec.networks:
        progress(f"counting {network.name}")
        try:
            torch.manual_seed(spec.seed)
            modules[network.name] = build(network.resolved)
            static[network.name] = count_static(modules[network.name], network, test_time_passes)
        except Exception as error:  # recorded; the other networks are still measured
            failures[network.name] = f"{type(error).__name__}: {error}"
    networks = [network for network in spec.networks if network.name not in failures]
    memory = _read_memory(networks, spec, device, progress)
    with freed_memory_kept(), numerics_in_force(spec.numerics, device):
        samples = _time_blocks(networks, modules, spec, device, failures, progress)
    return CostRecord(
        cost_id=spec.cost_id,
        spec=spec,
        machine=describe_machine(),
        started_at=started_at,
        finished_at=_now(),
        static=static,
        samples=tuple(samples),
        memory=tuple(memory),
        failures=failures,
    )


def count_static(module: nn.Module, network: NetworkSpec, test_time_passes: int) -> StaticCost:
    """Parameters, MACs and elementwise operations by our counter, with the other counters beside it."""
    counted = trace(module, network.input_shape)
    return StaticCost(
        trainable_params=counted.trainable_params,
        bn_running_stats=counted.bn_running_stats,
        total_params_keras=counted.total_params_keras,
        macs=counted.macs,
        elementwise_ops=counted.elementwise_ops,
        elementwise_ops_by_kind=dict(counted.elementwise_ops_by_kind),
        counters=read_counters(module, network.input_shape),
        test_time_passes=test_time_passes,
    )


def _read_memory(
    networks: Sequence[NetworkSpec], spec: CostSpec, device: torch.device, progress: Callable[[str], None]
) -> list[MemoryReading]:
    preload_fresh_processes()
    modes: tuple[tuple[CostMode, int], ...] = (
        ("inference", spec.plan.latency_batch_size),
        ("train", spec.plan.train_batch_size),
    )
    readings = []
    for network in networks:
        progress(f"peak memory of {network.name}")
        readings += [read_peak_memory(network, mode, size, spec.numerics, device) for mode, size in modes]
    return readings


def _timed_calls(network: NetworkSpec, module: nn.Module, spec: CostSpec, device: torch.device) -> list[_Timed]:
    plan: CostPlan = spec.plan
    wanted: tuple[tuple[CostMode, int, int], ...] = (
        ("inference", plan.latency_batch_size, plan.latency_calls_per_block),
        ("inference", plan.throughput_batch_size, 1),
        ("train", plan.train_batch_size, 1),
    )
    return [
        _Timed(network.name, mode, size, calls, make_call(module, network, mode, size, spec.numerics, device))
        for mode, size, calls in wanted
    ]


def _time_blocks(
    networks: Sequence[NetworkSpec],
    modules: dict[str, nn.Module],
    spec: CostSpec,
    device: torch.device,
    failures: dict[str, str],
    progress: Callable[[str], None],
) -> list[CostSample]:
    """Warm up, then time each network once per block in a random order, so that drift of the machine hits all alike."""
    calls: dict[str, list[_Timed]] = {}
    for network in networks:
        progress(f"warming up {network.name}")
        try:
            calls[network.name] = _timed_calls(network, modules[network.name], spec, device)
            for timed in calls[network.name]:
                timed.call.prepare()
                for _ in range(spec.plan.warmup_calls):
                    timed.call.run()
        except Exception as error:  # out of memory included: recorded and survived
            failures[network.name] = f"{type(error).__name__}: {error}"
            calls.pop(network.name, None)
    generator = np.random.default_rng(spec.seed)
    names = list(calls)
    samples: list[CostSample] = []
    for block in range(spec.plan.blocks):
        progress(f"timing, block {block + 1} of {spec.plan.blocks}")
        for order, index in enumerate(generator.permutation(len(names))):
            for timed in calls[names[index]]:
                samples += [_sample(timed, block, order, device) for _ in range(timed.calls_per_block)]
    return samples


def _sample(timed: _Timed, block: int, order: int, device: torch.device) -> CostSample:
    timed.call.prepare()
    synchronize(device)
    started = time.perf_counter()
    timed.call.run()
    synchronize(device)
    return CostSample(
        network=timed.network,
        block=block,
        order=order,
        mode=timed.mode,
        batch_size=timed.batch_size,
        threads=torch.get_num_threads(),
        time_s=time.perf_counter() - started,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
