"""Whose parameters are whose: for each row of a network's table, once each, with who else uses them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class SharedParameter:
    """A parameter of a module that stands, and is counted, in the row of another.

    Attributes:
        name: its name in this module, ``weight``.
        counted_as: where it is counted, ``encoder.weight``.
        elements: how many elements it has.
    """

    name: str
    counted_as: str
    elements: int


@dataclass(frozen=True)
class HeldParameters:
    """What a module holds directly, without what its children hold.

    Attributes:
        trainable: elements that require a gradient.
        frozen: elements that do not.
        bn_running_stats: elements of its running mean and variance.
        shared: parameters that are counted elsewhere and so not here.
    """

    trainable: int = 0
    frozen: int = 0
    bn_running_stats: int = 0
    shared: tuple[SharedParameter, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.trainable or self.frozen or self.bn_running_stats or self.shared)


def held_by(module: nn.Module, paths: Sequence[str]) -> dict[str, HeldParameters]:
    """What the modules at ``paths`` hold, then all other modules that hold something, every element once.

    A parameter that several modules share counts for the first of them in this order.
    """
    owners = dict(module.named_modules())
    counted: dict[int, str] = {}
    found: dict[str, HeldParameters] = {}
    for path in dict.fromkeys([*(path for path in paths if path in owners), *owners]):
        held = _held(path, owners[path], counted)
        if held or path in paths:
            found[path] = held
    return found


def _held(path: str, owner: nn.Module, counted: dict[int, str]) -> HeldParameters:
    trainable = frozen = running = 0
    shared = []
    for name, parameter in owner.named_parameters(recurse=False, remove_duplicate=False):
        full_name = f"{path}.{name}" if path else name
        if counted.setdefault(id(parameter), full_name) != full_name:
            shared.append(SharedParameter(name, counted[id(parameter)], parameter.numel()))
        elif parameter.requires_grad:
            trainable += parameter.numel()
        else:
            frozen += parameter.numel()
    buffers = dict(owner.named_buffers(recurse=False, remove_duplicate=False))
    for name in ("running_mean", "running_var"):
        buffer = buffers.get(name)
        if buffer is not None and counted.setdefault(id(buffer), f"{path}.{name}") == f"{path}.{name}":
            running += buffer.numel()
    return HeldParameters(trainable, frozen, running, tuple(shared))
