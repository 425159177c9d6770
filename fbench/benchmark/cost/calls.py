"""The call that is timed: one inference, or one training step, on inputs that rotate."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn

from fbench.benchmark.device import autocast, memory_format
from fbench.benchmark.numerics import Numerics
from fbench.benchmark.specs import CostMode, NetworkSpec
from fbench.benchmark.training.prepare import prepare_for_training

ROTATED_BATCHES = 4
"""Inputs rotate among this many batches, so that a cache that holds the last one does not flatter."""


@dataclass(frozen=True)
class Call:
    """``prepare`` puts the network into its mode, untimed; ``run`` is what is timed."""

    prepare: Callable[[], object]
    run: Callable[[], None]


def make_call(
    module: nn.Module,
    network: NetworkSpec,
    mode: CostMode,
    batch_size: int,
    numerics: Numerics,
    device: torch.device,
) -> Call:
    """One call of ``module`` in ``mode`` on random images (N, C, H, W).

    ``train`` is forward, cross-entropy, backward and an AdamW step; ``inference`` a forward pass in evaluation mode.
    """
    layout = memory_format(numerics)
    module = module.to(device).to(memory_format=layout)  # type: ignore[call-overload] # torch's stub lacks memory_format alone
    generator = torch.Generator().manual_seed(0)
    shape = (batch_size, *network.input_shape)
    inputs = itertools.cycle(
        [
            torch.randn(shape, generator=generator).to(device).contiguous(memory_format=layout)
            for _ in range(ROTATED_BATCHES)
        ]
    )
    if mode == "inference":

        def infer() -> None:
            with torch.inference_mode(), autocast(numerics):
                module(next(inputs))

        return Call(module.eval, infer)
    prepare_for_training(module, numerics)
    classes = int(network.options["num_classes"])
    labels = torch.randint(classes, (batch_size,), generator=generator).to(device)
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-4, fused=True)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with autocast(numerics):
            logits = module(next(inputs))
        F.cross_entropy(logits.float(), labels).backward()
        optimizer.step()

    return Call(module.train, step)
