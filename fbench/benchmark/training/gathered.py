"""A network's forward pass in training, with what is small and the same in many layers done once for all of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import torch
from torch import nn

from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.training.batch_counters import batches_counted_together
from fbench.benchmark.training.bf16_weights import bf16_weights
from fbench.benchmark.training.known_layers import has_known_layers_only


def gather_small_work(network: nn.Module, numerics: Numerics) -> Callable[[torch.Tensor], object]:
    """The forward pass of ``network`` as ``numerics`` compute it in training, under their autocast.

    On CUDA, where a kernel takes longer to begin than a small one to run, casts of weights and counters of batches are
    gathered. That is done to networks of PyTorch's and fbench's layers alone, which are known to use weights and
    counters in no other way, and to none that is compiled. It changes no bit, and nothing outside of the pass.
    """
    if numerics.device_kind != "cuda" or numerics.compile or not has_known_layers_only(network):
        return network

    def forward(images: torch.Tensor) -> object:
        with ExitStack() as stack:
            stack.enter_context(batches_counted_together(network))
            if numerics.precision == "bf16":
                stack.enter_context(bf16_weights(network))
            return network(images)

    return forward
