"""Layers that compute batch normalisation and activation as one, in the places of PyTorch's own."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Final, cast

import torch
from torch import nn

from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.training.fused_batch_norm.arithmetic import (
    Activation,
    Arithmetic,
    RunningStatistics,
    normalise_and_activate,
)
from fbench.benchmark.training.fused_batch_norm.eager import EagerArithmetic
from fbench.benchmark.training.fused_batch_norm.with_triton import TritonArithmetic
from fbench.benchmark.training.known_layers import has_known_layers_only
from fbench.core.errors import UserError

_ACTIVATIONS: Final[dict[type[nn.Module], Activation]] = {nn.ReLU: "relu", nn.Hardswish: "hard_swish"}


class FusedBatchNorm(nn.BatchNorm2d):
    """As ``BatchNorm2d``; in training the activation that follows it is computed with it."""

    arithmetic: Arithmetic
    activation: Activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise maps N x C x H x W, with the statistics of the batch in training, which are then followed."""
        mean, variance, momentum = self.running_mean, self.running_var, self.momentum
        if not self.training or mean is None or variance is None or momentum is None:
            return super().forward(x)
        self._check_input_dim(x)
        if x.numel() == x.shape[1]:
            raise ValueError(f"a channel of {tuple(x.shape)} has one value; give more than one image in training")
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        running = RunningStatistics(mean, variance, momentum)
        return normalise_and_activate(self.arithmetic, x, self.weight, self.bias, running, self.eps, self.activation)


class _Applied:
    """An activation that the layer before it has applied, where that trains."""

    _before: tuple[FusedBatchNorm]  # in a tuple, so that it is no part of this module

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Hand an activated map on, and activate another."""
        found: torch.Tensor = x if self._before[0].training else super().forward(x)  # type: ignore[misc] # of the activation beside it
        return found


class AppliedReLU(_Applied, nn.ReLU):
    """``ReLU`` after a :class:`FusedBatchNorm`."""


class AppliedHardswish(_Applied, nn.Hardswish):
    """``Hardswish`` after a :class:`FusedBatchNorm`."""


_APPLIED: Final[dict[type[nn.Module], type[nn.Module]]] = {nn.ReLU: AppliedReLU, nn.Hardswish: AppliedHardswish}
_PLAIN: Final = {applied: plain for plain, applied in _APPLIED.items()} | {FusedBatchNorm: nn.BatchNorm2d}


def fuse_batch_norms(network: nn.Module, arithmetic: Arithmetic) -> None:
    """Let each ``BatchNorm2d`` of ``network`` compute with the activation directly after it, in place.

    Only in networks of PyTorch's and fbench's layers, where nothing reads what is between the two. Weights, buffers and
    their names stay; results change by rounding. One without an activation is computed by the same arithmetic.
    """
    if not has_known_layers_only(network):
        return
    uses = Counter(id(module) for _, module in network.named_modules(remove_duplicate=False))
    after = {
        id(first): second
        for module in network.modules()
        if type(module) is nn.Sequential
        for first, second in pairwise(module)
    }
    for module in list(network.modules()):
        if type(module) is not nn.BatchNorm2d or not module.affine or not module.track_running_stats:
            continue
        if module.momentum is None:  # averages by its counter, which the host would have to read
            continue
        follower = after.get(id(module))
        module.__class__ = FusedBatchNorm
        fused = cast("FusedBatchNorm", module)
        fused.arithmetic, fused.activation = arithmetic, "none"
        if follower is not None and type(follower) in _ACTIVATIONS and uses[id(module)] == uses[id(follower)] == 1:
            fused.activation = _ACTIVATIONS[type(follower)]
            follower.__dict__["_before"] = (fused,)
            follower.__class__ = _APPLIED[type(follower)]


def plain_batch_norms(network: nn.Module) -> None:
    """Undo :func:`fuse_batch_norms`."""
    for module in network.modules():
        plain = _PLAIN.get(type(module))
        if plain is not None:
            for name in ("arithmetic", "activation", "_before"):
                module.__dict__.pop(name, None)
            module.__class__ = plain


def arithmetic_of(numerics: Numerics) -> Arithmetic | None:
    """What computes batch normalisations with their activations; none where PyTorch's own layers do.

    Raises:
        UserError: the numerics ask for Triton elsewhere than on CUDA, or it is not installed.
    """
    if numerics.fused_batch_norm == "triton" and numerics.device_kind != "cuda":
        raise UserError(
            f"Batch normalisation fused by Triton was asked for on {numerics.device_kind}, and it computes on CUDA "
            "only; take numerics without fused_batch_norm."
        )
    match numerics.fused_batch_norm:
        case "triton":
            return TritonArithmetic()
        case "eager":
            return EagerArithmetic()
        case None:
            return None
