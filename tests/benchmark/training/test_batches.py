from __future__ import annotations

import torch
from support import make_stripes

from fbench.benchmark.machine.device import Stopwatch
from fbench.benchmark.records.budget import StepPlan
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.training.batches import AugmentedBatches
from fbench.benchmark.training.seeds import derive_seeds
from fbench.benchmark.training.tensors import choose_normalisation, split_to_device


def batches(images_at_once: int) -> AugmentedBatches:
    protocol, numerics, device = load_protocol("fbench"), choose_numerics("cpu"), torch.device("cpu")
    split = split_to_device(make_stripes((9 * 128, 3, 3)), "train", device, numerics)
    plan = StepPlan(9, 128, 9, (9,))
    normalisation, watch = choose_normalisation(protocol, split), Stopwatch(device)
    return AugmentedBatches(
        split, normalisation, protocol.augmentation, plan, numerics, derive_seeds(7), watch, images_at_once
    )


def test_the_number_of_images_augmented_at_once_changes_no_batch() -> None:
    single, several = batches(128), batches(1024)
    for _ in range(9):
        assert torch.equal(next(single).images, next(several).images)
