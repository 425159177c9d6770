"""Where the time of a network goes, layer by layer, beside what its layers could reach."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Final

import torch

from fbench.architectures.registry import build
from fbench.architectures.tracing.graph import NetworkTrace, Node
from fbench.architectures.tracing.trace import trace
from fbench.benchmark.cost.backends import make_call
from fbench.benchmark.cost.calls import Call
from fbench.benchmark.cost.clock import Clock, clock_of
from fbench.benchmark.cost.interleave import warm_up
from fbench.benchmark.cost.memory_need import why_too_large
from fbench.benchmark.cost.roofline.floors import Floor, layer_floor, network_floor
from fbench.benchmark.cost.roofline.layer_times import layer_times_s
from fbench.benchmark.cost.roofline.measure_roofline import roofline_of_this_machine
from fbench.benchmark.machine.allocator import freed_memory_kept
from fbench.benchmark.machine.device import numerics_in_force
from fbench.benchmark.machine.machine_roofline import MachineRoofline
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.specs import NetworkSpec
from fbench.core.errors import UserError

TIMED_CALLS: Final = 25


@dataclass(frozen=True)
class LayerProfile:
    """A node of the trace with its time; none where it computes nothing."""

    index: int
    node: Node
    floor: Floor
    time_s: float | None


@dataclass(frozen=True)
class NetworkProfile:
    """A network's layers, and the whole: ``time_s`` is a call of the network, modules' Python included."""

    trace: NetworkTrace
    batch_size: int
    roofline: MachineRoofline
    layers: tuple[LayerProfile, ...]
    floor: Floor
    time_s: float

    @property
    def layers_s(self) -> float:
        """The layers' times together."""
        return sum(layer.time_s or 0.0 for layer in self.layers)


def profile_network(network: NetworkSpec, batch_size: int, numerics: Numerics, device: torch.device) -> NetworkProfile:
    """Time every layer of ``network`` in eager evaluation mode, and hold it under the machine's roofline.

    Raises:
        UserError: the batch, whose maps are all kept, does not fit into free memory.
    """
    torch.manual_seed(0)
    module = build(network.resolved)
    traced = trace(module, network.input_shape)
    if reason := why_too_large(traced, "train", batch_size, device):
        raise UserError(f"{network.name} cannot be profiled, {reason}; give a smaller --batch-size.")
    roofline = roofline_of_this_machine(numerics, device)
    with freed_memory_kept(), numerics_in_force(numerics, device):
        time_s = _call_s(make_call(network, "inference", "eager", batch_size, numerics, device), clock_of(device))
        times = layer_times_s(module, network.input_shape, batch_size, numerics, device)
    layers = tuple(
        LayerProfile(index, node, layer_floor(node, batch_size, roofline), times.get(index))
        for index, node in enumerate(traced.nodes)
    )
    return NetworkProfile(
        trace=traced,
        batch_size=batch_size,
        roofline=roofline,
        layers=layers,
        floor=network_floor(traced.nodes, batch_size, roofline),
        time_s=time_s,
    )


def _call_s(call: Call, clock: Clock) -> float:
    call.prepare()
    warm_up(call, clock)
    return median(sum(clock.time(call)) for _ in range(TIMED_CALLS))
