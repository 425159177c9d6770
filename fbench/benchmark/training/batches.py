"""Augmented batches without end, from a split that lies on the device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

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


class AugmentedBatches:
    """Batches without end in the layout of ``numerics``.

    Order and augmentation are drawn on the CPU, an epoch at a time.

    Where it stands can be taken and put back, within an epoch too: an epoch's draws follow from how the two generators
    stood at its start. ``images_at_once`` is how many images one call augments; it changes no result.
    """

    def __init__(
        self,
        train: SplitTensors,
        normalisation: Normalisation,
        settings: Augmentation,
        plan: StepPlan,
        numerics: Numerics,
        seeds: Seeds,
        watch: Stopwatch,
        images_at_once: int | None = None,
    ) -> None:
        self._train, self._normalisation, self._settings = train, normalisation, settings
        self._plan, self._numerics, self._watch = plan, numerics, watch
        self._order = torch.Generator().manual_seed(seeds.order)
        self._augmentation = torch.Generator().manual_seed(seeds.augmentation)
        at_once = images_at_once or IMAGES_AUGMENTED_AT_ONCE[train.images.device.type]
        self._chunk = max(1, at_once // plan.batch_size) * plan.batch_size
        self._epoch_began = self._generators()
        self._given = plan.steps_per_epoch
        self._waiting: list[MixedBatch] = []

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> MixedBatch:
        if self._given == self._plan.steps_per_epoch:
            self._begin_epoch()
        if not self._waiting:
            self._augment_some()
        self._given += 1
        return _laid_out(self._waiting.pop(), self._numerics)

    def state_dict(self) -> dict[str, Any]:
        """Where the batches stand: both generators at the start of the epoch (uint8), and batches given since."""
        order, augmentation = self._epoch_began
        return {"order": order, "augmentation": augmentation, "given": self._given}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where :meth:`state_dict` was taken."""
        self._order.set_state(state["order"].cpu())
        self._augmentation.set_state(state["augmentation"].cpu())
        self._begin_epoch()
        self._given = int(state["given"])

    def _generators(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self._order.get_state(), self._augmentation.get_state()

    def _begin_epoch(self) -> None:
        train, plan = self._train, self._plan
        image_size = (int(train.images.shape[2]), int(train.images.shape[3]))
        self._epoch_began, self._given, self._waiting = self._generators(), 0, []
        with self._watch.section():
            self._rows = to_device(torch.randperm(train.images.shape[0], generator=self._order), train.images.device)
            draws = draw_augmentation(
                self._settings, plan.batch_size, plan.steps_per_epoch, image_size, self._augmentation
            )
            self._draws = draws.to(train.images.device)

    def _augment_some(self) -> None:
        """The next batches, the first of them last."""
        size = self._plan.batch_size
        start = self._given * size
        stop = min(start + self._chunk, size * self._plan.steps_per_epoch)
        with self._watch.section():
            several = _augmented(
                self._train, self._normalisation, self._rows[start:stop], self._draws.part(start, stop)
            )
        self._waiting = [several.part(slice(first, first + size)) for first in range(0, stop - start, size)][::-1]


def _augmented(
    train: SplitTensors, normalisation: Normalisation, rows: torch.Tensor, draws: AugmentationDraws
) -> MixedBatch:
    shares = None if train.label_shares is None else train.label_shares[rows]
    batch = MixedBatch(normalisation(train.images[rows]), train.labels[rows], label_shares=shares)
    return apply_augmentation(batch, draws)


def _laid_out(batch: MixedBatch, numerics: Numerics) -> MixedBatch:
    images = batch.images.contiguous(memory_format=memory_format(numerics))
    return MixedBatch(images, batch.labels, batch.other_labels, batch.share, batch.label_shares)
