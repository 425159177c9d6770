"""A small network of depthwise-separable convolutions (Howard et al. 2017, "MobileNets", arXiv:1704.04861)."""

from __future__ import annotations

import torch
from torch import nn

from fbench import register


class SmallSeparable(nn.Module):
    """A strided convolution, separable blocks that halve the image and double the channels, a mean, a linear layer."""

    def __init__(self, num_classes: int, in_channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(in_channels, width, 3, stride=2, padding=1)
        self.blocks = nn.Sequential(*(_separable(width * 2**block) for block in range(blocks)))
        self.classifier = nn.Linear(width * 2**blocks, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (N, C, H, W) to logits (N, classes)."""
        features: torch.Tensor = self.blocks(torch.relu(self.stem(x)))
        logits: torch.Tensor = self.classifier(features.mean((-2, -1)))
        return logits


def _separable(channels: int) -> nn.Module:
    """A depthwise 3x3 convolution with stride 2, and a pointwise one to twice the channels."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, stride=2, padding=1, groups=channels, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, 2 * channels, 1, bias=False),
        nn.BatchNorm2d(2 * channels),
        nn.ReLU(),
    )


@register("small_separable", description="A strided convolution and separable blocks")
def small_separable(
    *, num_classes: int = 7, in_channels: int = 1, image_size: int = 48, width: int = 16, blocks: int = 2
) -> nn.Module:
    """Takes images of any size."""
    return SmallSeparable(num_classes, in_channels, width, blocks)
