"""What is done to a network before it trains, so that its layers run as fast as the device allows, and its undoing."""

from __future__ import annotations

import torch
from torch import nn

from fbench.architectures.network_copy import copy_network
from fbench.benchmark.machine.device import lay_out
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.training.fused_batch_norm.layers import arithmetic_of, fuse_batch_norms, plain_batch_norms
from fbench.benchmark.training.layout import forget_gradient_layout, keep_gradient_layout
from fbench.benchmark.training.quick_dropout import plain_dropout, quicken_dropout


def prepare_for_training(network: nn.Module, numerics: Numerics) -> None:
    """Change how an eager network trains, in place: never its weights, their names, or its results beyond rounding.

    Raises:
        UserError: the numerics ask for what is not installed.
    """
    if numerics.compile:
        return
    arithmetic = arithmetic_of(numerics)
    if arithmetic is not None:
        fuse_batch_norms(network, arithmetic)
    if numerics.memory_format != "channels_last":
        return
    keep_gradient_layout(network)
    if numerics.device_kind == "cpu":
        quicken_dropout(network)


def as_built(network: nn.Module) -> nn.Module:
    """A copy of a network as its builder makes it, with its weights: on the CPU, contiguous, in evaluation mode.

    ``network`` itself stays as it is; what :func:`prepare_for_training` did to it is undone in the copy alone.
    """
    copied = copy_network(network)
    forget_gradient_layout(copied)
    plain_dropout(copied)
    plain_batch_norms(copied)
    lay_out(copied.to("cpu"), torch.contiguous_format)
    return copied.eval()
