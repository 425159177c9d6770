"""The parts of a network, read from its ``network.json``: what a reader would count in a drawing of it.

Layers that make one part together are one part: the branch beside the main path of a sum is its shortcut, what
computes the factors of a channel-wise product is squeeze-and-excitation, and what directly follows a convolution may
belong to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from fbench.benchmark.records.network_description import NetworkDescription
from fbench.reports.findings.networks.branches import shortcut, squeeze_excite
from fbench.reports.findings.networks.module_graph import ModuleGraph
from fbench.reports.findings.networks.parts import NetworkPart
from fbench.reports.findings.networks.single_parts import single_part


@dataclass(frozen=True)
class Inventory:
    """All parts of a network, in the order in which they run, and its counts for one image."""

    parts: tuple[NetworkPart, ...]
    trainable_params: int
    macs: int


def take_inventory(description: NetworkDescription) -> Inventory:
    """The parts of a network."""
    found = locate_parts(description)
    return Inventory(
        parts=tuple(found[node] for node in sorted(found)),
        trainable_params=description.counts.trainable_params,
        macs=description.counts.macs,
    )


def locate_parts(description: NetworkDescription) -> dict[int, NetworkPart]:
    """The parts by the module that each stands at: the first of a convolution's, the product or sum that ends a branch.

    Modules that belong to a part elsewhere, or change nothing, have none; nor have operations on parameters alone, such
    as the mean of a standardised weight: no map of the image passes through them.
    """
    graph = ModuleGraph.of(description)
    found: dict[int, NetworkPart] = {}
    nodes = [node for node, module in enumerate(graph.modules) if graph.of_image(node) or module.layer]
    for node in nodes:
        if (part := squeeze_excite(graph, node)) or (part := shortcut(graph, node)):
            found[node] = part
    for node in nodes:
        if node not in graph.taken and (part := single_part(graph, node)):
            found[node] = part
    return found
