from __future__ import annotations

import pytest
import torch
from torch import nn

from fbench.architectures.registry import create
from fbench.benchmark.records.numerics import Numerics, choose_numerics
from fbench.benchmark.training.prepare import prepare_for_training
from fbench.benchmark.training.quick_dropout import QuickDropout


def quick_layers(network: nn.Module) -> int:
    return sum(isinstance(module, QuickDropout) for module in network.modules())


def test_weights_and_their_names_stay() -> None:
    torch.manual_seed(0)
    network = create("arch1", dropout=0.5)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    prepare_for_training(network, choose_numerics("cpu"))
    after = network.state_dict()
    assert quick_layers(network) > 0
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())


@pytest.mark.parametrize(
    "numerics",
    [
        choose_numerics("cpu", compile=True),
        choose_numerics("mps"),
        choose_numerics("cpu").model_copy(update={"memory_format": "contiguous"}),
    ],
)
def test_a_compiled_or_contiguous_network_is_left_alone(numerics: Numerics) -> None:
    network = create("arch1", dropout=0.5)
    prepare_for_training(network, numerics)
    assert quick_layers(network) == 0
    assert not any(module._forward_hooks for module in network.modules())


def test_on_an_accelerator_only_gradients_are_laid_out() -> None:
    network = create("arch1", dropout=0.5)
    prepare_for_training(network, choose_numerics("cuda"))
    assert quick_layers(network) == 0
    assert any(module._forward_hooks for module in network.modules())
