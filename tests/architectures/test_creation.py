"""Networks that the given options cannot make are refused in a sentence, before memory runs out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from fbench.architectures import creation
from fbench.architectures.registry import create, register, resolve
from fbench.core.errors import UserError


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"num_classes": 7.0}, "num_classes of 'lenet5' is 7.0; give a whole number."),
        ({"num_classes": np.float32(7)}, "num_classes of 'lenet5' is np.float32(7.0); give a whole number."),
        ({"dense_widths": [8.0]}, "dense_widths of 'lenet5' is [8.0]; give a list of which each is a whole number."),
        ({"dense_widths": [True]}, "dense_widths of 'lenet5' is [True]; give a list of which each is a whole number."),
        ({"num_classes": 10**12}, "num_classes is 1000000000000; give a whole number of 1 to 1,000,000."),
        ({"image_size": 10**30}, f"image_size is {10**30}; give a whole number of 1 to 1,000,000."),
        (
            {"in_channels": 10**5000},
            "in_channels is <a number of thousands of digits>; give a whole number of 1 to 1,000,000.",
        ),
    ],
)
def test_a_number_that_is_no_count_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as refused:
        create("lenet5", **given)
    assert str(refused.value) == sentence


def test_weights_beyond_memory_are_refused_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        UserError, match=r"^'lenet5' with image_size=1000000 has 447,0\d\d\.\d GiB of weights and .* fr"
    ):
        create("lenet5", image_size=10**6)
    monkeypatch.setattr(creation, "available_memory_gib", lambda: 0.5)
    with pytest.raises(
        UserError, match=r"0\.6 GiB of weights and 0\.5 GiB of memory are free; give smaller numbers\.$"
    ):
        create("lenet5", num_classes=1_000_000, dense_widths=[120, 170])


def test_what_pytorch_refuses_is_a_sentence_with_the_options() -> None:
    def build(resolved: Any) -> nn.Module:
        raise RuntimeError("no room\nfor it")

    with pytest.raises(UserError) as refused:
        creation.created(resolve("lenet5"), {"num_classes": 8}, build)
    assert str(refused.value) == (
        "'lenet5' cannot be built with num_classes=8 (RuntimeError: no room for it); give smaller numbers."
    )
    with pytest.raises(RuntimeError, match="no room"):  # without options it is no fault of theirs
        creation.created(resolve("lenet5"), {}, build)


def test_what_a_users_builder_raises_names_it(same_registry_afterwards: None) -> None:
    @register("broken")
    def broken(*, num_classes: int = 7, in_channels: int = 1, image_size: int = 48) -> nn.Module:
        raise ZeroDivisionError("by zero")

    with pytest.raises(
        UserError, match=r"^The network 'broken' raised ZeroDivisionError: by zero .*; mend its builder"
    ):
        create("broken")


def test_a_count_that_numpy_made_is_one() -> None:
    network = create("lenet5", num_classes=np.arange(5).max())
    assert network(torch.zeros(2, 1, 48, 48)).shape == (2, 4)
