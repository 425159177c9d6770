"""Every name in the registry is tested by existing: shape, gradients, determinism, weights, other inputs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from networks_by_builder import by_builder
from safetensors.torch import load_file, save_file
from torch import nn

from fbench.architectures.registry import create, list_architectures

NAMES = by_builder(list_architectures())


@pytest.fixture(scope="module", params=NAMES)
def network(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    return create(request.param).eval()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(4, 1, 48, 48, generator=torch.Generator().manual_seed(1))


def test_gives_one_logit_for_each_class(network: nn.Module, images: torch.Tensor) -> None:
    with torch.inference_mode():
        assert network(images).shape == (4, 7)


def test_takes_a_batch_of_one_like_a_batch_of_many(network: nn.Module, images: torch.Tensor) -> None:
    with torch.inference_mode():
        alone, among = network(images[:1]), network(images)[:1]
    assert alone.shape == (1, 7)
    torch.testing.assert_close(alone, among, rtol=1e-4, atol=1e-5)


def test_gives_the_same_bits_twice_in_evaluation(network: nn.Module, images: torch.Tensor) -> None:
    with torch.inference_mode():
        assert torch.equal(network(images), network(images))


def test_weights_survive_a_safetensors_file(
    network: nn.Module, images: torch.Tensor, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    other = create(request.node.callspec.params["network"]).eval()
    other.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    with torch.inference_mode():
        assert torch.equal(network(images), other(images))


def test_gradients_reach_every_parameter(network: nn.Module, images: torch.Tensor) -> None:
    """Last of the tests that share the network: a step in training mode moves its running statistics."""
    network.train()
    nn.functional.cross_entropy(network(images), torch.tensor([0, 2, 4, 6])).backward()
    without = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    still = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is not None and parameter.ndim > 1 and not parameter.grad.any()
    ]
    network.zero_grad()
    network.eval()
    assert without == []
    assert still == []


@pytest.mark.parametrize("name", NAMES)
def test_takes_three_channels_ten_classes_and_another_size(name: str) -> None:
    with torch.device("meta"):
        other = create(name, in_channels=3, num_classes=10, image_size=50).eval()
        assert other(torch.zeros(2, 3, 50, 50)).shape == (2, 10)
