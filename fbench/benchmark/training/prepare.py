"""What is done to a network before it trains, so that its layers run as fast as the device allows."""

from __future__ import annotations

from torch import nn

from fbench.benchmark.numerics import Numerics
from fbench.benchmark.training.layout import keep_gradient_layout
from fbench.benchmark.training.narrow_batch_norm import quicken_batch_norm
from fbench.benchmark.training.quick_dropout import quicken_dropout


def prepare_for_training(network: nn.Module, numerics: Numerics) -> None:
    """Change how an eager network in channels_last trains, in place: never its weights, their names, or its results
    beyond rounding."""
    if numerics.compile or numerics.memory_format != "channels_last":
        return
    keep_gradient_layout(network)
    if numerics.device_kind == "cpu":
        quicken_batch_norm(network)
        quicken_dropout(network)
