from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from fbench.architectures.network_copy import copy_network


class Keeps(nn.Module):
    """Keeps what it computed, in a place of any kind."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.other = nn.Linear(2, 2), nn.Linear(2, 2)
        self.other.weight = self.layer.weight
        computed = self.layer(torch.ones(2))
        self.kept = computed
        self.nested = {"a": [(computed,)], "b": Place(self.layer.weight.sum())}


class Place:
    def __init__(self, value: torch.Tensor) -> None:
        self.value = value


def test_a_network_that_keeps_what_it_computed_is_copied_with_the_numbers() -> None:
    network = Keeps()
    with pytest.raises(RuntimeError):
        copy.deepcopy(network)
    copied = copy_network(network)
    assert torch.equal(copied.kept, network.kept)
    assert copied.nested["a"][0][0] is copied.kept
    assert torch.equal(copied.nested["b"].value, network.nested["b"].value)
    assert copied.kept.grad_fn is None
    assert network.kept.grad_fn is not None


def test_a_copy_has_weights_of_its_own_tied_as_they_were() -> None:
    network = Keeps()
    copied = copy_network(network)
    assert copied.other.weight is copied.layer.weight
    with torch.no_grad():
        copied.layer.weight += 1
    assert torch.equal(copied.layer.weight, network.layer.weight + 1)
    assert copied.layer.weight.requires_grad


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_a_network_whose_weight_is_computed_is_copied_and_computes_alike() -> None:
    network = torch.nn.utils.weight_norm(nn.Linear(3, 2))
    x = torch.randn(4, 3)
    copied = copy_network(network)
    assert torch.equal(copied(x), network(x))
    with torch.no_grad():
        copied.weight_g *= 2
    assert not torch.equal(copied(x), network(x))
