"""The weights of a network in bf16, all cast together.

Autocast casts each weight of a convolution or dense layer apart, and each gradient back: 62 kernels of a step of IRes,
each of which takes a device longer to begin than to do. One copy of a list of tensors rounds the same way, and the way
back is exact, so no bit of a training changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import nn

_CAST_LAYERS: Final = frozenset((nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear))
"""Layers whose weight and bias autocast casts, and which use them in no other way."""


@contextmanager
def bf16_weights(network: nn.Module) -> Iterator[None]:
    """Within the block the trained float32 weights of ``network``'s convolutions and dense layers are read as bf16.

    For one forward pass under autocast, whose backward pass gives the gradients to the float32 weights, as they are
    again in their places after the block. Only the layers themselves may read their weights meanwhile.
    """
    places = [
        (module._parameters, name, weight)
        for module in network.modules()
        if type(module) in _CAST_LAYERS
        for name, weight in module._parameters.items()
        if weight is not None and weight.requires_grad and weight.dtype is torch.float32
    ]
    weights = list({id(weight): weight for _, _, weight in places}.values())  # one that is shared is cast once
    cast = _CastTogether.apply(*weights) if weights else ()  # type: ignore[no-untyped-call] # torch's
    copies = dict(zip(map(id, weights), cast, strict=True))
    try:
        for held, name, weight in places:
            held[name] = copies[id(weight)]
        yield
    finally:
        for held, name, weight in places:
            held[name] = weight


class _CastTogether(torch.autograd.Function):
    """From float32 tensors to bf16 ones in one operation, and back in another."""

    @staticmethod
    def forward(ctx: Any, *weights: torch.Tensor) -> tuple[torch.Tensor, ...]:
        ctx.weights = weights
        ctx.set_materialize_grads(False)  # a layer that took no part has no gradient
        copies = [torch.empty_like(weight, dtype=torch.bfloat16) for weight in weights]
        torch._foreach_copy_(copies, weights)
        return tuple(copies)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        found = {
            number: _in_the_strides_of(weight, gradient)
            for number, (weight, gradient) in enumerate(zip(ctx.weights, gradients, strict=True))
            if gradient is not None
        }
        cast = {number: torch.empty_like(ctx.weights[number]) for number in found}
        if found:
            torch._foreach_copy_(list(cast.values()), list(found.values()))
        return tuple(cast.get(number) for number in range(len(gradients)))


def _in_the_strides_of(weight: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """The gradient with the very strides of its weight: a list is copied at once only where all strides agree.

    Strides along a side of length one are free, and differ between kernels and layouts: setting them moves nothing.
    """
    sides = zip(weight.shape, weight.stride(), gradient.stride(), strict=True)
    if all(size == 1 or ours == theirs for size, ours, theirs in sides):
        return gradient.as_strided(weight.shape, weight.stride())
    return torch.empty_like(weight, dtype=gradient.dtype).copy_(gradient)
