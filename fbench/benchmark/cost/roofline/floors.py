"""How fast a network could run at most on a machine: its layers under the machine's roofline, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fbench.architectures.tracing.graph import Node
from fbench.benchmark.machine.machine_roofline import MachineRoofline

Bound = Literal["compute", "memory"]


@dataclass(frozen=True)
class Floor:
    """The least time of a layer for a batch: by its arithmetic or by its bytes, whichever takes longer.

    ``flops`` are two for each multiply-accumulate and one for each elementwise operation; ``bytes_moved`` is the lower
    bound of :mod:`fbench.architectures.tracing.memory_traffic`.
    """

    flops: int
    bytes_moved: int
    time_s: float
    bound: Bound

    @property
    def intensity(self) -> float:
        """FLOPs a byte; infinite where nothing is moved."""
        return self.flops / self.bytes_moved if self.bytes_moved else float("inf")


def layer_floor(node: Node, batch_size: int, roofline: MachineRoofline) -> Floor:
    """The floor of one node for ``batch_size`` images, its maps and weights being the working set."""
    flops = batch_size * (2 * node.macs + sum(node.elementwise_ops.values()))
    flops += 2 * node.macs_per_call + sum(node.elementwise_ops_per_call.values())
    moved = batch_size * node.activation_bytes + node.parameter_bytes
    by_arithmetic = flops / roofline.peak_flops_per_s
    by_bytes = moved / roofline.bytes_per_s(moved)
    return Floor(
        flops=flops,
        bytes_moved=moved,
        time_s=max(by_arithmetic, by_bytes),
        bound="compute" if by_arithmetic > by_bytes else "memory",
    )


def network_floor(nodes: Sequence[Node], batch_size: int, roofline: MachineRoofline) -> Floor:
    """The floors of all nodes together, as eager execution runs one after another.

    ``bound`` is what most of the time goes into.
    """
    layers = [layer_floor(node, batch_size, roofline) for node in nodes]
    total = sum(layer.time_s for layer in layers)
    computing = sum(layer.time_s for layer in layers if layer.bound == "compute")
    return Floor(
        flops=sum(layer.flops for layer in layers),
        bytes_moved=sum(layer.bytes_moved for layer in layers),
        time_s=total,
        bound="compute" if computing > total / 2 else "memory",
    )
