"""Which networks are made of layers that fbench knows, so that how these compute may be changed."""

from __future__ import annotations

from typing import Any, Final

from torch import nn

_OF_PYTORCH: Final = "torch.nn.modules."
_OF_FBENCH: Final = "fbench."


def has_known_layers_only(network: nn.Module) -> bool:
    """Whether every layer of a network is PyTorch's or fbench's own, without anybody else's hooks."""
    return all(
        f"{type(module).__module__}.".startswith((_OF_PYTORCH, _OF_FBENCH)) and not _has_foreign_hooks(module)
        for module in network.modules()
    )


def _has_foreign_hooks(module: nn.Module) -> bool:
    hooks: list[Any] = [*module._forward_pre_hooks.values(), *module._forward_hooks.values()]
    owners = (type(getattr(hook, "__self__", hook)) for hook in hooks)
    return any(not owner.__module__.startswith(_OF_FBENCH) for owner in owners)
