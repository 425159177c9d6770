"""What is computed: batch normalisation and the activation after it, in training, forward and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import torch

Activation = Literal["none", "relu", "hard_swish"]

LAYOUT: Final = torch.channels_last


@dataclass(frozen=True)
class Forward:
    """The activated map, in the layout and type of the input, and of each channel (C,) the mean and the inverse
    deviation of the batch, in float32."""

    output: torch.Tensor
    mean: torch.Tensor
    inverse_deviation: torch.Tensor


@dataclass(frozen=True)
class Backward:
    """Gradients of the input, and of weight and bias (C,) in float32."""

    of_input: torch.Tensor
    of_weight: torch.Tensor
    of_bias: torch.Tensor


@dataclass(frozen=True)
class RunningStatistics:
    """Mean and unbiased variance (C,) that follow each batch by the share ``momentum``; written in place."""

    mean: torch.Tensor
    variance: torch.Tensor
    momentum: float


class Arithmetic(Protocol):
    """One way to compute it. Maps are N x C x H x W in channels_last; sums are in float32, or float64 for float64."""

    def forward(
        self,
        maps: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        running: RunningStatistics,
        epsilon: float,
        activation: Activation,
    ) -> Forward:
        """activation(weight (x - mean) / sqrt(variance + epsilon) + bias), with the batch's own mean and variance."""

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
        """From the gradient of the output, which has the layout and type of the maps, to all others."""


def normalise_and_activate(
    arithmetic: Arithmetic,
    maps: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    running: RunningStatistics,
    epsilon: float,
    activation: Activation,
) -> torch.Tensor:
    """What ``BatchNorm2d`` in training and the activation give for ``maps``, up to rounding; can be differentiated
    once.

    Ioffe and Szegedy 2015, Batch Normalization, algorithm 1. In bf16 the result is rounded once, after the activation.
    """
    found: torch.Tensor = _Fused.apply(maps, weight, bias, arithmetic, running, epsilon, activation)  # type: ignore[no-untyped-call] # torch's
    return found


class _Fused(torch.autograd.Function):
    """Keeps its input and two numbers for each channel; what it normalised is computed again on the way back."""

    @staticmethod
    def forward(
        ctx: Any,
        maps: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        arithmetic: Arithmetic,
        running: RunningStatistics,
        epsilon: float,
        activation: Activation,
    ) -> torch.Tensor:
        maps = maps.contiguous(memory_format=LAYOUT)
        found = arithmetic.forward(maps, weight, bias, running, epsilon, activation)
        ctx.save_for_backward(maps, weight, bias, found.mean, found.inverse_deviation)
        ctx.arithmetic, ctx.activation = arithmetic, activation
        return found.output

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        gradient = gradient.contiguous(memory_format=LAYOUT)
        found = ctx.arithmetic.backward(gradient, *ctx.saved_tensors, ctx.activation)
        return found.of_input, found.of_weight, found.of_bias, None, None, None, None
