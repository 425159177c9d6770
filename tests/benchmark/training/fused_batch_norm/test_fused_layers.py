"""Batch normalisations of a network that are computed with the activations after them."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn

from fbench.architectures.network_copy import copy_network
from fbench.architectures.registry import create, list_architectures
from fbench.benchmark.machine.device import lay_out
from fbench.benchmark.records.numerics import Numerics, choose_numerics
from fbench.benchmark.training.fused_batch_norm.eager import EagerArithmetic
from fbench.benchmark.training.fused_batch_norm.layers import (
    FusedBatchNorm,
    arithmetic_of,
    fuse_batch_norms,
    plain_batch_norms,
)
from fbench.benchmark.training.prepare import as_built, prepare_for_training
from fbench.core.errors import UserError
from tests.networks_by_builder import by_builder

FUSED = choose_numerics("cuda").model_copy(update={"fused_batch_norm": "eager"})


def built(name: str, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    return lay_out(create(name, **options), torch.channels_last)


def fused(network: nn.Module) -> nn.Module:
    fuse_batch_norms(network, EagerArithmetic())
    return network


def pass_and_back(network: nn.Module) -> dict[str, torch.Tensor]:
    """Logits, gradients and buffers after a pass in float64, in which no value changes sides at a corner."""
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(6, 1, 48, 48, generator=generator).contiguous(memory_format=torch.channels_last)
    logits = network.double().train()(images.double())
    F.cross_entropy(logits, torch.arange(6)).backward()
    gradients = {name: value.grad for name, value in network.named_parameters() if value.grad is not None}
    return {"logits": logits.detach()} | gradients | dict(network.named_buffers())


def classes_of(network: nn.Module) -> list[type[nn.Module]]:
    return [type(module) for module in network.modules()]


@pytest.mark.parametrize("name", by_builder(list_architectures()))
def test_a_pass_of_every_network_gives_what_its_own_layers_give(name: str) -> None:
    found, expected = pass_and_back(fused(built(name))), pass_and_back(built(name))
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=1e-6, atol=1e-9, msg=key)


@pytest.mark.parametrize(("name", "normalisations", "activations"), [("arch1", 12, 7), ("ires", 20, 14)])
def test_all_batch_normalisations_and_activations_right_after_them_are_found(
    name: str, normalisations: int, activations: int
) -> None:
    network = fused(built(name))
    layers = [module for module in network.modules() if isinstance(module, FusedBatchNorm)]
    assert len(layers) == normalisations
    assert sum(layer.activation != "none" for layer in layers) == activations


def test_evaluation_names_and_the_network_as_built_stay_the_same() -> None:
    network, plain = fused(built("ires")), built("ires")
    assert list(network.state_dict()) == list(plain.state_dict())
    images = torch.randn(2, 1, 48, 48)
    assert torch.equal(network.eval()(images), plain.eval()(images))
    assert classes_of(as_built(network)) == classes_of(plain)
    plain_batch_norms(network)
    assert classes_of(network) == classes_of(plain)
    assert [vars(one).keys() for one in network.modules()] == [vars(one).keys() for one in plain.modules()]


def test_an_activation_follows_its_own_batch_normalisation_in_a_copy() -> None:
    network = fused(built("mini_xception"))
    copied = copy_network(network)
    network.eval()  # the copy trains on
    found, expected = pass_and_back(copied), pass_and_back(fused(built("mini_xception")))
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_where_one_normalises_by_running_statistics_its_activation_is_applied_apart() -> None:
    network = fused(nn.Sequential(nn.BatchNorm2d(1), nn.ReLU()))
    network[0].eval()  # type: ignore[operator] # a module
    maps = torch.full((1, 1, 2, 2), -1.0)
    assert network(maps).min() == 0
    assert network[0](maps).max() < 0  # type: ignore[operator] # a module


def test_layers_that_are_used_twice_are_not_computed_as_one() -> None:
    activation = nn.ReLU()
    network = fused(nn.Sequential(nn.Sequential(nn.BatchNorm2d(1), activation), nn.BatchNorm2d(1), activation))
    assert type(activation) is nn.ReLU
    assert {module.activation for module in network.modules() if isinstance(module, FusedBatchNorm)} == {"none"}


class Own(nn.Module):
    """Somebody's own layer."""


@pytest.mark.parametrize(
    "network",
    [
        nn.Sequential(nn.BatchNorm2d(1), nn.ReLU(), Own()),
        nn.Sequential(nn.BatchNorm2d(1, momentum=None), nn.ReLU()),
        nn.Sequential(nn.BatchNorm2d(1, affine=False), nn.ReLU()),
        nn.Sequential(nn.BatchNorm2d(1, track_running_stats=False), nn.ReLU()),
        nn.Sequential(nn.BatchNorm1d(1), nn.ReLU()),
    ],
)
def test_what_it_is_not_made_for_stays_as_it_is(network: nn.Module) -> None:
    before = classes_of(network)
    assert classes_of(fused(network)) == before


def test_one_value_of_a_channel_is_refused_as_pytorch_does() -> None:
    with pytest.raises(ValueError, match="one value"):
        fused(nn.Sequential(nn.BatchNorm2d(2)))(torch.zeros(1, 2, 1, 1))


@pytest.mark.parametrize(
    ("numerics", "expected"),
    [
        (FUSED, True),
        (FUSED.model_copy(update={"memory_format": "contiguous"}), True),
        (FUSED.model_copy(update={"compile": True}), False),
        (choose_numerics("cuda"), False),
        (choose_numerics("cpu"), False),
    ],
)
def test_networks_are_prepared_as_the_numerics_ask(numerics: Numerics, expected: bool) -> None:
    network = built("mini_xception")
    prepare_for_training(network, numerics)
    assert any(isinstance(module, FusedBatchNorm) for module in network.modules()) == expected


def test_triton_is_refused_in_a_sentence_where_it_is_missing_or_cannot_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    kernels = "fbench.benchmark.training.fused_batch_norm.triton_kernels"
    monkeypatch.delitem(sys.modules, kernels, raising=False)
    monkeypatch.setitem(sys.modules, "triton", None)
    triton = choose_numerics("cuda").model_copy(update={"fused_batch_norm": "triton"})
    with pytest.raises(UserError, match="which is not installed; install triton"):
        arithmetic_of(triton)
    with pytest.raises(UserError, match="asked for on cpu"):
        arithmetic_of(triton.model_copy(update={"device_kind": "cpu"}))
