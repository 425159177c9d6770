"""A network behind its normalisation, as one module: what is exported."""

from __future__ import annotations

import torch
from torch import nn

from fbench.benchmark.records.trial_records import PixelNormalisation
from fbench.benchmark.training.tensors import SplitNormalisation, normalise_each_image


class FromPixels(nn.Module):
    """A network behind its normalisation: pixels 0 to 255 float32 (N, C, H, W) to logits (N, classes)."""

    mean: torch.Tensor
    inverse_deviation: torch.Tensor

    def __init__(self, network: nn.Module, fitted: PixelNormalisation | None) -> None:
        super().__init__()
        self.network = network
        self.each_image = fitted is None
        mean, inverse = (fitted.mean, fitted.inverse_deviation) if fitted else ((), ())
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, -1, 1, 1))
        self.register_buffer("inverse_deviation", torch.tensor(inverse, dtype=torch.float32).view(1, -1, 1, 1))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Normalise as the trial did, and classify."""
        by_split = SplitNormalisation(self.mean, self.inverse_deviation)
        logits: torch.Tensor = self.network(normalise_each_image(pixels) if self.each_image else by_split(pixels))
        return logits
