"""The state of a network while it trains: taken out as it stands, and put into it, or a new one, again."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

State = dict[str, Any]
"""A ``state_dict``: tensors by name, and under names that end in ``_extra_state`` whatever a network keeps there."""


def take_state(network: nn.Module) -> State:
    """A copy of the state of ``network``; what shares memory in the network shares it in the copy.

    Raises:
        TypeError: naming the first part that cannot be copied.
    """
    state: State = network.state_dict()
    memo: dict[int, Any] = {}
    for name, value in state.items():
        try:
            state[name] = _copied(value, memo)
        except Exception as error:  # whatever the copying of somebody's object raises
            raise TypeError(
                f"'{name}' of the network's state is or holds an object of class {type(value).__qualname__} that "
                f"cannot be copied ({error}); let get_extra_state return one that can"
            ) from error
    return state


def fits(network: nn.Module, state: Mapping[str, Any]) -> bool:
    """Whether ``network`` has a place of the right shape for each part of ``state``, and no other."""
    own = network.state_dict()
    return own.keys() == state.keys() and all(_shape(own[name]) == _shape(state[name]) for name in own)


def put_state(network: nn.Module, state: State) -> None:
    """Put ``state`` into ``network``, in place where its tensors allow it.

    ``load_state_dict`` writes into the tensors that are there. A network may have replaced a buffer by one of another
    shape or type (a memory that grows), registered one while it ran, or have one whose values share memory: such a
    buffer becomes a copy of the value, and one that the state lacks becomes None.

    Raises:
        RuntimeError: the state is that of another network.
    """
    modules = dict(network.named_modules())
    for name, value in state.items():
        path, _, leaf = name.rpartition(".")
        owner = modules.get(path)
        if owner is None or not isinstance(value, torch.Tensor):
            continue
        if leaf in owner._buffers:
            current = owner._buffers[leaf]
            if current is None or must_be_replaced(current, value):
                device = next((one.device for one in (current, *network.parameters()) if one is not None), value.device)
                owner._buffers[leaf] = own_copy(value).to(device)
        elif leaf not in owner._parameters and not hasattr(owner, leaf):
            device = next((one.device for one in network.parameters()), value.device)
            owner.register_buffer(leaf, own_copy(value).to(device))
    for name in network.state_dict().keys() - state.keys():
        path, _, leaf = name.rpartition(".")
        if leaf in modules[path]._buffers:
            modules[path]._buffers[leaf] = None  # it was filled later than the state was taken
    own = copy.copy(state)  # with the versions of modules that torch hangs on a state_dict
    for name, value in state.items():
        if not isinstance(value, torch.Tensor):  # the network may keep it, and change it
            own[name] = copy.deepcopy(value)
    network.load_state_dict(own)


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    if not isinstance(value, torch.Tensor):
        return copy.deepcopy(value, memo)
    if value.layout is not torch.strided:  # torch has no deep copy of some layouts
        return value.detach().clone()
    return copy.deepcopy(value.detach(), memo)


def must_be_replaced(current: torch.Tensor, value: torch.Tensor) -> bool:
    """Whether a buffer cannot take the numbers of ``value`` in place."""
    unlike = current.shape != value.shape or current.dtype != value.dtype or current.layout != value.layout
    return unlike or current.is_inference() or current.layout is not torch.strided or _shares_its_memory(current)


def own_copy(value: torch.Tensor) -> torch.Tensor:
    """A copy without a graph in which each element has a place of its own."""
    if value.layout is not torch.strided:
        return value.detach().clone()
    return value.detach().clone(memory_format=torch.contiguous_format)


def _shares_its_memory(value: torch.Tensor) -> bool:
    """Whether several elements of a strided tensor are one place in memory (``expand``), so that none can be set."""
    return any(stride == 0 and size > 1 for stride, size in zip(value.stride(), value.shape, strict=True))


def _shape(value: Any) -> tuple[int, ...] | None:
    return tuple(value.shape) if isinstance(value, torch.Tensor) else None
