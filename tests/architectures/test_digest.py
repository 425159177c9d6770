"""The digest changes with any edit of a network, and with nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from networks_by_builder import by_builder
from torch import nn

from fbench.architectures.digest import network_digest
from fbench.architectures.registry import create, list_architectures, resolve
from fbench.benchmark.training.networks import bare_network_spec

IMAGE = (1, 48, 48)
RELEASED: dict[str, str] = json.loads(Path(__file__).with_name("digests.json").read_text(encoding="utf-8"))


def digest(name: str, **options: object) -> str:
    with torch.device("meta"):
        return network_digest(create(name, **options), IMAGE, None)


def test_is_equal_whatever_the_weights_the_device_and_the_mode() -> None:
    torch.manual_seed(0)
    first = create("ires")
    torch.manual_seed(1)
    second = create("ires").eval().double()
    assert network_digest(first, IMAGE, None) == network_digest(second, IMAGE, None) == digest("ires")


def test_a_variant_is_the_network_of_its_builder_with_options() -> None:
    assert digest("ires_no_se") == digest("ires", squeeze_excite=None)
    assert digest("arch3") != digest("arch1", convolution="full")


def test_differs_between_any_two_registered_networks() -> None:
    """By the released digests, which each network is shown to have below."""
    names = list_architectures()
    identities = {str((resolve(name).builder, sorted(resolve(name).options.items(), key=str))) for name in names}
    assert len(identities) == len(names)
    assert sorted(RELEASED) == sorted(names)
    assert len(set(RELEASED.values())) == len(names)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ires", {"squeeze_excite_gate": "sigmoid"}),
        ("ires", {"outer_activation": "relu"}),
        ("ires", {"dropout": 0.1}),
        ("ires", {"num_classes": 8}),
        ("arch1", {"shortcut": "none"}),
        ("simple_cnn", {"dropout": 0.25}),
    ],
)
def test_differs_for_a_switch_even_where_counts_agree(name: str, options: dict[str, object]) -> None:
    assert digest(name, **options) != digest(name)


def test_differs_for_the_source_of_a_plug_in_and_the_image() -> None:
    network = create("arch1")
    plain = network_digest(network, IMAGE, None)
    assert network_digest(network, IMAGE, "0" * 64) != plain
    assert network_digest(network, (1, 64, 64), None) != plain


class Block(nn.Module):
    """Two layers whose order and sum are plain Python in forward."""

    def __init__(self, order: str, scale: float = 1.0) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 1, 3, padding=1)
        self.second = nn.BatchNorm2d(1)
        self.scale = scale
        self._order = order

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        match self._order:
            case "relu before the sum":
                return x + torch.relu(self.second(self.first(x)))
            case "relu after the sum":
                return torch.relu(x + self.second(self.first(x)))
            case "layers swapped":
                return x + torch.relu(self.first(self.second(x)))
            case "doubled":
                return x + 2 * torch.relu(self.second(self.first(x)))
            case "transposed":
                return x.transpose(-1, -2) + torch.relu(self.second(self.first(x)))
            case _:
                return x - torch.relu(self.second(self.first(x)))


def test_differs_for_the_order_of_plain_operations_and_their_constants() -> None:
    orders = ("relu before the sum", "relu after the sum", "layers swapped", "doubled", "transposed", "minus")
    found = {network_digest(Block(order), (1, 8, 8), None) for order in orders}
    found.add(network_digest(Block("minus", scale=2.0), (1, 8, 8), None))
    assert len(found) == len(orders) + 1


def test_differs_for_a_frozen_layer() -> None:
    network = Block("minus")
    before = network_digest(network, (1, 8, 8), None)
    network.first.requires_grad_(False)
    assert network_digest(network, (1, 8, 8), None) != before


@pytest.mark.parametrize(
    ("layer", "of_before"),
    [
        (nn.BatchNorm2d(4), "4, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True"),
        (nn.GroupNorm(2, 4), "2, 4, eps=1e-05, affine=True"),
        (nn.InstanceNorm2d(4), "4, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False"),
        (nn.LayerNorm((4, 4)), "(4, 4), eps=1e-05, elementwise_affine=True"),
        (nn.LayerNorm((4, 4), bias=False), "(4, 4), eps=1e-05, elementwise_affine=True"),
    ],
)
def test_is_equal_under_versions_of_pytorch_that_do_not_say_whether_a_layer_has_a_bias(
    layer: nn.Module, of_before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What 2.11 prints of these layers."""
    network = nn.Sequential(nn.Conv2d(1, 4, 45), layer, nn.Flatten(), nn.Linear(64, 7))
    now = network_digest(network, IMAGE, None)
    monkeypatch.setattr(type(layer), "extra_repr", lambda self: of_before)
    assert network_digest(network, IMAGE, None) == now


def test_differs_for_a_hyperparameter_that_moves_no_count() -> None:
    def one(eps: float) -> str:
        return network_digest(nn.Sequential(nn.BatchNorm2d(1, eps=eps)), (1, 4, 4), None)

    assert one(1e-3) != one(1e-5)


@pytest.mark.parametrize("name", by_builder(list_architectures()))
def test_the_digest_of_a_named_network_is_that_of_the_first_release(name: str) -> None:
    """The ids of committed trials hang on them: counting and drawing may change, these may not."""
    assert bare_network_spec(name, {}).digest == RELEASED[name]
