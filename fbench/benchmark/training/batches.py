"""Augmented batches without end, from a split that lies on the device."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from fbench.benchmark.machine.device import Stopwatch, memory_format
from fbench.benchmark.records.budget import StepPlan
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.protocol import Augmentation
from fbench.benchmark.records.trial_records import Seeds
from fbench.benchmark.training.augment import (
    AugmentationDraws,
    MixedBatch,
    apply_augmentation,
    draw_augmentation,
    to_device,
)
from fbench.benchmark.training.tensors import Normalisation, SplitTensors

IMAGES_AUGMENTED_AT_ONCE = {"cpu": 1, "cuda": 4096, "mps": 1024}
"""How many images one call augments, in whole batches; it changes no result.

One batch stays in a CPU's cache, while an accelerator is better off with fewer and larger kernels."""


def augmented_batches(
    train: SplitTensors,
    normalisation: Normalisation,
    settings: Augmentation,
    plan: StepPlan,
    numerics: Numerics,
    seeds: Seeds,
    watch: Stopwatch,
    images_at_once: int | None = None,
) -> Iterator[MixedBatch]:
    """Batches in the layout of ``numerics``; order and augmentation are drawn on the CPU, a whole epoch at a time.

    ``images_at_once`` is how many images one call augments; it changes no result.
    """
    device = train.images.device
    image_size = (int(train.images.shape[2]), int(train.images.shape[3]))
    order_generator = torch.Generator().manual_seed(seeds.order)
    augmentation_generator = torch.Generator().manual_seed(seeds.augmentation)
    size, epoch = plan.batch_size, plan.batch_size * plan.steps_per_epoch
    chunk = max(1, (images_at_once or IMAGES_AUGMENTED_AT_ONCE[device.type]) // size) * size
    while True:
        with watch.section():
            order = to_device(torch.randperm(train.images.shape[0], generator=order_generator), device)
            draws = draw_augmentation(settings, size, plan.steps_per_epoch, image_size, augmentation_generator)
            draws = draws.to(device)
        for start in range(0, epoch, chunk):
            stop = min(start + chunk, epoch)
            with watch.section():
                several = _augmented(train, normalisation, order[start:stop], draws.part(start, stop))
            for first in range(0, stop - start, size):
                yield _laid_out(several.part(slice(first, first + size)), numerics)


def _augmented(
    train: SplitTensors, normalisation: Normalisation, rows: torch.Tensor, draws: AugmentationDraws
) -> MixedBatch:
    shares = None if train.label_shares is None else train.label_shares[rows]
    batch = MixedBatch(normalisation(train.images[rows]), train.labels[rows], label_shares=shares)
    return apply_augmentation(batch, draws)


def _laid_out(batch: MixedBatch, numerics: Numerics) -> MixedBatch:
    images = batch.images.contiguous(memory_format=memory_format(numerics))
    return MixedBatch(images, batch.labels, batch.other_labels, batch.share, batch.label_shares)
