from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from fbench.benchmark.training.quick_dropout import QuickDropout, quicken_dropout


def quick(rate: float) -> nn.Module:
    network = nn.Sequential(nn.Dropout(rate))
    quicken_dropout(network)
    return network.train()


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.8])
def test_values_are_dropped_at_the_rate_and_the_others_scaled(rate: float) -> None:
    torch.manual_seed(0)
    count = 200_001  # no multiple of four, the draws in a word
    found = quick(rate)(torch.ones(count))
    dropped = float((found == 0).double().mean())
    assert abs(dropped - rate) < 4 * math.sqrt(rate * (1 - rate) / count)
    assert found.unique().tolist() == pytest.approx([0.0, 1 / (1 - rate)])


def test_neighbouring_draws_and_those_of_two_calls_are_independent() -> None:
    torch.manual_seed(0)
    drop, ones = quick(0.5), torch.ones(400_000)
    first, second = (drop(ones) > 0).double(), (drop(ones) > 0).double()
    standard_error = 1 / math.sqrt(len(ones))
    for lag in (1, 2, 3, 4, 8):
        assert abs(float(torch.corrcoef(torch.stack([first[lag:], first[:-lag]]))[0, 1])) < 4 * standard_error
    assert abs(float(torch.corrcoef(torch.stack([first, second]))[0, 1])) < 4 * standard_error


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_gradient_takes_the_same_draws_and_the_map_keeps_its_layout(layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    maps = torch.randn(3, 5, 4, 4).contiguous(memory_format=layout).requires_grad_()
    found = quick(0.3)(maps)
    found.sum().backward()
    assert maps.grad is not None
    assert found.is_contiguous(memory_format=layout)
    torch.testing.assert_close(found, maps * maps.grad)
    assert maps.grad.unique().tolist() == pytest.approx([0.0, 1 / 0.7])


def test_evaluation_changes_nothing_and_the_seed_repeats_the_draws() -> None:
    drop, values = quick(0.5), torch.randn(1000)
    torch.manual_seed(3)
    first = drop(values)
    torch.manual_seed(3)
    assert torch.equal(drop(values), first)
    assert torch.equal(drop.eval()(values), values)


def test_other_dropouts_and_rates_stay_as_they_are() -> None:
    rates = [nn.Dropout(rate) for rate in (0.0, 1e-6, 1 - 1e-6, 1.0)]
    network = nn.Sequential(*rates, nn.Dropout(0.5, inplace=True), nn.Dropout2d(0.5))
    quicken_dropout(network)
    assert not any(isinstance(module, QuickDropout) for module in network.modules())


def test_bf16_maps_stay_bf16() -> None:
    torch.manual_seed(0)
    assert quick(0.5)(torch.ones(100, dtype=torch.bfloat16)).dtype == torch.bfloat16
