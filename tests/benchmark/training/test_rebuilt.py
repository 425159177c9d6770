"""Weights are kept only where they make the trained network again."""

from __future__ import annotations

from typing import Any

import numpy as np
import odd_networks as odd
import pytest
import torch
from support import trial_spec_of
from torch import nn

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.machine.device import lay_out
from fbench.benchmark.training.trial import TrialContext, run_trial

pytestmark = pytest.mark.usefixtures("same_registry_afterwards")

CPU = TrialContext(torch.device("cpu"))


class DrawsItsOrder(odd.Small):
    """Its channels have an order that is drawn and in no buffer."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.order = np.random.default_rng().permutation(10_000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.flatten(1)[:, self.order.argsort()[: x[0].numel()].argsort()].view_as(x))


class LearnsAnAttribute(odd.Small):
    """Keeps a mean of its inputs in a plain attribute."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.mean = torch.zeros(())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.mean = self.mean + 1
        return super().forward(x) * self.mean


class ForgetsABuffer(odd.Small):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.register_buffer("scale", torch.ones(()), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.scale.mul_(0.5)
        return super().forward(x) * self.scale


class DrawsAnswers(odd.Small):
    """Gives other answers each time, so that nothing can be held against them."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = super().forward(x)
        return logits + torch.rand_like(logits)


@pytest.mark.parametrize("network", [DrawsItsOrder, LearnsAnAttribute, ForgetsABuffer])
def test_a_network_that_is_not_all_in_its_state_keeps_no_weights_and_says_why(
    network: type[odd.Small], stripes: ImageDataset
) -> None:
    result = run_trial(trial_spec_of(stripes, odd.registered(network)), stripes, CPU)
    assert result.record.status == "finished", result.record.failure_reason
    assert result.weights is None
    assert (result.record.weights_not_kept or "").startswith("built again with them, the network gives other logits")
    assert result.predictions is not None


@pytest.mark.parametrize("network", [odd.Small, odd.Tied, DrawsAnswers])
def test_others_are_kept(network: type[odd.Small], stripes: ImageDataset) -> None:
    result = run_trial(trial_spec_of(stripes, odd.registered(network)), stripes, CPU)
    assert result.record.weights_not_kept is None
    assert result.weights is not None


def test_only_kernels_of_four_dimensions_are_laid_out() -> None:
    network = lay_out(nn.Sequential(nn.Conv2d(2, 4, 3), nn.Conv3d(2, 4, 3), nn.Linear(2, 2)), torch.channels_last)
    assert next(network[0].parameters()).is_contiguous(memory_format=torch.channels_last)  # type: ignore[index] # a Sequential
    assert next(network[1].parameters()).is_contiguous()  # type: ignore[index] # a Sequential
