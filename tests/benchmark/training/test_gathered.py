"""What is done once for all layers has the bits of what each layer does apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn
from torch.nn.utils import parametrizations

from fbench.architectures.registry import create, list_architectures
from fbench.benchmark.machine.device import lay_out
from fbench.benchmark.records.numerics import Numerics, choose_numerics
from fbench.benchmark.training.batch_counters import batches_counted_together
from fbench.benchmark.training.bf16_weights import bf16_weights
from fbench.benchmark.training.gathered import gather_small_work
from fbench.benchmark.training.known_layers import has_known_layers_only
from fbench.benchmark.training.layout import keep_gradient_layout
from tests.networks_by_builder import by_builder

CUDA = choose_numerics("cuda", "bf16")

Forward = Callable[[torch.Tensor], Any]


def pass_and_back(network: nn.Module, forward: Forward, passes: int = 1) -> dict[str, torch.Tensor]:
    """Logits, gradients and buffers after so many passes whose gradients are summed; computed on the CPU in bf16."""
    torch.manual_seed(1)
    images = torch.randn(6, 1, 48, 48).contiguous(memory_format=torch.channels_last)
    found = {}
    network.train()
    for _ in range(passes):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found["logits"] = forward(images)
        F.cross_entropy(found["logits"].float(), torch.arange(6)).backward()
    found |= {name: value.grad for name, value in network.named_parameters() if value.grad is not None}
    return found | {name: value.detach().clone() for name, value in network.named_buffers()}


def built(name: str, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    return lay_out(create(name, **options), torch.channels_last)


def assert_same_bits(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


@pytest.mark.parametrize("passes", [1, 2])
@pytest.mark.parametrize("name", by_builder(list_architectures()))
def test_a_pass_of_every_network_has_the_bits_of_autocast_alone(name: str, passes: int) -> None:
    plain, gathered = built(name), built(name)
    found = pass_and_back(gathered, gather_small_work(gathered, CUDA), passes)
    assert_same_bits(found, pass_and_back(plain, plain, passes))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_weights_counters_and_their_names_are_in_their_places_afterwards(precision: str) -> None:
    network = built("ires")
    before = dict(network.named_parameters()) | dict(network.named_buffers())
    pass_and_back(network, gather_small_work(network, choose_numerics("cuda", precision)))  # type: ignore[arg-type] # one of the literals
    after = dict(network.named_parameters()) | dict(network.named_buffers())
    assert all(after[name] is value for name, value in before.items())
    assert list(after) == list(before)


def test_they_are_in_their_places_after_an_error_too() -> None:
    network = built("lenet5")
    before = dict(network.named_parameters())
    with pytest.raises(RuntimeError):
        gather_small_work(network, CUDA)(torch.zeros(1, 5, 48, 48))
    assert all(value is before[name] for name, value in network.named_parameters())


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradients_have_the_strides_of_their_weights(layout: torch.memory_format) -> None:
    network = lay_out(built("ires"), layout)
    pass_and_back(network, gather_small_work(network, CUDA))
    weights = [value for value in network.parameters() if value.grad is not None]
    assert weights
    assert all(value.grad is not None and value.grad.stride() == value.stride() for value in weights)
    assert all(value.grad is not None and value.grad.dtype is torch.float32 for value in weights)


class Shared(nn.Module):
    """One layer used twice, one without its gradient, and one that is not used; stands in for a layer of fbench."""

    __module__ = "fbench.example"

    def __init__(self) -> None:
        super().__init__()
        self.first, self.twice, self.frozen, self.unused = (nn.Linear(48, 48) for _ in range(4))
        self.normalise = nn.BatchNorm1d(48)
        self.same_weight = nn.Linear(48, 48)
        self.same_weight.weight = self.first.weight
        self.frozen.requires_grad_(False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.normalise(self.first(images.mean((1, 2))))
        maps = self.normalise(self.twice(maps).relu())
        total: torch.Tensor = self.same_weight(self.twice(self.frozen(maps)))
        return total


def test_a_weight_that_is_shared_frozen_or_unused_is_treated_as_autocast_treats_it() -> None:
    found = []
    for gathers in (True, False):
        torch.manual_seed(0)
        network = Shared()
        found.append(pass_and_back(network, gather_small_work(network, CUDA) if gathers else network))
    assert_same_bits(*found)
    assert not {"unused.weight", "frozen.weight"} & found[0].keys()
    assert int(found[0]["normalise.num_batches_tracked"]) == 2


def test_layers_of_normalisation_without_a_momentum_or_a_counter_stay_as_they_are() -> None:
    network = nn.Sequential(
        nn.BatchNorm2d(1, momentum=None), nn.BatchNorm2d(1, track_running_stats=False), nn.BatchNorm2d(1).eval()
    )
    with batches_counted_together(network):
        for _ in range(3):
            network(torch.randn(2, 1, 4, 4))
    counts = [int(value) for name, value in network.named_buffers() if name.endswith("tracked")]
    assert counts == [3, 0]


def test_other_numbers_than_float32_are_not_cast() -> None:
    network = nn.Sequential(nn.Linear(2, 2).double(), nn.Linear(2, 2), nn.LayerNorm(2))
    with bf16_weights(network):
        found = [value.dtype for module in network for value in module._parameters.values() if value is not None]
    assert found == [torch.float64] * 2 + [torch.bfloat16] * 2 + [torch.float32] * 2


@pytest.mark.parametrize(
    "numerics", [choose_numerics("cpu", "bf16"), choose_numerics("mps"), choose_numerics("cuda", "bf16", compile=True)]
)
def test_elsewhere_and_where_it_is_compiled_a_network_runs_as_it_is(numerics: Numerics) -> None:
    network = built("lenet5")
    assert gather_small_work(network, numerics) is network


class Own(nn.Module):
    """Somebody's own layer, which may do anything with its weights."""


def with_foreign_hook() -> nn.Module:
    network = nn.Linear(2, 2)
    network.register_forward_hook(lambda module, given, output: output * module.weight.sum())
    return network


@pytest.mark.parametrize(
    "network",
    [
        nn.Sequential(nn.Linear(2, 2), Own()),
        with_foreign_hook(),
        parametrizations.weight_norm(nn.Linear(2, 2)),
        nn.Sequential(parametrizations.spectral_norm(nn.Conv2d(1, 1, 3))),
    ],
    ids=["own layer", "hook", "weight norm", "spectral norm"],
)
def test_networks_with_other_layers_run_as_they_are(network: nn.Module) -> None:
    assert not has_known_layers_only(network)
    assert gather_small_work(network, CUDA) is network


@pytest.mark.parametrize("name", by_builder(list_architectures()))
def test_fbenchs_own_networks_are_known_when_they_are_prepared_too(name: str) -> None:
    network = create(name)
    keep_gradient_layout(network)
    assert has_known_layers_only(network)
