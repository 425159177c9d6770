"""Copies of networks, whatever they hold at the time."""

from __future__ import annotations

import copy
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, TypeVar

import torch
from torch import nn

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def copy_network(network: ModuleT) -> ModuleT:
    """A deep copy of a network, tied parameters tied.

    ``copy.deepcopy`` refuses a tensor that was computed with gradients, which a network holds that keeps what it
    computed, or whose weights are computed (``torch.nn.utils.weight_norm``); the copy has its numbers, without the
    graph that they came from.
    """
    computed = (tensor for tensor in _reached_tensors(network) if tensor.grad_fn is not None)
    memo: dict[int, Any] = {id(tensor): tensor.detach().clone() for tensor in computed}
    return _deep_copy(network, memo)


def copy_to(network: ModuleT, device: str) -> ModuleT:
    """A deep copy whose tensors are on ``device``; on the meta device no number is copied.

    Raises:
        NotImplementedError: a sparse tensor, to the meta device.
        TypeError: the network holds what has no copy, such as a lock.
    """
    memo: dict[int, Any] = {id(tensor): _on(device, tensor) for tensor in _reached_tensors(network)}
    return _deep_copy(network, memo)


def _deep_copy(network: ModuleT, memo: dict[int, Any]) -> ModuleT:
    try:
        return copy.deepcopy(network, memo)
    except TypeError as error:
        raise TypeError(f"the network is copied, and holds what no copy can be made of ({error})") from error


def _on(device: str, tensor: torch.Tensor) -> torch.Tensor:
    if device == "meta" and tensor.layout != torch.strided:
        raise NotImplementedError("how many elements a sparse tensor holds is a number, which the meta device lacks")
    if device == "cpu" and tensor.device.type != "meta":
        moved = tensor.detach().cpu().clone()
    else:
        moved = torch.zeros(tensor.shape, dtype=tensor.dtype, device=device)
    return nn.Parameter(moved, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else moved


def _reached_tensors(held: object) -> list[torch.Tensor]:
    """The tensors that are reached through attributes and containers, each once."""
    found: list[torch.Tensor] = []
    seen: set[int] = set()
    waiting = [held]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set | frozenset):
            waiting += value
        elif not isinstance(value, type | FunctionType | BuiltinFunctionType | ModuleType) and hasattr(
            value, "__dict__"
        ):
            waiting.append(vars(value))
    return found
