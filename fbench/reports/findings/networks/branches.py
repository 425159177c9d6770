"""Parts that are a branch beside the main path: shortcuts, and squeeze-and-excitation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fbench.reports.findings.networks.module_graph import ModuleGraph
from fbench.reports.findings.networks.parts import NetworkPart
from fbench.reports.findings.networks.single_parts import ACTIVATIONS, single_part


def squeeze_excite(graph: ModuleGraph, node: int) -> NetworkPart | None:
    """A product of a map with one factor a channel, which two or more layers make of the averages over the whole map
    (Hu et al. 2018); its branch is taken. Other attention is none: of places, of rows and columns (coordinate
    attention), or by one layer along the channels (ECA)."""
    if graph.kind(node) != "multiply" or len(graph.sources[node]) != 2:
        return None
    for image, factors in (graph.sources[node], graph.sources[node][::-1]):
        branch = graph.branch(factors, image)
        layers = graph.weights(branch)
        averaged = any(graph.kind(one) in ("mean", "average_pool") and _is_of_channels(graph, one) for one in branch)
        widths = [graph.modules[layer].output_shape[0] for layer in layers if graph.modules[layer].output_shape]
        channels = graph.modules[image].output_shape[:1]
        by_channel = _is_of_channels(graph, factors) and graph.modules[factors].output_shape[:1] == channels
        bottleneck = len(widths) > 1 and widths[-1:] == list(channels) and min(widths) > 0
        if graph.of_image(image) and graph.comes_before(image, factors) and averaged and by_channel and bottleneck:
            graph.taken.update(branch, {node})
            activations = [graph.kind(one) for one in branch if graph.kind(one) in ACTIVATIONS]
            gate = activations.pop() if activations and graph.kind(factors) == activations[-1] else ""
            form = [f"reduction {widths[-1] / min(widths):g}"]
            form += [f"{ACTIVATIONS[kind]} inside" for kind in activations if kind != "relu"]
            form += [f"gate {ACTIVATIONS[gate]}"] if gate else []
            return NetworkPart(
                "squeeze-and-excitation",
                "block",
                ", ".join(form),
                shape=f"{widths[-1]} channels",
                bias=any(graph.modules[layer].has_bias for layer in layers),
            )
    return None


def _is_of_channels(graph: ModuleGraph, node: int) -> bool:
    """Whether what a node gives has one value a channel."""
    shape = graph.modules[node].output_shape
    return bool(shape) and all(size == 1 for size in shape[1:])


def shortcut(graph: ModuleGraph, node: int) -> NetworkPart | None:
    """A sum of two branches; the one with fewer layers with weights, else fewer layers, is the shortcut, and taken."""
    if graph.kind(node) != "add" or len(graph.sources[node]) != 2:
        return None
    first, second = graph.sources[node]
    if not (graph.of_image(first) and graph.of_image(second)):
        return None  # a bias or a position table of the network's own is no branch
    branches = [graph.branch(first, second), graph.branch(second, first)]
    sizes = [(len(graph.weights(branch)), len(branch)) for branch in branches]
    graph.taken.add(node)
    shape = graph.output_text(node)
    if sizes[0] == sizes[1]:
        return NetworkPart("shortcut", "symmetric", shape=shape)
    branch = branches[0] if sizes[0] < sizes[1] else branches[1]
    inside = [part for one in branch if one not in graph.taken and (part := single_part(graph, one))]
    graph.taken.update(branch)
    if not inside:
        return NetworkPart("shortcut", "identity", shape=shape)
    return NetworkPart("shortcut", "projection", _branch_words(inside), shape)


def _branch_words(parts: Sequence[NetworkPart]) -> str:
    """What stands in a shortcut, each kind once with its number."""
    numbers = Counter((part.kind, part.category, part.normalised) for part in parts)
    words = []
    for (kind, category, normalised), amount in numbers.items():
        noun = f"{kind} convolution" if category == "convolution" else kind
        text = f"{amount} {noun}s" if amount > 1 else noun
        words.append(f"{text} with batch normalisation" if normalised else text)
    return ", ".join(words)
