"""A data set on the device: uint8 images, normalised in batches as the protocol says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows

from fbench.benchmark.data.dataset import ImageDataset, SplitName
from fbench.benchmark.machine.device import memory_format
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.trial_records import PixelNormalisation


@dataclass(frozen=True)
class SplitTensors:
    """One split on the device: ``images`` uint8 (N, C, H, W), ``labels`` int64 (N,), and its rows in the data set.

    ``label_shares`` float (N, classes) are the training targets where the data set has them.
    """

    images: torch.Tensor
    labels: torch.Tensor
    rows: npt.NDArray[np.int64]
    label_shares: torch.Tensor | None = None


Normalisation = Callable[[torch.Tensor], torch.Tensor]
"""From uint8 images (N, C, H, W) to float32 ones that a network sees."""


@dataclass(frozen=True)
class SplitNormalisation:
    """Per-channel mean and deviation of the training images, on the 0-255 scale, as (1, C, 1, 1) tensors."""

    mean: torch.Tensor
    inverse_deviation: torch.Tensor

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 images to float32; over the training split mean 0 and deviation 1."""
        return (images.float() - self.mean) * self.inverse_deviation

    def values(self) -> PixelNormalisation:
        """The numbers alone, as records keep them."""
        mean, inverse = (tuple(part.flatten().tolist()) for part in (self.mean, self.inverse_deviation))
        return PixelNormalisation(mean=mean, inverse_deviation=inverse)


def normalise_each_image(images: torch.Tensor) -> torch.Tensor:
    """uint8 images to float32, each with mean 0 and deviation 1 over its channels and pixels, whatever the lighting.

    One gray value squared is added to the variance, so that an empty image becomes 0.
    """
    return F.layer_norm(images.float(), images.shape[1:], eps=1.0)


def choose_normalisation(protocol: Protocol, train: SplitTensors) -> Normalisation:
    """What the protocol does to an image before a network sees it."""
    return normalise_each_image if protocol.normalisation == "per_image" else fit_normalisation(train)


def split_to_device(
    dataset: ImageDataset,
    split: SplitName,
    device: torch.device,
    numerics: Numerics,
    limit: int | None = None,
) -> SplitTensors:
    """Copy a split to the device once, the first ``limit`` rows of a fixed stratified order where a limit is given."""
    rows = dataset.rows(split)
    if limit is not None and limit < rows.size:
        rows = np.sort(stratified_order(dataset.labels[rows], rows)[:limit])
    images = torch.from_numpy(dataset.images[rows]).to(device).contiguous(memory_format=memory_format(numerics))
    labels = torch.from_numpy(dataset.labels[rows].astype(np.int64)).to(device)
    shares = None if dataset.label_shares is None else torch.from_numpy(dataset.label_shares[rows]).to(device)
    return SplitTensors(images, labels, rows, shares)


def stratified_order(labels: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Rows ordered so that every prefix has the class proportions of the whole, by a fixed shuffle (seed 0)."""
    generator = np.random.default_rng(0)
    shuffled = generator.permutation(rows.size)
    position = np.empty(rows.size)
    for label in np.unique(labels):
        members = shuffled[labels[shuffled] == label]
        position[members] = (np.arange(members.size) + 0.5) / members.size
    return rows[np.lexsort((shuffled.argsort(), position))]


def fit_normalisation(train: SplitTensors) -> SplitNormalisation:
    """Mean and deviation per channel, exact: the sums of uint8 values and squares, from how often each is there."""
    images = train.images
    pixels = images.shape[0] * images.shape[2] * images.shape[3]
    channels = (images[:, channel].flatten() for channel in range(images.shape[1]))
    counts = torch.stack([torch.bincount(values, minlength=256) for values in channels]).cpu()
    gray = torch.arange(256)
    mean = (counts * gray).sum(1).double() / pixels
    deviation = ((counts * gray * gray).sum(1).double() / pixels - mean * mean).clamp_min(1.0).sqrt()

    def shaped(values: torch.Tensor) -> torch.Tensor:
        return values.float().view(1, -1, 1, 1).to(images.device)

    return SplitNormalisation(shaped(mean), shaped(1.0 / deviation))
