"""The parts of a network, read from its ``network.json``: what a reader would count in a drawing of it.

Layers that make one part together are one part: a depthwise convolution directly followed by a pointwise one is a
depthwise separable convolution, batch normalisation directly after a convolution belongs to it, the branch beside the
main path of a sum is its shortcut, and what computes the factors of a channel-wise product is squeeze-and-excitation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Category = Literal[
    "convolution",
    "dense layer",
    "recurrent layer",
    "squeeze-and-excitation",
    "shortcut",
    "normalisation",
    "activation",
    "pooling",
    "dropout",
    "operation",
]

_ACTIVATIONS: Final = {
    "relu": "ReLU",
    "hard_swish": "h_swish",
    "hard_sigmoid": "hard sigmoid",
    "hard_tanh": "hard tanh",
    "leaky_relu": "leaky ReLU",
    "prelu": "PReLU",
    "sigmoid": "sigmoid",
    "silu": "SiLU",
    "gelu": "GELU",
    "elu": "ELU",
    "tanh": "tanh",
    "softmax": "softmax",
    "log_softmax": "log-softmax",
}
_NORMALISATIONS: Final = ("batch_norm", "group_norm", "layer_norm")
_NOTHING: Final = ("input", "identity", "flatten")  # what moves no number and changes none
_RECURRENT: Final = ("RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell")
_WEIGHTS: Final = ("convolution", "linear", "matrix_product")


@dataclass(frozen=True)
class Part:
    """One part of a network; parts that are equal in all of this are alike.

    Attributes:
        category: what it is counted as.
        kind: which of its category: ``depthwise``, ``identity``, ``h_swish``.
        form: what a reader wants to know beside the kind, such as the kernel ``3×3`` or a dropout's rate.
        shape: channels and strides of a convolution, units of a dense layer, else the map that it gives.
        bias: whether it has one; false where that has no meaning.
        normalised: whether a normalisation directly follows a convolution.
    """

    category: Category
    kind: str
    form: str = ""
    shape: str = ""
    bias: bool = False
    normalised: bool = False


@dataclass(frozen=True)
class Inventory:
    """All parts of a network, in the order in which they run, and its counts for one image."""

    parts: tuple[Part, ...]
    trainable_params: int
    macs: int


def take_inventory(description: Mapping[str, Any]) -> Inventory:
    """The parts of the network that the content of a ``network.json`` describes."""
    found = locate_parts(description)
    counts = description["counts"]
    return Inventory(
        parts=tuple(found[node] for node in sorted(found)),
        trainable_params=counts["trainable_params"],
        macs=counts["macs"],
    )


def locate_parts(description: Mapping[str, Any]) -> dict[int, Part]:
    """The parts by the module that each stands at: the first of a convolution's, the product or sum that ends a branch.

    Modules that belong to a part elsewhere, or change nothing, have none; nor have operations on parameters alone, such
    as the mean of a standardised weight: no map of the image passes through them.

    Raises:
        ValueError: a module takes the result of a later one.
    """
    graph = _Graph.of(description)
    found: dict[int, Part] = {}
    nodes = [node for node, module in enumerate(graph.modules) if graph.of_image(node) or module["layer"]]
    for node in nodes:
        if (part := _squeeze_excite(graph, node)) or (part := _shortcut(graph, node)):
            found[node] = part
    for node in nodes:
        if node not in graph.taken and (part := _single(graph, node)):
            found[node] = part
    return found


@dataclass
class _Graph:
    """The modules with what leads where; ``taken`` grows with the nodes that already are in a part.

    ``ancestors`` holds a node and all before it, a bit each: of a recurrent network with 10,000 steps, sets of their
    numbers would fill gigabytes.
    """

    modules: Sequence[Mapping[str, Any]]
    sources: list[list[int]]
    targets: list[list[int]]
    ancestors: list[int]
    taken: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> _Graph:
        modules = description["modules"]
        sources: list[list[int]] = [[] for _ in modules]
        targets: list[list[int]] = [[] for _ in modules]
        for edge in description["edges"]:
            if not 0 <= edge["source"] < edge["target"]:
                raise ValueError(f"module {edge['target']} takes the result of module {edge['source']}")
            sources[edge["target"]].append(edge["source"])
            targets[edge["source"]].append(edge["target"])
        ancestors: list[int] = []
        for node, above in enumerate(sources):
            reached = 1 << node
            for source in above:
                reached |= ancestors[source]
            ancestors.append(reached)
        return cls(modules, sources, targets, ancestors)

    def kind(self, node: int) -> str:
        return str(self.modules[node]["kind"])

    def of_image(self, node: int) -> bool:
        """Whether the image, node 0, is among what leads to a node."""
        return bool(self.ancestors[node] & 1)

    def input_shape(self, node: int) -> tuple[int, ...]:
        """The shape of the first map of the image that a node takes, else of what it takes; empty where unknown."""
        shapes = self.modules[node]["input_shapes"]
        pairs = zip(self.sources[node], shapes, strict=False)
        found = next((shape for source, shape in pairs if self.of_image(source)), shapes[0] if shapes else ())
        return tuple(found)

    def branch(self, node: int, beside: int) -> list[int]:
        """What leads to a node and not to another, in order, as far as the image leads to it."""
        return [one for one in _bits(self.ancestors[node] & ~self.ancestors[beside]) if self.of_image(one)]

    def only_target(self, node: int) -> int | None:
        return self.targets[node][0] if len(self.targets[node]) == 1 else None

    def weights(self, nodes: Sequence[int]) -> list[int]:
        return [node for node in nodes if self.kind(node) in _WEIGHTS]


def _bits(number: int) -> Iterator[int]:
    """The places of the bits that are set, ascending."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def _squeeze_excite(graph: _Graph, node: int) -> Part | None:
    """A product of a map with what is computed from its own averages (Hu et al. 2018)."""
    if graph.kind(node) != "multiply" or len(graph.sources[node]) != 2:
        return None
    for image, factors in (graph.sources[node], graph.sources[node][::-1]):
        branch = graph.branch(factors, image)
        layers = graph.weights(branch)
        averaged = any(graph.kind(one) in ("mean", "average_pool") for one in branch)
        widths = [graph.modules[layer]["output_shape"][0] for layer in layers if graph.modules[layer]["output_shape"]]
        if graph.of_image(image) and graph.ancestors[factors] >> image & 1 and averaged and widths and min(widths):
            graph.taken.update(branch, {node})
            activations = [graph.kind(one) for one in branch if graph.kind(one) in _ACTIVATIONS]
            gate = activations.pop() if activations and graph.kind(factors) == activations[-1] else ""
            form = [f"reduction {widths[-1] / min(widths):g}"]
            form += [f"{_ACTIVATIONS[kind]} inside" for kind in activations if kind != "relu"]
            form += [f"gate {_ACTIVATIONS[gate]}"] if gate else []
            return Part(
                "squeeze-and-excitation",
                "block",
                ", ".join(form),
                shape=f"{widths[-1]} channels",
                bias=any(_has_bias(graph.modules[layer]) for layer in layers),
            )
    return None


def _shortcut(graph: _Graph, node: int) -> Part | None:
    """A sum of two branches; the one with fewer layers with weights, else fewer layers, is the shortcut."""
    if graph.kind(node) != "add" or len(graph.sources[node]) != 2:
        return None
    first, second = graph.sources[node]
    if not (graph.of_image(first) and graph.of_image(second)):
        return None  # a bias or a position table of the network's own is no branch
    branches = [graph.branch(first, second), graph.branch(second, first)]
    sizes = [(len(graph.weights(branch)), len(branch)) for branch in branches]
    graph.taken.add(node)
    shape = "x".join(str(side) for side in graph.modules[node]["output_shape"])
    if sizes[0] == sizes[1]:
        return Part("shortcut", "symmetric", shape=shape)
    branch = branches[0] if sizes[0] < sizes[1] else branches[1]
    inside = [part for one in branch if one not in graph.taken and (part := _single(graph, one))]
    graph.taken.update(branch)
    if not inside:
        return Part("shortcut", "identity", shape=shape)
    return Part("shortcut", "projection", _branch_words(inside), shape)


def _branch_words(parts: Sequence[Part]) -> str:
    """What stands in a shortcut, each kind once with its number."""
    numbers = Counter((part.kind, part.category, part.normalised) for part in parts)
    words = []
    for (kind, category, normalised), amount in numbers.items():
        noun = f"{kind} convolution" if category == "convolution" else kind
        text = f"{amount} {noun}s" if amount > 1 else noun
        words.append(f"{text} with batch normalisation" if normalised else text)
    return ", ".join(words)


def _single(graph: _Graph, node: int) -> Part | None:
    """A part that is one layer or operation, with what directly belongs to it."""
    module, kind = graph.modules[node], graph.kind(node)
    shape = "x".join(str(side) for side in module["output_shape"])
    if kind in _NOTHING:
        return None
    if kind == "convolution":
        return _convolution(graph, node)
    if module["class"] in _RECURRENT:
        return Part("recurrent layer", module["class"], shape=shape)
    if kind in ("linear", "matrix_product"):
        inputs, outputs = (_side(sides, -1) for sides in (graph.input_shape(node), module["output_shape"]))
        return Part("dense layer", "dense", shape=f"{inputs} to {outputs}", bias=_has_bias(module))
    if kind in _NORMALISATIONS:
        return Part("normalisation", kind.replace("_norm", " normalisation"), shape=shape)
    if kind in _ACTIVATIONS:
        return Part("activation", _ACTIVATIONS[kind], shape=shape)
    if kind == "mean" and len(graph.input_shape(node)) == 3:
        return Part("pooling", "global average pooling", shape=shape)
    if kind in ("max_pool", "average_pool"):
        return Part("pooling", kind.replace("_pool", " pooling"), _window(module), shape)
    if kind.startswith("dropout"):
        return Part("dropout", "dropout", f"rate {_argument(module['arguments'], 'p', '?')}", shape)
    return Part("operation", kind.replace("_", " "), shape=shape)


def _side(shape: Sequence[int], place: int) -> str:
    """One side of a shape; a scalar has one value, and of what was not followed nothing is known."""
    return f"{shape[place]:,}" if shape else "1"


def _convolution(graph: _Graph, node: int) -> Part:
    module, arguments = graph.modules[node], graph.modules[node]["arguments"]
    inputs, outputs = (str((*sides, "?")[0]) for sides in (graph.input_shape(node), module["output_shape"]))
    kind, kernel = _convolution_kind(graph, node)
    last, bias = node, _has_bias(module)
    following = graph.only_target(node)
    if kind == "depthwise" and following is not None and _convolution_kind(graph, following)[0] == "pointwise":
        kind, last = "depthwise separable", following
        outputs, bias = str(graph.modules[following]["output_shape"][0]), bias or _has_bias(graph.modules[following])
        graph.taken.add(following)
    following = graph.only_target(last)
    normalised = following is not None and graph.kind(following) in _NORMALISATIONS
    if normalised and following is not None:
        graph.taken.add(following)
    stride, dilation = _argument(arguments, "stride", "1"), _argument(arguments, "dilation", "1")
    steps = "" if stride == "1" else f", stride {stride}"
    steps += "" if dilation == "1" else f", dilation {dilation}"
    return Part(
        "convolution",
        kind,
        "" if kind == "pointwise" and kernel == "1×1" else kernel,
        f"{inputs} to {outputs} channels{steps}",
        bias,
        normalised,
    )


def _convolution_kind(graph: _Graph, node: int) -> tuple[str, str]:
    """Its kind and kernel; of a convolution that is no layer, only that it is one is known."""
    module = graph.modules[node]
    if module["kind"] != "convolution" or "kernel_size=" not in module["arguments"]:
        return ("functional" if module["kind"] == "convolution" else "none"), ""
    groups = _argument(module["arguments"], "groups", "1")
    kernel = _sides(_argument(module["arguments"], "kernel_size", "?"), module)
    if groups != "1":
        return ("depthwise" if groups == str((*graph.input_shape(node), 0)[0]) else f"grouped ({groups})"), kernel
    if "Transpose" in module["class"]:
        return "transposed", kernel
    return ("pointwise" if set(kernel.split("×")) == {"1"} else "full"), kernel


def _sides(size: str, module: Mapping[str, Any]) -> str:
    """A size that was given once, for each side of the maps that a layer works on: one in Conv1d, two in Conv2d."""
    sides = next((int(digit) for digit in re.findall(r"([123])d$", module["class"])), 2)
    return size if "×" in size else "×".join([size] * sides)


def _window(module: Mapping[str, Any]) -> str:
    size = _argument(module["arguments"], "kernel_size", "")
    stride = _argument(module["arguments"], "stride", size)
    return f"{_sides(size, module)}, stride {stride}" if size else ""


def _has_bias(module: Mapping[str, Any]) -> bool:
    return "bias" in module["elementwise_ops"]


def _argument(arguments: str, name: str, default: str) -> str:
    """A hyperparameter as torch prints it; equal sides of a pair once: ``(2, 2)`` is ``2``, ``(3, 1)`` is ``3×1``."""
    found = re.search(rf"(?:^|, ){name}=(\([^)]*\)|[^,]*)", arguments)
    if found is None:
        return default
    sides = [side.strip() for side in found[1].strip("()").split(",") if side.strip()]
    return (sides[0] if len(set(sides)) == 1 else "×".join(sides)) or default
