from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from networks_by_builder import by_builder
from torch import nn

from fbench.architectures.contract import built_in_contract
from fbench.architectures.layers import GlobalAveragePool
from fbench.architectures.registry import create
from fbench.benchmark.training.layout import keep_gradient_layout

HEADS = {
    "flatten": nn.Flatten(),
    "adaptive": nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    "global": GlobalAveragePool(),
}


class Mean(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((-2, -1))


def in_channels_last(network: nn.Module) -> nn.Module:
    laid_out: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # torch's stub lacks memory_format alone
    return laid_out


def small_network(head: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    layers = OrderedDict(convolution=nn.Conv2d(1, 4, 3), batch_norm=nn.BatchNorm2d(4), activation=nn.Hardswish())
    return in_channels_last(nn.Sequential(OrderedDict(**layers, head=head)))


def images() -> torch.Tensor:
    return torch.randn(4, 1, 48, 48, generator=torch.Generator().manual_seed(0)).to(memory_format=torch.channels_last)


def contiguous_gradients(network: nn.Module) -> list[str]:
    """The batch normalisations whose gradient arrives in another layout than their channels_last input."""
    found = []

    def note(path: str) -> object:
        def hook(module: nn.Module, gradients: tuple[torch.Tensor, ...]) -> None:
            if not gradients[0].is_contiguous(memory_format=torch.channels_last):
                found.append(path)

        return hook

    for path, module in network.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_full_backward_pre_hook(note(path))  # type: ignore[arg-type] # nothing is returned
    network(images()).square().sum().backward()
    return found


@pytest.mark.parametrize("name", by_builder(built_in_contract()))
def test_no_batch_normalisation_is_given_a_gradient_in_another_layout(name: str) -> None:
    network = in_channels_last(create(name))
    keep_gradient_layout(network)
    network(images()).square().sum().backward()
    assert contiguous_gradients(network) == []


@pytest.mark.parametrize("head", [*HEADS.values(), Mean()])
def test_the_usual_heads_of_users_networks_keep_it_too(head: nn.Module) -> None:
    network = small_network(head)
    keep_gradient_layout(network)
    assert contiguous_gradients(network) == []


def test_pytorch_alone_would_not_keep_it() -> None:
    network = small_network(nn.Flatten())
    network[2] = nn.Identity()  # type: ignore[operator] # a sequence of modules
    assert contiguous_gradients(network) == ["batch_norm"]


def test_only_the_layers_concerned_are_looked_after_from_the_second_step_on() -> None:
    network = small_network(nn.Flatten())
    keep_gradient_layout(network)
    for _ in range(2):
        network(images()).square().sum().backward()
    watched = [path for path, module in network.named_modules() if module._forward_hooks]
    assert watched == ["activation"]


@pytest.mark.parametrize("head", HEADS.values(), ids=list(HEADS))
def test_no_gradient_changes_its_value(head: nn.Module) -> None:
    gradients = []
    for keep in (False, True):
        network = small_network(head).double()
        if keep:
            keep_gradient_layout(network)
        for _ in range(2):
            network.zero_grad()
            network(images().double()).square().sum().backward()
        gradients.append([parameter.grad for parameter in network.parameters()])
    for plain, kept in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, kept)
