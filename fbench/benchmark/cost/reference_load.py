"""A fixed load, timed beside the networks: what the machine was worth while they were measured."""

from __future__ import annotations

import torch
from torch import nn

from fbench.benchmark.cost.calls import Call, inference_call
from fbench.benchmark.records.numerics import Numerics

BATCH_SIZE = 8
INPUT_SHAPE = (1, 48, 48)


def reference_call(numerics: Numerics, device: torch.device) -> Call:
    """A forward pass of a small network that belongs to nobody and never changes: dense and depthwise convolutions,
    batch normalisation, ReLU, pooling and a linear layer, which is what compact networks spend their time on."""
    torch.manual_seed(0)
    eager = numerics.model_copy(update={"compile": False, "cuda_graph": False})
    return inference_call(_network(), INPUT_SHAPE, BATCH_SIZE, eager, device)


def _network() -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    for width in (16, 32):
        layers += [
            nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
            nn.Conv2d(width, 2 * width, 1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 12 * 12, 7))
