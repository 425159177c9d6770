"""A network made in this process, with a sentence where the options that were given cannot be built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from fbench.architectures.builders import ResolvedArchitecture
from fbench.core.capacity import GIB, available_memory_gib
from fbench.core.errors import UserError, errors_of_network, reason_on_a_line
from fbench.core.type_words import shown

if TYPE_CHECKING:
    from torch import nn

_LARGE: Final = 1000
"""From such numbers on, memory is looked at first: Linux may promise more than there is, and ends the process later."""


def created(
    resolved: ResolvedArchitecture, given: Mapping[str, Any], build: Callable[[ResolvedArchitecture], nn.Module]
) -> nn.Module:
    """What ``build`` makes of an architecture; ``given`` are the options that were asked for.

    Raises:
        UserError: a user's builder raises anything, the network has more weights than memory is free for, or PyTorch
            refuses the numbers.
    """
    if resolved.source is not None:
        with errors_of_network(resolved.name):
            return build(resolved)
    try:
        if any(map(_is_large, given.values())):
            _refuse_beyond_memory(resolved, given, build)
        return build(resolved)
    except (RuntimeError, TypeError, ValueError, OverflowError, MemoryError) as error:
        if not given:
            raise
        raise UserError(
            f"'{resolved.name}' cannot be built with {_options(given)} ({reason_on_a_line(error, 200)}); give smaller "
            "numbers."
        ) from error


def _refuse_beyond_memory(
    resolved: ResolvedArchitecture, given: Mapping[str, Any], build: Callable[[ResolvedArchitecture], nn.Module]
) -> None:
    import torch

    with torch.device("meta"):
        network = build(resolved)
    weights = sum(one.numel() * one.element_size() for one in network.parameters()) / GIB
    free = available_memory_gib()
    if weights > free:
        raise UserError(
            f"'{resolved.name}' with {_options(given)} has {weights:,.1f} GiB of weights and {free:,.1f} GiB of memory "
            "are free; give smaller numbers."
        )


def _is_large(value: object) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_is_large, value))
    return isinstance(value, int | float) and value > _LARGE


def _options(given: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={shown(value)}" for name, value in given.items())
