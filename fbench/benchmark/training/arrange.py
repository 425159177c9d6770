"""What a protocol makes of a data set before training: its splits, and fixed augmented copies of its images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from fbench.benchmark.data.dataset import SPLITS, ImageDataset
from fbench.benchmark.records.protocol import Augmentation, Protocol
from fbench.benchmark.training.augment import augment
from fbench.benchmark.training.tensors import SplitTensors, fit_normalisation

_CHUNK = 1024  # images augmented at a time: 9 MB of pixels at 48x48


def arrange_splits(dataset: ImageDataset, protocol: Protocol) -> ImageDataset:
    """The data set with the splits that the protocol uses: validation joins test where it says so."""
    if protocol.test_split == "own":
        return dataset
    split = np.where(dataset.split == SPLITS.index("validation"), SPLITS.index("test"), dataset.split)
    return replace(dataset, split=split.astype(dataset.split.dtype))


def with_fixed_copies(train: SplitTensors, settings: Augmentation, seed: int) -> SplitTensors:
    """The training images (N, C, H, W) followed by one augmented copy of each, as uint8 (2N, C, H, W).

    The copies are drawn once, from ``seed`` alone. They are rounded to whole gray values like the images themselves.
    """
    generator, normalisation = torch.Generator().manual_seed(seed), fit_normalisation(train)
    copies = []
    for images, labels in zip(train.images.split(_CHUNK), train.labels.split(_CHUNK), strict=True):
        changed = augment(normalisation(images), labels, settings, generator).images
        gray = changed / normalisation.inverse_deviation + normalisation.mean
        copies.append(gray.round().clamp(0, 255).to(torch.uint8))
    return SplitTensors(
        images=torch.cat([train.images, *copies]),
        labels=train.labels.repeat(2),
        rows=np.concatenate([train.rows, train.rows]),
        label_shares=None if train.label_shares is None else train.label_shares.repeat(2, 1),
    )
