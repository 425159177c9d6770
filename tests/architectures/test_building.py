"""Networks whose builders or forward passes need numbers, and what is said of code that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from fbench.architectures import registry
from fbench.architectures.building import build_and_trace
from fbench.architectures.registry import build, register, resolve
from fbench.core.errors import UserError


@pytest.fixture
def registered() -> Iterator[Callable[[Callable[[], Any]], str]]:
    """Registers a function that makes a network, and forgets it afterwards."""
    names = []

    def add(make: Callable[[], Any]) -> str:
        names.append(f"temporary{len(names)}")

        @register(names[-1])
        def builder(*, num_classes: int = 7, in_channels: int = 1, image_size: int = 48) -> nn.Module:
            made: nn.Module = make()
            return made

        return names[-1]

    yield add
    for name in names:
        del registry._REGISTRY.entries[name]
        del registry._REGISTRY.builders[name]


def head(rate: float = 0.0) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.Dropout(rate), nn.Flatten(), nn.Linear(4 * 46 * 46, 7))


def with_item() -> nn.Module:
    return head([rate.item() for rate in torch.linspace(0, 0.1, 3)][-1])


def with_qr() -> nn.Module:
    network = nn.Sequential(nn.Flatten(), nn.Linear(2304, 7))
    q, _ = torch.linalg.qr(torch.randn(2304, 7))
    if float(q.norm()) > 0:
        network[1].weight.data.copy_(q.T)
    return network


def with_numpy() -> nn.Module:
    network = head()
    network[0].weight.data = torch.from_numpy(np.asarray(network[0].weight.detach().numpy()) * 2)
    return network


def with_truth_of_a_tensor() -> nn.Module:
    return head() if torch.rand(()) < 2 else nn.Identity()


@pytest.mark.parametrize("make", [with_item, with_qr, with_numpy, with_truth_of_a_tensor])
def test_a_builder_that_needs_numbers_is_built_on_the_cpu(
    make: Callable[[], nn.Module], registered: Callable[[Callable[[], Any]], str]
) -> None:
    before = torch.random.get_rng_state()
    module, traced = build_and_trace(resolve(registered(make)))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert {parameter.device.type for parameter in module.parameters()} == {"cpu"}
    weights = 7 * 2304 if make is with_qr else 46 * 46 * 4 * 9 + 4 * 46 * 46 * 7
    assert traced.macs == weights


def test_a_lazy_network_is_built_whole(registered: Callable[[Callable[[], Any]], str]) -> None:
    name = registered(lambda: nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(7)))
    module = build(resolve(name))
    assert [tuple(parameter.shape) for parameter in module.parameters()] == [(4, 1, 3, 3), (4,), (7, 8464), (7,)]
    assert module.training
    assert build_and_trace(resolve(name))[1].macs == 46 * 46 * 4 * 9 + 8464 * 7


class Raises(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise ValueError("no faces\non Mondays")


def test_the_place_in_the_users_code_is_named(registered: Callable[[Callable[[], Any]], str]) -> None:
    line = Raises.forward.__code__.co_firstlineno + 1
    name = registered(Raises)
    with pytest.raises(UserError) as caught:
        build_and_trace(resolve(name))
    assert str(caught.value) == (
        f"The network '{name}' raised ValueError: no faces on Mondays (Raises.forward, test_building.py, line {line}); "
        "mend its builder or its forward pass."
    )


@pytest.mark.parametrize("made", [nn.Linear, lambda x: x, None])
def test_what_is_no_module_is_refused(made: Any, registered: Callable[[Callable[[], Any]], str]) -> None:
    with pytest.raises(UserError, match=r"returns .*; return a torch\.nn\.Module"):
        build_and_trace(resolve(registered(lambda: made)))
