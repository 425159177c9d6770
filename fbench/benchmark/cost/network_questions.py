"""What is asked of one network before its speed is measured, here or in a worker process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fbench.architectures.registry import build
from fbench.architectures.tracing.graph import NetworkTrace
from fbench.architectures.tracing.trace import trace
from fbench.benchmark.cost.counters import read_counters
from fbench.benchmark.cost.roofline.profile import NetworkProfile, profile_network
from fbench.benchmark.machine.device import pick_device
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.records.trial_records import CounterReading
from fbench.benchmark.training.networks import bare_network_spec
from fbench.benchmark.workers.questions import Tell


@dataclass(frozen=True)
class AllCounts:
    """Our count of a network, and what every other counter says of it."""

    trace: NetworkTrace
    readings: tuple[CounterReading, ...]


def specified(_: Tell, name: str, options: dict[str, Any]) -> NetworkSpec:
    """Its specification for no data set in particular."""
    return bare_network_spec(name, options)


def counted_with_all(_: Tell, network: NetworkSpec) -> AllCounts:
    """Its counts by all counters."""
    module = build(network.resolved)
    traced = trace(module, network.input_shape)
    return AllCounts(traced, read_counters(module, network.input_shape, traced))


def profiled(_: Tell, network: NetworkSpec, batch_size: int, numerics: Numerics, device: str) -> NetworkProfile:
    """The times of its layers."""
    return profile_network(network, batch_size, numerics, pick_device(device))
