"""Multiply-accumulates of the aten operations that contract dimensions: convolutions, products, attention,
recurrent cells.

A formula takes the operation's arguments in the order of its schema, defaults filled in, and its tensor results.
Another operation is counted where PyTorch's own registry has a formula for it, which is also the way for an
operation of a user's own (``torch.utils.flop_counter.register_flop_formula``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, Literal

import torch

MacKind = Literal["convolution", "linear", "attention", "recurrent", "bilinear", "distance", "other"]
"""The rows of a count. ``linear`` is a product of a map with parameters; ``attention`` one of two maps, whatever a
network calls it; ``distance`` the differences that :func:`torch.cdist` sums."""

MAC_KINDS: Final[tuple[MacKind, ...]] = (
    "convolution",
    "linear",
    "attention",
    "recurrent",
    "bilinear",
    "distance",
    "other",
)

Arguments = Sequence[Any]
Outputs = Sequence[torch.Tensor]


@dataclass(frozen=True)
class Formula:
    """How many multiply-accumulates an operation takes; ``bias`` is the position of what it adds to its result."""

    kind: MacKind
    macs: Callable[[Arguments, Outputs], int]
    bias: int | None = None


def formula_of(func: Any, name: str) -> Formula | None:
    """The formula of an operation by its base name, or PyTorch's own; None where there is none."""
    namespace = str(func).partition(".")[0]
    if name in FORMULAS and namespace == "aten":
        return FORMULAS[name]
    from torch.utils.flop_counter import flop_registry

    flops = flop_registry.get(getattr(func, "_overloadpacket", func))
    if flops is None:
        return None
    return Formula("other", lambda arguments, outputs: int(flops(*arguments, out_val=_one_or_all(outputs))) // 2)


def _one_or_all(outputs: Outputs) -> Any:
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


def _convolution(weight: int, transposed: int | None) -> Callable[[Arguments, Outputs], int]:
    """Each output position takes a kernel; of a transposed convolution, each input position."""

    def macs(arguments: Arguments, outputs: Outputs) -> int:
        back = transposed is not None and (transposed < 0 or bool(arguments[transposed]))
        positions = arguments[0] if back else outputs[0]
        return int(positions.numel() * prod(arguments[weight].shape[1:]))

    return macs


def _convolution_over_time(arguments: Arguments, outputs: Outputs) -> int:
    """``conv_tbc``: its weight is (kernel, in, out)."""
    return int(outputs[0].numel() * prod(arguments[1].shape[:2]))


def _product(left: int) -> Callable[[Arguments, Outputs], int]:
    """The inner dimension is the last of the left factor; of a sparse one only the stored elements are met."""

    def macs(arguments: Arguments, outputs: Outputs) -> int:
        factor, result = arguments[left], outputs[0]
        if factor.layout != torch.strided:
            return int(factor._nnz()) * (result.shape[-1] if result.ndim > 1 else 1)
        return int(result.numel()) * int(factor.shape[-1])

    return macs


def _summed_products(arguments: Arguments, outputs: Outputs) -> int:
    """``addbmm``: a batch of products, summed."""
    return int(arguments[1].numel()) * int(arguments[2].shape[-1])


def _grouped(arguments: Arguments, outputs: Outputs) -> int:
    """``_grouped_mm``: two flat factors are cut along the inner dimension, others have it last."""
    left, right = arguments[0], arguments[1]
    if left.ndim == right.ndim == 2:
        return int(left.numel()) * int(right.shape[-1])
    return int(outputs[0].numel()) * int(left.shape[-1])


def _trilinear(arguments: Arguments, outputs: Outputs) -> int:
    """``bilinear``: every combination of an output and two inputs has a weight."""
    factors = list(arguments[:3])
    for position, dimensions in enumerate(arguments[3:6]):
        for dimension in sorted(dimensions):
            factors[position] = factors[position].unsqueeze(dimension)
    return prod(torch.broadcast_shapes(*(factor.shape for factor in factors)))


def _distances(arguments: Arguments, outputs: Outputs) -> int:
    """A squared (or other) difference in each coordinate of a pair."""
    return int(outputs[0].numel()) * int(arguments[0].shape[-1])


def _grid(arguments: Arguments, outputs: Outputs) -> int:
    """``affine_grid_generator``: a matrix (d, d + 1) for each place."""
    return int(outputs[0].numel()) * int(arguments[0].shape[-1])


def _attention(heads_before_positions: bool) -> Callable[[Arguments, Outputs], int]:
    """Scores (queries x keys x width) and their products with the values, masked or not."""

    def macs(arguments: Arguments, outputs: Outputs) -> int:
        query, key, value = arguments[:3]
        axis = -2 if heads_before_positions else -3
        others = prod(query.shape) // (query.shape[axis] * query.shape[-1])
        return int(others * query.shape[axis] * key.shape[axis] * (query.shape[-1] + value.shape[-1]))

    return macs


def _mkldnn_rnn(arguments: Arguments, outputs: Outputs) -> int:
    """One layer in one direction: both weight matrices at each step of each sequence (time, batch, features)."""
    steps = prod(arguments[0].shape[:-1])
    return int(steps) * sum(int(weight.numel()) for weight in arguments[1:3])


def _stacked_rnn(arguments: Arguments, outputs: Outputs) -> int:
    """All layers and directions: every weight matrix at each step of each sequence."""
    steps = prod(arguments[0].shape[:-1])
    return int(steps) * sum(int(weight.numel()) for weight in arguments[1] if weight.ndim == 2)


_FORWARD = _convolution(weight=1, transposed=None)
_BACKWARD = _convolution(weight=1, transposed=-1)
_EITHER = _convolution(weight=1, transposed=6)

FORMULAS: Final[Mapping[str, Formula]] = {
    **dict.fromkeys(
        ("convolution", "_convolution", "convolution_overrideable"), Formula("convolution", _EITHER, bias=2)
    ),
    **dict.fromkeys(
        (
            "mkldnn_convolution",
            "cudnn_convolution_relu",
            "miopen_convolution",
            "miopen_depthwise_convolution",
            "miopen_convolution_relu",
            "_nnpack_spatial_convolution",
            "_mps_convolution",
        ),
        Formula("convolution", _FORWARD, bias=2),
    ),
    **dict.fromkeys(
        (
            "_slow_conv2d_forward",
            "slow_conv3d_forward",
            "_conv_depthwise2d",
            "conv_depthwise3d",
            "slow_conv_dilated2d",
            "slow_conv_dilated3d",
        ),
        Formula("convolution", _FORWARD, bias=3),
    ),
    **dict.fromkeys(
        ("cudnn_convolution", "cudnn_convolution_add_relu", "miopen_convolution_add_relu"),
        Formula("convolution", _FORWARD),
    ),
    **dict.fromkeys(
        ("cudnn_convolution_transpose", "_mps_convolution_transpose"),
        Formula("convolution", _BACKWARD),
    ),
    "miopen_convolution_transpose": Formula("convolution", _BACKWARD, bias=2),
    **dict.fromkeys(("slow_conv_transpose2d", "slow_conv_transpose3d"), Formula("convolution", _BACKWARD, bias=3)),
    "conv_tbc": Formula("convolution", _convolution_over_time, bias=2),
    **dict.fromkeys(
        (
            "mm",
            "bmm",
            "mv",
            "dot",
            "vdot",
            "matmul",
            "_int_mm",
            "_scaled_mm",
            "_sparse_mm",
            "_weight_int8pack_mm",
            "_weight_int4pack_mm",
            "_weight_int4pack_mm_for_cpu",
        ),
        Formula("linear", _product(left=0)),
    ),
    **dict.fromkeys(("linear", "mkldnn_linear"), Formula("linear", _product(left=0), bias=2)),
    **dict.fromkeys(
        ("addmm", "baddbmm", "addmv", "_addmm_activation", "_sparse_addmm"),
        Formula("linear", _product(left=1), bias=0),
    ),
    "addbmm": Formula("linear", _summed_products, bias=0),
    **dict.fromkeys(("_grouped_mm", "_scaled_grouped_mm"), Formula("linear", _grouped)),
    "_trilinear": Formula("bilinear", _trilinear),
    **dict.fromkeys(("_cdist_forward", "_euclidean_dist", "_pdist_forward"), Formula("distance", _distances)),
    "affine_grid_generator": Formula("linear", _grid),
    **dict.fromkeys(
        (
            "_scaled_dot_product_flash_attention_for_cpu",
            "_scaled_dot_product_flash_attention",
            "_scaled_dot_product_efficient_attention",
            "_scaled_dot_product_cudnn_attention",
            "_scaled_dot_product_fused_attention_overrideable",
            "_scaled_dot_product_attention_math_for_mps",
            "flex_attention",
        ),
        Formula("attention", _attention(heads_before_positions=True)),
    ),
    **dict.fromkeys(
        ("_flash_attention_forward", "_efficient_attention_forward", "_flash_attention_forward_no_dropout_inplace"),
        Formula("attention", _attention(heads_before_positions=False)),
    ),
    "mkldnn_rnn_layer": Formula("recurrent", _mkldnn_rnn),
    **dict.fromkeys(("_cudnn_rnn", "miopen_rnn", "_lstm_mps"), Formula("recurrent", _stacked_rnn)),
}
