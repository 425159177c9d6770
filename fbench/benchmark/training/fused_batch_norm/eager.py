"""Batch normalisation with its activation in PyTorch's own operations: what other ways to compute it are held to."""

from __future__ import annotations

import torch

from fbench.benchmark.training.fused_batch_norm.arithmetic import Activation, Backward, Forward, RunningStatistics


class EagerArithmetic:
    """As the formulas stand, one operation after the other; slower than PyTorch's own layers."""

    def forward(
        self,
        maps: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        running: RunningStatistics,
        epsilon: float,
        activation: Activation,
    ) -> Forward:
        """See :class:`Arithmetic`."""
        values = _wide(maps)
        count = maps.numel() // maps.shape[1]
        mean = values.mean((0, 2, 3))
        variance = (values - _along(mean)).square().mean((0, 2, 3))
        inverse_deviation = 1 / (variance + epsilon).sqrt()
        _follow(running.mean, mean, running.momentum)
        _follow(running.variance, variance * (count / (count - 1)), running.momentum)
        scaled = (values - _along(mean)) * _along(inverse_deviation) * _along(weight) + _along(bias)
        return Forward(activated(scaled, activation).to(maps.dtype), mean, inverse_deviation)

    def backward(
        self,
        gradient: torch.Tensor,
        maps: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        mean: torch.Tensor,
        inverse_deviation: torch.Tensor,
        activation: Activation,
    ) -> Backward:
        """See :class:`Arithmetic`."""
        count = maps.numel() // maps.shape[1]
        normalised = (_wide(maps) - _along(mean)) * _along(inverse_deviation)
        scaled = normalised * _along(weight) + _along(bias)
        of_scaled = gradient_before(_wide(gradient), scaled, activation)
        of_bias = of_scaled.sum((0, 2, 3))
        of_weight = (of_scaled * normalised).sum((0, 2, 3))
        centred = of_scaled - _along(of_bias / count) - normalised * _along(of_weight / count)
        return Backward((centred * _along(weight * inverse_deviation)).to(maps.dtype), of_weight, of_bias)


def activated(values: torch.Tensor, activation: Activation) -> torch.Tensor:
    """The activation of float values; what is no number stays none."""
    match activation:
        case "none":
            return values
        case "relu":
            return torch.where(values <= 0, 0.0, values)
        case "hard_swish":
            return values * (values + 3).clamp(0, 6) / 6


def gradient_before(gradient: torch.Tensor, values: torch.Tensor, activation: Activation) -> torch.Tensor:
    """The gradient of the values that the activation was given; where it has a corner, PyTorch's choice."""
    match activation:
        case "none":
            return gradient
        case "relu":
            return torch.where(values <= 0, 0.0, gradient)
        case "hard_swish":
            within = torch.where(values < 3, gradient * (values / 3 + 0.5), gradient)
            return torch.where(values <= -3, 0.0, within)


def _wide(values: torch.Tensor) -> torch.Tensor:
    return values if values.dtype is torch.float64 else values.float()


def _along(values: torch.Tensor) -> torch.Tensor:
    """One number for each channel beside maps."""
    return values.view(1, -1, 1, 1)


def _follow(running: torch.Tensor, of_batch: torch.Tensor, momentum: float) -> None:
    running.mul_(1 - momentum).add_(of_batch, alpha=momentum)
