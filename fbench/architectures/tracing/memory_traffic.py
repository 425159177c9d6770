"""How many bytes one aten operation moves at least.

The convention, a lower bound for operations that run one after the other, as eager PyTorch runs them:

- Each distinct input map is read once and the result is written once, at the element size of the tensors; an
  operation in place reads and writes as well. An element that is broadcast is read once.
- Weights, biases, running statistics and all else that does not depend on the image are moved once per call,
  whatever the batch.
- Of a map that windows pass over, only elements that lie in some window: a 1x1 convolution with stride 2 reads
  a quarter. Indexing reads no more than it gives.
- A reshape that only relabels moves nothing. Copies that only change the layout (``contiguous``, ``clone``) are
  left out, since the layout decides whether they happen, and so are by-products, such as the indices that a max
  pool writes beside its map.

A compiler that fuses layers keeps maps in registers and can move less.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import torch

from fbench.architectures.tracing.operations import CONVOLUTIONS, WINDOWED_POOLS

CREATIONS = frozenset(
    {"empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like"}
    | {"new_empty", "new_zeros", "new_ones", "new_full", "new_empty_strided"}
)
"""They take a tensor for its shape alone."""
OVERWRITING = frozenset({"copy", "fill", "zero"})
"""They write their first argument and do not read it."""
PICKING = frozenset({"index", "index_select", "gather", "embedding"})


class Traffic(NamedTuple):
    """Bytes of one operation: ``per_image`` grow with the batch, ``per_call`` do not."""

    per_image: int
    per_call: int


def traffic(
    name: str,
    arguments: Sequence[Any],
    inputs: Sequence[torch.Tensor],
    output: torch.Tensor,
    of_image: Callable[[torch.Tensor], bool],
) -> Traffic:
    """The bytes that an operation moves for a batch of one.

    Args:
        name: its base name.
        arguments: its positional arguments.
        inputs: the tensors among them.
        output: its first result.
        of_image: whether a tensor depends on the image.
    """
    written = _bytes(output)
    read = () if name in CREATIONS else inputs[1:] if name in OVERWRITING else inputs
    moved = [
        (tensor, _bytes_read(name, arguments, tensor, output)) for tensor in {_storage(t): t for t in read}.values()
    ]
    if name in PICKING:
        moved = [(tensor, min(count, written)) for tensor, count in moved]
    grows = any(of_image(tensor) for tensor in inputs)
    per_image = sum(count for tensor, count in moved if of_image(tensor)) + (written if grows else 0)
    per_call = sum(count for tensor, count in moved if not of_image(tensor)) + (0 if grows else written)
    return Traffic(per_image, per_call)


def _storage(tensor: torch.Tensor) -> tuple[object, ...]:
    """What two tensors have in common that are the same memory; a storage has no address on the meta device."""
    if tensor.layout != torch.strided:
        return (id(tensor),)
    return tensor.untyped_storage()._cdata, tensor.storage_offset(), tuple(tensor.shape), tensor.stride()


def _bytes(tensor: torch.Tensor) -> int:
    """Its distinct elements: a dimension with stride 0 holds one, a sparse tensor what it stores."""
    if tensor.layout != torch.strided:
        return int(tensor._nnz()) * tensor.element_size()
    sizes = (size for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if stride or not size)
    return prod(sizes) * tensor.element_size()


def _bytes_read(name: str, arguments: Sequence[Any], tensor: torch.Tensor, output: torch.Tensor) -> int:
    if tensor is not arguments[0]:
        return _bytes(tensor)
    if name in CONVOLUTIONS and not arguments[6]:
        return _bytes_in_windows(tensor, output, tuple(arguments[1].shape[2:]), *arguments[3:6])
    if name in WINDOWED_POOLS:
        dimensions = next(int(letter) for letter in "123" if f"pool{letter}d" in name)
        kernel = _sides(arguments[1], dimensions)
        stride = (len(arguments) > 2 and arguments[2]) or kernel
        padding = arguments[3] if len(arguments) > 3 else 0
        dilation = arguments[4] if len(arguments) > 4 and name.startswith(("max", "mkldnn")) else 1
        return _bytes_in_windows(tensor, output, kernel, stride, padding, dilation)
    return _bytes(tensor)


def _bytes_in_windows(
    tensor: torch.Tensor, output: torch.Tensor, kernel: tuple[int, ...], stride: Any, padding: Any, dilation: Any
) -> int:
    """Bytes of the elements that some window covers."""
    dimensions = len(kernel)
    steps = (_sides(value, dimensions) for value in (stride, padding, dilation))
    sides = zip(tensor.shape[-dimensions:], output.shape[-dimensions:], kernel, *steps, strict=True)
    covered = prod(_covered(*side) for side in sides) * prod(tensor.shape[:-dimensions])
    return min(_bytes(tensor), covered * tensor.element_size())


@functools.cache
def _covered(size: int, windows: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Positions along one side of ``size`` that lie in one of so many windows."""
    positions = {window * stride + offset * dilation - padding for window in range(windows) for offset in range(kernel)}
    return sum(0 <= position < size for position in positions)


def _sides(value: Any, dimensions: int) -> tuple[int, ...]:
    sides = tuple(value) if isinstance(value, list | tuple) else (value,)
    return sides * dimensions if len(sides) == 1 else sides
