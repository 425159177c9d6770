"""Parts that are one layer or operation, with what directly belongs to it.

A depthwise convolution directly followed by a pointwise one is a depthwise separable convolution, and batch
normalisation directly after a convolution belongs to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fbench.benchmark.records.network_description import DescribedModule
from fbench.reports.findings.networks.module_graph import ModuleGraph
from fbench.reports.findings.networks.parts import NetworkPart

ACTIVATIONS: Final = {
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
"""What a reader calls each kind of activation."""
_NORMALISATIONS: Final = ("batch_norm", "group_norm", "layer_norm")
_NOTHING: Final = ("input", "identity", "flatten")  # what moves no number and changes none
_RECURRENT: Final = ("RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell")


def single_part(graph: ModuleGraph, node: int) -> NetworkPart | None:
    """The part that a node is, with what directly belongs to it, which is taken; none where it changes nothing."""
    module, kind, shape = graph.modules[node], graph.kind(node), graph.output_text(node)
    if kind in _NOTHING:
        return None
    if kind == "convolution":
        return _convolution(graph, node)
    if module.module_class in _RECURRENT:
        return NetworkPart("recurrent layer", module.module_class, shape=shape)
    if kind in ("linear", "matrix_product"):
        inputs, outputs = (_units(sides) for sides in (graph.input_shape(node), module.output_shape))
        return NetworkPart("dense layer", "dense", shape=f"{inputs} to {outputs}", bias=module.has_bias)
    if kind in _NORMALISATIONS:
        return NetworkPart("normalisation", kind.replace("_norm", " normalisation"), shape=shape)
    if kind in ACTIVATIONS:
        return NetworkPart("activation", ACTIVATIONS[kind], shape=shape)
    if kind == "mean" and len(graph.input_shape(node)) == 3:
        return NetworkPart("pooling", "global average pooling", shape=shape)
    if kind in ("max_pool", "average_pool"):
        return NetworkPart("pooling", kind.replace("_pool", " pooling"), _window(module), shape)
    if kind.startswith("dropout"):
        rate = module.hyperparameters.probability
        return NetworkPart("dropout", "dropout", f"rate {'?' if rate is None else rate}", shape)
    return NetworkPart("operation", kind.replace("_", " "), shape=shape)


def _units(shape: Sequence[int]) -> str:
    """The last side of a shape; a scalar has one value, and of what was not followed nothing is known."""
    return f"{shape[-1]:,}" if shape else "1"


def _channels(shape: Sequence[int]) -> str:
    return str(shape[0]) if shape else "?"


def _convolution(graph: ModuleGraph, node: int) -> NetworkPart:
    module = graph.modules[node]
    kind, kernel = _convolution_kind(graph, node)
    last, bias = node, module.has_bias
    following = graph.only_target(node)
    if kind == "depthwise" and following is not None and _convolution_kind(graph, following)[0] == "pointwise":
        kind, last, bias = "depthwise separable", following, bias or graph.modules[following].has_bias
        graph.taken.add(following)
    following = graph.only_target(last)
    normalised = following is not None and graph.kind(following) in _NORMALISATIONS
    if normalised and following is not None:
        graph.taken.add(following)
    stride, dilation = (_steps(sides) for sides in (module.hyperparameters.stride, module.hyperparameters.dilation))
    steps = "" if stride == "1" else f", stride {stride}"
    steps += "" if dilation == "1" else f", dilation {dilation}"
    inputs, outputs = (_channels(sides) for sides in (graph.input_shape(node), graph.modules[last].output_shape))
    return NetworkPart(
        "convolution",
        kind,
        "" if kind == "pointwise" and kernel == "1×1" else kernel,
        f"{inputs} to {outputs} channels{steps}",
        bias,
        normalised,
    )


def _convolution_kind(graph: ModuleGraph, node: int) -> tuple[str, str]:
    """Its kind and kernel; of a convolution that is no layer, only that it is one is known."""
    module = graph.modules[node]
    known = module.hyperparameters
    if module.kind != "convolution" or not known.kernel_size:
        return ("functional" if module.kind == "convolution" else "none"), ""
    kernel = "×".join(map(str, known.kernel_size))
    if known.groups != 1:
        inputs = graph.input_shape(node)
        return ("depthwise" if known.groups == (*inputs, 0)[0] else f"grouped ({known.groups})"), kernel
    if "Transpose" in module.module_class:
        return "transposed", kernel
    return ("pointwise" if set(known.kernel_size) == {1} else "full"), kernel


def _window(module: DescribedModule) -> str:
    known = module.hyperparameters
    if not known.kernel_size:
        return ""
    return f"{'×'.join(map(str, known.kernel_size))}, stride {_steps(known.stride or known.kernel_size)}"


def _steps(sides: Sequence[int]) -> str:
    """A stride or dilation, once where it is equal on all sides; 1 where nothing is known of it."""
    return "×".join(map(str, sides if len(set(sides)) > 1 else sides[:1])) or "1"
