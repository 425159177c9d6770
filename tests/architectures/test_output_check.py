"""What a network returns is looked at before any training."""

from __future__ import annotations

import warnings
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn

from fbench.architectures import registry
from fbench.architectures.building import build_and_trace
from fbench.architectures.output_check import refuse_unusable_output
from fbench.architectures.registry import register, resolve
from fbench.core.errors import UserError

CLASSES = 7
Outputs = namedtuple("Outputs", ["logits", "auxiliary"])


class Returning(nn.Module):
    """A linear network whose logits pass the given function."""

    def __init__(self, last: Callable[[Any, torch.Tensor], Any]) -> None:
        super().__init__()
        self.layer, self.last = nn.Linear(16, CLASSES), last

    def forward(self, x: torch.Tensor) -> Any:
        return self.last(self, self.layer(x.flatten(1)))


def check(make: Callable[[], nn.Module]) -> None:
    @register("returning")
    def builder(*, num_classes: int = CLASSES, in_channels: int = 1, image_size: int = 4) -> nn.Module:
        return make()

    try:
        resolved = resolve("returning")
        module, traced = build_and_trace(resolved)
        refuse_unusable_output("mine", resolved, module, traced, CLASSES)
    finally:
        del registry._REGISTRY.entries["returning"]
        del registry._REGISTRY.builders["returning"]


UNUSABLE: dict[str, tuple[Callable[[Any, torch.Tensor], Any], str]] = {
    "a dict": (lambda s, y: {"logits": y}, "returns a dict of 1 tensor"),
    "a tuple": (lambda s, y: (y, y), "returns a tuple of 2 tensors"),
    "a named tuple": (lambda s, y: Outputs(y, y), "returns an Outputs of 2 tensors"),
    "nothing": (lambda s, y: None, "returns a NoneType"),
    "a map": (lambda s, y: y[:, :, None, None], "gives (1, 7, 1, 1) for one image, and there are 7 classes"),
    "other classes": (lambda s, y: y[:, :5], "gives (1, 5) for one image, and there are 7 classes"),
    "all images in a row": (lambda s, y: y.view(1, -1), "gives (1, 14) for two images"),
    "a squeeze": (lambda s, y: y.squeeze(), "gives (7,) for one image"),
    "classes": (lambda s, y: (y > 0).long(), "returns int64"),
    "a softmax": (lambda s, y: F.softmax(y, 1), "returns probabilities, as after a softmax"),
    "a softmax in parts": (lambda s, y: y.exp() / y.exp().sum(1, keepdim=True), "returns probabilities"),
    "a softmax that is reshaped": (lambda s, y: F.softmax(y, 1).view(-1, 7, 1).squeeze(2), "returns probabilities"),
    "a sigmoid": (lambda s, y: torch.sigmoid(y), "ends in a sigmoid"),
    "a tuple in training": (lambda s, y: (y, y) if s.training else y, "returns a tuple in training"),
    "another shape in training": (lambda s, y: y[:1] if s.training else y, "gives (1, 7) for two images in training"),
    "no gradient": (lambda s, y: y.detach(), "returns what does not depend on a trainable parameter"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_cannot_be_trained_is_one_sentence_with_class_and_line(name: str) -> None:
    last, said = UNUSABLE[name]
    line = Returning.forward.__code__.co_firstlineno
    with pytest.raises(UserError) as caught:
        check(lambda: Returning(last))
    message = str(caught.value)
    assert message.startswith(f"The network 'mine' {said}")
    assert f"(Returning.forward, test_output_check.py, line {line});" in message
    assert message.count(".") == message.count("test_output_check.py") + message.count("Returning.") + 1


def test_a_network_of_torchs_own_classes_is_placed_by_its_builder() -> None:
    with pytest.raises(UserError, match=r"\(check\.builder, test_output_check\.py, line \d+\)"):
        check(lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 3)))


class Late(Returning):
    """Makes a layer when it is first run."""

    def forward(self, x: torch.Tensor) -> Any:
        if "grown" not in self._modules:
            self.grown = nn.Linear(CLASSES, CLASSES)
        return self.grown(super().forward(x))


def test_a_parameter_that_is_born_late_is_refused_as_nothing_would_train_it() -> None:
    with pytest.raises(UserError, match=r"makes the parameter 'grown\.weight' in its forward pass"):
        check(lambda: Late(lambda s, y: y))


def test_another_precision_than_that_of_images_is_told() -> None:
    with pytest.raises(UserError, match=r"has float64 parameters and takes no float32 images .*call \.float\(\)"):
        check(lambda: Returning(lambda s, y: y).double())


def test_a_scripted_network_is_looked_at_too() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        check(lambda: torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(16, CLASSES))))


def test_a_frozen_network_is_refused() -> None:
    with pytest.raises(UserError, match="has no trainable parameter"):
        check(lambda: Returning(lambda s, y: y).requires_grad_(False))


USABLE: dict[str, Callable[[Any, torch.Tensor], Any]] = {
    "logits": lambda s, y: y,
    "a 1x1 convolution and a view": lambda s, y: F.conv2d(y[:, :, None, None], torch.eye(7)[:, :, None, None]).flatten(
        1
    ),
    "log-probabilities": lambda s, y: F.log_softmax(y, 1),
    "attention on the way": lambda s, y: F.softmax(y, 1) * y,
    "a slice and a squeeze of the right places": lambda s, y: y[:, :, None, None].squeeze(3).squeeze(2),
}


@pytest.mark.parametrize("name", USABLE)
def test_logits_pass_however_they_are_shaped_last(name: str) -> None:
    check(lambda: Returning(USABLE[name]))
