"""Networks of other packages by name: looked up lazily, built with the images' shape, identified by the version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import metadata
from typing import Any

import pytest
import torch
from torch import nn

from fbench.architectures import resolvers
from fbench.architectures.listing import list_here
from fbench.architectures.registry import create, describe, is_announced, list_architectures, resolve
from fbench.architectures.resolvers.torchvision_networks import _replace_first_convolution
from fbench.core.errors import UserError

pytestmark = pytest.mark.usefixtures("same_registry_afterwards")


class Made:
    """A resolver of a package with two networks; numpy lends its version."""

    package = "numpy"
    extra = ""
    asked: list[tuple[Any, ...]] = []  # noqa: RUF012 - emptied by the fixture

    def names(self) -> Sequence[str]:
        return ["small", "smaller"]

    def build(self, name: str, num_classes: int, in_channels: int, image_size: int) -> nn.Module:
        self.asked.append((name, num_classes, in_channels, image_size))
        width = {"small": 8, "smaller": 4}[name]
        body = nn.Conv2d(in_channels, width, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        return nn.Sequential(*body, nn.Linear(width, num_classes))


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    known = resolvers.prefixes() | {"made": f"{__name__}:Made", "gone": f"{__name__}:Gone"}
    monkeypatch.setattr(resolvers, "prefixes", lambda: known)
    resolvers._resolver.cache_clear()
    Made.asked.clear()
    yield
    resolvers._resolver.cache_clear()


class Gone(Made):
    """A resolver whose package is not there."""

    package = "no-such-package"
    extra = "gone"

    def names(self) -> Sequence[str]:
        raise ModuleNotFoundError("No module named 'no_such_package'")


@pytest.mark.slow
def test_a_name_with_a_known_prefix_is_built_with_the_shape_of_the_images() -> None:
    network = create("made:small", num_classes=5, in_channels=3, image_size=32)
    assert Made.asked == [("small", 5, 3, 32)]
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 5)
    assert is_announced("made:small")
    assert describe("made:small").description == f"numpy=={metadata.version('numpy')}"


@pytest.mark.slow
def test_the_identity_is_the_name_and_the_packages_version(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = resolve("made:small"), resolve("made:smaller")
    assert first.source is not None
    assert first.source != second.source
    from fbench.architectures import registry

    del registry._REGISTRY.entries["made:small"], registry._REGISTRY.builders["made:small"]
    monkeypatch.setattr(metadata, "version", lambda name: "99")
    assert resolve("made:small").source not in (None, first.source)


def test_wildcards_list_them_and_the_usual_list_does_without() -> None:
    assert list_architectures("made:sm*r") == ["made:smaller"]
    assert not any(name.startswith("made:") for name in list_architectures())
    listing = list_here()
    assert [one.name for one in listing.matching("made:*")] == ["made:small", "made:smaller"]
    assert listing.chosen(["lenet5", "made:*"]) == ["lenet5", "made:small", "made:smaller"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("made:smal", "numpy has no network 'smal'. Did you mean 'small'?"),
        (
            "gone:x",
            "which cannot be imported (ModuleNotFoundError: No module",
        ),
        ("mode:small", "begins with 'mode:', which names no package. Did you mean 'made'? Known: "),
    ],
)
def test_what_cannot_be_had_is_one_sentence(name: str, words: str) -> None:
    with pytest.raises(UserError) as error:
        resolve(name)
    assert words in str(error.value)


def test_the_first_convolution_takes_the_images_channels() -> None:
    network = nn.Sequential(nn.Sequential(nn.Conv2d(3, 8, 5, stride=2, padding=1, bias=False)), nn.Conv2d(8, 3, 1))
    _replace_first_convolution(network, 1)
    (first,), second = network[0], network[1]
    assert (first.in_channels, first.kernel_size, first.stride, first.padding) == (1, (5, 5), (2, 2), (1, 1))
    assert first.bias is None
    assert second.in_channels == 8
