"""A training repeats its bits, and where it does not, the layer is named that it comes from."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from networks_by_builder import by_builder
from torch import nn

from fbench.architectures.registry import list_architectures, register
from fbench.benchmark.machine.determinism import nondeterministic_operations, operation_in
from fbench.benchmark.training.repetition import Difference, trained_twice
from fbench.core.errors import UserError

pytestmark = pytest.mark.usefixtures("same_registry_afterwards")


def tried(build: Callable[[], nn.Module]) -> Difference | None:
    @register("odd")
    def odd(num_classes: int = 7, in_channels: int = 1, image_size: int = 48) -> nn.Module:
        return build()

    return trained_twice(lambda what: None, "odd", "cpu").difference


@pytest.mark.parametrize("name", by_builder(list_architectures(), costly=("resnet50", "arch1")))
def test_every_network_trains_to_the_same_bits_on_a_cpu(name: str) -> None:
    told: list[str] = []
    found = trained_twice(told.append, name, "cpu")
    assert (found.network, found.device, found.steps, found.difference) == (name, "cpu", 4, None)
    assert told == [""] * 8


class Noise(nn.Module):
    """Adds what no seed decides, in training and evaluation or in one of them."""

    def __init__(self, draw: Callable[[], float], *, training: bool = True, evaluation: bool = True) -> None:
        super().__init__()
        self.draw, self.modes = draw, {True: training, False: evaluation}

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images + self.draw() if self.modes[self.training] else images


class NoisyGradient(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: torch.Tensor) -> torch.Tensor:
        return values.clone()

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> torch.Tensor:
        return gradients[0] + time.time_ns() % 1000 / 1e5


class BadGradient(nn.Module):
    def forward(self, values: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = NoisyGradient.apply(values)
        return found


class Remembers(nn.Module):
    """Keeps in a buffer what no seed decides, and does nothing else with it."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        self.seen = torch.tensor(time.time_ns() % 1_000_000_007, dtype=torch.float64)
        return values


def chain(*middle: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 5, stride=4), nn.ReLU(), *middle, nn.Flatten(), nn.Linear(4 * 11**2, 7))


def unseeded_torch() -> Callable[[], float]:
    generator = torch.Generator()
    generator.seed()
    return lambda: float(torch.rand((), generator=generator))


@pytest.mark.parametrize(
    "draw",
    [lambda: time.time_ns() % 1000 / 1e5, unseeded_torch(), np.random.default_rng().random],
    ids=["the time", "a generator of PyTorch without a seed", "a generator of NumPy without a seed"],
)
def test_what_no_seed_decides_is_caught_in_its_layer(draw: Callable[[], float]) -> None:
    assert tried(lambda: chain(Noise(draw))) == Difference(layer="2", layer_class="Noise", what="output", step=1)


def test_a_gradient_that_no_seed_decides_is_caught_in_the_layer_before_it() -> None:
    found = tried(lambda: chain(nn.Conv2d(4, 4, 1), BadGradient(), nn.Conv2d(4, 4, 1)))
    assert found == Difference(layer="2", layer_class="Conv2d", what="gradient", step=1)


def test_weights_a_buffer_and_logits_that_no_seed_decides_are_caught() -> None:
    generator = torch.Generator()
    generator.seed()

    def initialised_anyhow() -> nn.Module:
        network = chain()
        nn.init.normal_(network[3].weight, generator=generator)
        return network

    assert tried(initialised_anyhow) == Difference(layer="3", layer_class="Linear", what="weights", step=0)


def test_a_buffer_that_no_seed_decides_is_caught() -> None:
    assert tried(lambda: chain(Remembers())) == Difference(layer="2", layer_class="Remembers", what="weights", step=1)


def test_an_evaluation_that_no_seed_decides_is_caught() -> None:
    draws = iter(range(1000))
    found = tried(lambda: chain(Noise(lambda: next(draws), training=False)))
    assert found == Difference(layer="2", layer_class="Noise", what="output", step=4)


def test_a_network_that_cannot_be_trained_is_one_sentence() -> None:
    def bad() -> nn.Module:
        raise ValueError("nothing")

    with pytest.raises(UserError, match="The network 'odd' raised ValueError: nothing"):
        tried(bad)


def test_the_operation_is_named_that_pytorch_has_no_deterministic_algorithm_for() -> None:
    """As on CUDA; unpooling is one that has none on a CPU either."""
    pooled, places = torch.nn.functional.max_pool2d(torch.rand(1, 1, 4, 4), 2, return_indices=True)
    before = torch.are_deterministic_algorithms_enabled()
    shown: list[str] = []
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = lambda message, *rest, **named: shown.append(str(message))
            with nondeterministic_operations() as found:
                torch.nn.functional.max_unpool2d(pooled, places, 2)
                warnings.warn("something else", stacklevel=1)
    finally:
        torch.use_deterministic_algorithms(before)
    assert list(found) == ["max_unpooling2d_forward_out"]
    assert [text.partition(" ")[0] for text in shown] == ["max_unpooling2d_forward_out", "something"]


@pytest.mark.parametrize(
    ("warning", "operation"),
    [
        (
            "scatter_add_cuda_kernel does not have a deterministic implementation, but you set "
            "'torch.use_deterministic_algorithms(True, warn_only=True)'. You can file an issue",
            "scatter_add_cuda_kernel",
        ),
        (
            "Memory Efficient attention defaults to a non-deterministic algorithm. To explicitly enable determinism "
            "call torch.use_deterministic_algorithms(True, warn_only=False).",
            "Memory Efficient attention",
        ),
        (
            "Deterministic behavior was enabled with either `torch.use_deterministic_algorithms(True)` or "
            "`at::Context::setDeterministicAlgorithms(true)`, but this operation is not deterministic because it uses "
            "CuBLAS and you have CUDA >= 10.2.",
            "CuBLAS",
        ),
        ("The given NumPy array is not writable", None),
    ],
)
def test_warnings_of_pytorch_are_read(warning: str, operation: str | None) -> None:
    assert operation_in(warning) == operation
