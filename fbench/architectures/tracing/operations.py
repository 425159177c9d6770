"""What one aten operation costs: its kind, its multiply-accumulates, and its elementwise operations.

The convention, exact:

- ``macs``: multiply-accumulates of convolutions, matrix products (a linear layer is one), attention, recurrent
  cells and whatever else sums products over a dimension. Without their bias.
- ``elementwise_ops``, by kind: one for each output element of an operation that works element by element (a
  bias, batch normalisation at inference, any activation whatever its formula, a sum, a product). A windowed
  pool has one for each element of each window (kernel area times output elements, the padding included); a
  global mean or another full reduction one for each input element.
- Reshaping, copying, padding, indexing and concatenation move data and count nothing.
- An operation that is not named here counts one for each output element, under its aten name, so nothing is
  left out. What multiplies and sums along a dimension by no formula that is known
  (:mod:`fbench.architectures.tracing.products`) is said to be not counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch

from fbench.architectures.tracing.products import Formula, MacKind

CONVOLUTIONS = frozenset({"convolution", "_convolution", "convolution_overrideable"})
_BATCH_PRODUCTS = frozenset({"bmm", "baddbmm", "dot", "vdot", "addbmm"})
_LINEAR_PRODUCTS = frozenset({"mm", "addmm", "mv", "addmv", "linear"})
WINDOWED_POOLS = {
    "max_pool1d": "max_pool",
    "max_pool2d": "max_pool",
    "max_pool3d": "max_pool",
    "max_pool2d_with_indices": "max_pool",
    "max_pool3d_with_indices": "max_pool",
    "mkldnn_max_pool2d": "max_pool",
    "avg_pool1d": "average_pool",
    "avg_pool2d": "average_pool",
    "avg_pool3d": "average_pool",
}
REDUCTIONS = {
    "mean": "mean",
    "sum": "sum",
    "amax": "max",
    "max": "max",
    "amin": "min",
    "min": "min",
    "var": "variance",
    "var_mean": "variance",
    "std": "standard_deviation",
    "linalg_vector_norm": "norm",
    "argmax": "argmax",
    "_adaptive_avg_pool2d": "average_pool",
    "_adaptive_avg_pool3d": "average_pool",
    "adaptive_max_pool2d": "max_pool",
}
KINDS = {
    "native_batch_norm": "batch_norm",
    "_native_batch_norm_legit": "batch_norm",
    "_native_batch_norm_legit_no_training": "batch_norm",
    "_batch_norm_no_update": "batch_norm",
    "cudnn_batch_norm": "batch_norm",
    "native_group_norm": "group_norm",
    "native_layer_norm": "layer_norm",
    "hardswish": "hard_swish",
    "hardsigmoid": "hard_sigmoid",
    "hardtanh": "hard_tanh",
    "_prelu_kernel": "prelu",
    "_softmax": "softmax",
    "_safe_softmax": "softmax",
    "_log_softmax": "log_softmax",
    "mul": "multiply",
    "div": "divide",
    "sub": "subtract",
    "rsub": "subtract",
}
MOVES = {
    "cat": "concatenate",
    "stack": "concatenate",
    "constant_pad_nd": "pad",
    "reflection_pad2d": "pad",
    "replication_pad2d": "pad",
    "index": "index",
    "index_select": "index",
    "gather": "index",
    "embedding": "index",
    "roll": "roll",
    "flip": "flip",
    "repeat": "repeat",
    "upsample_nearest2d": "upsample",
    "copy": "copy",
}
SIZE_CHANGES = frozenset(
    {"view", "_unsafe_view", "reshape", "_reshape_alias", "unsqueeze", "squeeze", "expand", "flatten"}
)
_TRANSPOSITIONS = {"t", "transpose", "permute", "pixel_shuffle", "pixel_unshuffle"}
_SPLITS = {"split", "unsafe_split", "split_with_sizes", "chunk", "unsafe_chunk", "unbind"}
_WINDOWS = {"slice", "select", "narrow", "diagonal", "as_strided", "unfold"}
REORDERINGS = frozenset(_TRANSPOSITIONS | _SPLITS | _WINDOWS)
COPIES = frozenset({"clone", "contiguous", "detach", "alias", "_to_copy", "lift_fresh", "view_as_real", "to"})


@dataclass(frozen=True)
class Operation:
    """One aten operation of a forward pass.

    Attributes:
        kind: the operation in the words of the field, or its aten name.
        product: what its multiply-accumulates are, None where it contracts nothing.
        macs: multiply-accumulates.
        elementwise_ops: elementwise operations by kind; empty where there are none.
        arguments: its arguments that are no tensors, as text; empty for a layer of torch.
        counted: whether its multiply-accumulates are known; where not, ``macs`` is 0 and says nothing.
    """

    kind: str
    product: MacKind | None = None
    macs: int = 0
    elementwise_ops: Mapping[str, int] = field(default_factory=dict)
    arguments: str = ""
    counted: bool = True


def base_name(aten_name: str) -> str:
    """``aten::relu_`` to ``relu``: without namespace and in-place mark."""
    name = aten_name.rsplit("::", 1)[-1]
    return name[:-1] if name.endswith("_") and not name.endswith("__") else name


def reshape_label(name: str, arguments: Sequence[Any], output: torch.Tensor, position: int) -> str | None:
    """How an operation relabels its input without computing: None if it computes, empty for a mere copy."""
    if name in COPIES:
        return ""
    if name in SIZE_CHANGES:
        return "x".join(map(str, output.shape))
    if name in REORDERINGS:
        return f"{name}({constants(arguments)})[{position}]"
    return None


def constants(arguments: Sequence[Any]) -> str:
    """The arguments that are no tensors, as text."""
    plain = (value for value in arguments if isinstance(value, int | float | str | list | tuple))
    return ", ".join(str(value) for value in plain if not _holds_tensor(value))


def measure(name: str, arguments: Sequence[Any], outputs: Sequence[torch.Tensor]) -> Operation:
    """The kind and elementwise cost of an operation that contracts no dimension."""
    if name in MOVES:
        return Operation(MOVES[name], arguments=constants(arguments))
    if name in WINDOWED_POOLS:
        kind, count = WINDOWED_POOLS[name], _window_area(name, arguments[1]) * outputs[0].numel()
    elif name in REDUCTIONS:
        kind, count = REDUCTIONS[name], max(arguments[0].numel(), outputs[0].numel())
    else:
        kind, count = KINDS.get(name, name), outputs[0].numel()
    return Operation(kind, elementwise_ops={kind: count}, arguments=constants(arguments))


def measure_product(
    name: str, formula: Formula, given: Sequence[Any], arguments: Sequence[Any], outputs: Sequence[torch.Tensor]
) -> Operation:
    """The cost of an operation that has a formula; ``arguments`` are those ``given`` with the schema's defaults."""
    has_bias = formula.bias is not None and arguments[formula.bias] is not None
    if name in CONVOLUTIONS:
        kind, text = "convolution", constants(given)
    elif name in _BATCH_PRODUCTS:
        kind, text = "matrix_product", ""
    elif name in _LINEAR_PRODUCTS:
        kind, text = "linear", ""
    else:
        kind, text = name, constants(given)
    return Operation(
        kind,
        formula.kind,
        formula.macs(arguments, outputs),
        {"bias": outputs[0].numel()} if has_bias else {},
        text,
    )


def not_counted(name: str, arguments: Sequence[Any]) -> Operation:
    """An operation that may contract dimensions, by no formula that is known."""
    return Operation(name, arguments=constants(arguments), counted=False)


def _window_area(name: str, kernel: Any) -> int:
    sides = list(kernel) if isinstance(kernel, list | tuple) else [kernel]
    dimensions = next(int(letter) for letter in "123" if f"pool{letter}d" in name)
    return prod(sides * dimensions) if len(sides) == 1 else prod(sides)


def _holds_tensor(value: Any) -> bool:
    return isinstance(value, list | tuple) and any(isinstance(entry, torch.Tensor) for entry in value)
