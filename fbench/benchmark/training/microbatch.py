"""How many images at a time fit into the memory of a device, where a whole batch does not."""

from __future__ import annotations

import gc
from typing import Final

import torch

from fbench.architectures.registry import build
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.machine.device import lay_out, memory_format, numerics_in_force, seed_generators
from fbench.benchmark.records.budget import StepPlan
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.training.seeds import derive_seeds
from fbench.benchmark.training.state import TrainingData, TrainingSettings, TrainingState
from fbench.benchmark.training.tensors import choose_normalisation, split_to_device

_STEPS: Final = 2
"""The first step makes what the optimizer keeps; the second runs with all of it."""


def fitting_microbatch(spec: TrialSpec, dataset: ImageDataset, plan: StepPlan, device: torch.device) -> int | None:
    """The largest half, quarter, ... of a batch that trains on the device; none where no such part does.

    A microbatch is part of the numerics, which are fixed with a run: this trains but to see whether it fits.
    """
    size = min(plan.batch_size, spec.numerics.microbatch or plan.batch_size)
    while size > 1:
        size //= 2
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
        try:
            _train_a_little(spec, dataset, plan, device, size)
        except torch.OutOfMemoryError:
            continue
        except Exception:  # of any type: a network may refuse so few images
            return None
        return size
    return None


def _train_a_little(
    spec: TrialSpec, dataset: ImageDataset, plan: StepPlan, device: torch.device, microbatch: int
) -> None:
    numerics = spec.numerics.model_copy(update={"microbatch": microbatch})
    seeds = derive_seeds(spec.seed)
    with numerics_in_force(numerics, device):
        seed_generators(seeds.initialisation, device)
        network = lay_out(build(spec.network.resolved).to(device), memory_format(numerics))
        train = split_to_device(dataset, "train", device, numerics, spec.budget.train_images)
        data = TrainingData(train, train, choose_normalisation(spec.protocol, train))
        state = TrainingState(network, data, TrainingSettings(spec.protocol, plan, numerics, seeds))
        for step in range(_STEPS):
            state.schedule.before_step(step)
            state.train_on(next(state.batches))
        float(state.totals.loss)  # waits for the device
