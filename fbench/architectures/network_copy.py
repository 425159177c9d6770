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
    memo: dict[int, Any] = {}
    for tensor in _computed_tensors(network):
        memo[id(tensor)] = tensor.detach().clone()
    return copy.deepcopy(network, memo)


def _computed_tensors(held: object) -> list[torch.Tensor]:
    """The tensors with a graph behind them that are reached through attributes and containers, each once."""
    found: list[torch.Tensor] = []
    seen: set[int] = set()
    waiting = [held]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, torch.Tensor):
            if value.grad_fn is not None:
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
