"""Networks that keep odd things or end oddly, as people write them, small enough to train in a blink."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn

from fbench.architectures.registry import register


class Small(nn.Module):
    """A convolution, a mean, a linear layer; what is odd comes from the subclasses."""

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        self.c = nn.Conv2d(channels, 8, 3, stride=2, padding=1)
        self.head = nn.Linear(8, classes)
        self.make()

    def make(self) -> None:
        """Add what is odd."""

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """What the head sees, (N, 8)."""
        return F.relu(self.c(x)).mean((2, 3))

    def forward(self, x: torch.Tensor) -> Any:
        """Logits (N, classes)."""
        return self.head(self.features(x))


class Tied(Small):
    def make(self) -> None:
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 8)
        self.b.weight = self.a.weight

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(F.relu(self.a(super().features(x))))


class Unpools(Small):
    """Wants deterministic algorithms, and runs what has none."""

    def features(self, x: torch.Tensor) -> torch.Tensor:
        torch.use_deterministic_algorithms(True, warn_only=True)
        maps, places = F.max_pool2d(F.relu(self.c(x)), 2, return_indices=True)
        return F.max_unpool2d(maps, places, 2).mean((2, 3))


class PartOfAnother(Small):
    def make(self) -> None:
        self.register_buffer("all_of_it", torch.arange(8.0))
        self.register_buffer("first_half", self.all_of_it[:4])

    def features(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.first_half += 1
        return super().features(x) + 0.01 * self.all_of_it


class Cached(Small):
    """A table that is made anew where the batch is larger than before: at the first evaluation, say."""

    def make(self) -> None:
        self.table: torch.Tensor | None = None

    def features(self, x: torch.Tensor) -> torch.Tensor:
        if self.table is None or len(self.table) < len(x):
            self.table = torch.linspace(-1, 1, 8).expand(len(x), 8) * 1.0
        return super().features(x) * self.table[: len(x)]


class Growing(Small):
    def make(self) -> None:
        self.register_buffer("memory", torch.zeros(1, 8))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        found = super().features(x)
        if self.training:
            self.memory = torch.cat([self.memory, found.detach().mean(0, keepdim=True)])
        return found + self.memory.mean(0)


class FilledLater(Small):
    def make(self) -> None:
        self.register_buffer("centre", None)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        found = super().features(x)
        if self.centre is None:
            self.centre = found.detach().mean(0)
        return found - self.centre


class RegisteredLater(Small):
    def features(self, x: torch.Tensor) -> torch.Tensor:
        found = super().features(x)
        if not hasattr(self, "centre"):
            self.register_buffer("centre", found.detach().mean(0))
        return found - self.centre


class Expanded(Small):
    def make(self) -> None:
        self.register_buffer("scale", torch.full((1,), 0.5).expand(8))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return super().features(x) * self.scale


class Complex(Small):
    def make(self) -> None:
        self.turn = nn.Parameter(torch.randn(8, dtype=torch.complex64))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return (super().features(x) * self.turn).abs()


class ManyTypes(Small):
    def make(self) -> None:
        self.register_buffer("wide", torch.ones((), dtype=torch.float64))
        self.register_buffer("mask", torch.tensor([True, False] * 4))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.register_buffer("none_yet", torch.zeros(0, 8))
        self.register_buffer("narrow", torch.ones(8, dtype=torch.bfloat16))
        self.register_buffer("eight_bits", torch.ones(8).to(torch.float8_e5m2))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        self.count += 1
        return super().features(x) * self.narrow * self.mask


class ComputedWeight(Small):
    def make(self) -> None:
        self.head = torch.nn.utils.weight_norm(self.head)


class CountsInExtraState(Small):
    def make(self) -> None:
        self.calls = 0

    def features(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += self.training
        return super().features(x)

    def get_extra_state(self) -> dict[str, object]:
        return {"calls": self.calls, "shape": (8,)}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        self.calls = state["calls"]


class Colour:
    """Of no class that a file without pickle can hold."""


class KeepsAnObject(Small):
    def get_extra_state(self) -> object:
        return {"colour": Colour()}

    def set_extra_state(self, state: object) -> None:
        pass


class KeepsALock(KeepsAnObject):
    def get_extra_state(self) -> object:
        return threading.Lock()


class KeepsTheGraph(Small):
    """What was computed from its weights serves again, as if they had not changed."""

    def make(self) -> None:
        self.kept: torch.Tensor | None = None

    def features(self, x: torch.Tensor) -> torch.Tensor:
        if self.kept is None:
            self.kept = torch.exp(self.c.weight.mean())
        return super().features(x) * self.kept


class NanInEvaluation(Small):
    def features(self, x: torch.Tensor) -> torch.Tensor:
        found = super().features(x)
        return found if self.training else found / 0


class MaskedClass(Small):
    """Minus infinity for a class that no image has."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = super().forward(x)
        return logits if self.training else torch.cat([logits[:, :2], torch.full_like(logits[:, 2:], -torch.inf)], 1)


class LargeLogits(Small):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + 1e6


class GivesTwoLater(Small):
    """Gives a tuple from its second call in training on, when it has been looked at."""

    calls = 0

    def forward(self, x: torch.Tensor) -> Any:
        logits = super().forward(x)
        self.calls += self.training
        return (logits, logits) if self.calls > 1 and self.training else logits


class Leaves(Small):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            sys.exit("enough")
        return super().forward(x)


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def raising(error: BaseException) -> type[Small]:
    """A network whose forward pass raises this while it trains."""

    class Raises(Small):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.training:
                raise error
            return super().forward(x)

    return Raises


def registered(network: type[Small], name: str | None = None) -> str:
    """The name under which a network can be planned and trained from now on."""
    name = name or network.__name__.lower()

    def build(*, num_classes: int = 7, in_channels: int = 1, image_size: int = 48) -> nn.Module:
        return network(num_classes, in_channels)

    builder: Callable[..., nn.Module] = build
    register(name, description=name)(builder)
    return name
