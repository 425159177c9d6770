"""Gradients in the layout of the maps they belong to, whatever layers a network has."""

from __future__ import annotations

import torch
from torch import nn


def keep_gradient_layout(network: nn.Module) -> None:
    """From now on, give every channels_last map of ``network`` its gradient in channels_last.

    PyTorch returns the gradients of ``mean``, ``AdaptiveAvgPool2d(1)`` and ``Flatten`` contiguous, and taking such a
    gradient back through a batch normalisation or an activation costs far more than laying it out anew: a fifth of
    IRes' training step on a CPU. That would count against the networks with such a head. No value changes. The first
    backward pass shows which layers are concerned; the others are left alone after it.
    """
    for module in network.modules():
        if next(module.children(), None) is None:
            _Keeper(module)


def forget_gradient_layout(network: nn.Module) -> None:
    """Take away what :func:`keep_gradient_layout` put into ``network``; other hooks stay."""
    for module in network.modules():
        hooks = module._forward_hooks  # torch offers no other way to a hook whose handle is not at hand
        for key in [key for key, hook in hooks.items() if isinstance(getattr(hook, "__self__", None), _Keeper)]:
            del hooks[key]


class _Keeper:
    """Looks after the gradient of one layer's output."""

    def __init__(self, layer: nn.Module) -> None:
        self._concerned = False
        self._handle = layer.register_forward_hook(self._after_forward)

    def _after_forward(self, layer: nn.Module, inputs: object, output: object) -> None:
        if not isinstance(output, torch.Tensor) or not output.requires_grad:
            return
        if output.ndim == 4 and output.is_contiguous(memory_format=torch.channels_last):
            output.register_hook(self._laid_out)
        else:
            self._handle.remove()

    def _laid_out(self, gradient: torch.Tensor) -> torch.Tensor:
        if gradient.is_contiguous(memory_format=torch.channels_last):
            if not self._concerned:
                self._handle.remove()
            return gradient
        self._concerned = True
        return gradient.contiguous(memory_format=torch.channels_last)
