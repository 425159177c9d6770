"""Layers that learn their input size from the first image, such as ``nn.LazyConv2d``, made whole."""

from __future__ import annotations

import copy
from typing import Any, cast

import torch
from torch import nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy


def has_lazy_layers(module: nn.Module) -> bool:
    """Whether a parameter or buffer still waits for its shape."""
    return any(_is_waiting(tensor) for owner in module.modules() for tensor in _tensors(owner))


def materialise(module: nn.Module, input_shape: tuple[int, int, int]) -> nn.Module:
    """Give all lazy layers their shapes by a forward pass in evaluation mode, and return the module itself.

    Their weights are drawn from torch's global generator. A module without such layers is not touched.

    Raises:
        Exception: whatever the network raises when it is run on such an image, or a lazy layer is not called.
    """
    if not has_lazy_layers(module):
        return module
    training = {owner: owner.training for owner in module.modules()}
    module.eval()
    device = next(tensor.device for owner in module.modules() for tensor in _tensors(owner) if tensor is not None)
    with torch.no_grad():
        module(torch.zeros(1, *input_shape, device=device))
    for owner, mode in training.items():
        owner.training = mode
    waiting = [path for path, owner in module.named_modules() if any(map(_is_waiting, _tensors(owner)))]
    if waiting:
        raise ValueError(f"the layer '{waiting[0]}' is lazy and the forward pass does not call it: remove it")
    return module


def materialised(module: nn.Module, input_shape: tuple[int, int, int]) -> nn.Module:
    """The module, or where it has lazy layers a copy with their shapes."""
    if not has_lazy_layers(module):
        return module
    waiting = [tensor for owner in module.modules() for tensor in _tensors(owner) if tensor is not None]
    memo = {id(tensor): _still_waiting(tensor) for tensor in waiting if is_lazy(tensor)}
    return materialise(copy.deepcopy(module, memo), input_shape)


def _still_waiting(tensor: torch.Tensor) -> torch.Tensor:
    """Another of the same kind; torch refuses to copy them."""
    if isinstance(tensor, UninitializedParameter):
        parameter = cast("Any", UninitializedParameter)
        return cast("torch.Tensor", parameter(tensor.requires_grad, device=tensor.device, dtype=tensor.dtype))
    return cast("torch.Tensor", cast("Any", UninitializedBuffer)(device=tensor.device, dtype=tensor.dtype))


def _is_waiting(tensor: torch.Tensor | None) -> bool:
    return tensor is not None and bool(is_lazy(tensor))


def _tensors(owner: nn.Module) -> list[torch.Tensor | None]:
    return [*owner._parameters.values(), *owner._buffers.values()]
