"""Heat stands where an image is bright however a network turns, folds or calls its layers, or there is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn

from fbench.architectures.registry import create
from fbench.benchmark.maps.grad_cam import NoGradientError, feature_maps, grad_cam
from fbench.benchmark.maps.making import last_maps, map_calls
from fbench.benchmark.maps.positions import Lie, MapsLeftOutError, find_lies

Tensor = torch.Tensor


class Bright(nn.Module):
    """A smoothing convolution whose mean is the logit of class 0: heat is where the image is bright."""

    def __init__(self, pass_on: Callable[[Bright, Tensor], Tensor]) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 2, 3, stride=2, padding=1, bias=False)
        nn.init.constant_(self.layer.weight, 1 / 9)
        self.pass_on = pass_on

    def forward(self, images: Tensor) -> Tensor:
        score = self.pass_on(self, images)
        return torch.stack([score, -score], dim=1)


def score_of(maps: Tensor) -> Tensor:
    return maps.mean((1, 2, 3))


def heat_of(pass_on: Callable[[Bright, Tensor], Tensor], height: int = 24, width: int = 24) -> Tensor:
    """The heat (height, width) of class 0 for an image that is bright in its upper left part alone."""
    network = Bright(pass_on).eval()
    image = torch.zeros(1, 1, height, width)
    image[..., 1:6, 2:8] = 1.0
    return grad_cam(network, network.layer, image, torch.zeros(1, dtype=torch.int64))[0]


def quarters(heat: Tensor) -> list[float]:
    """Shares of the heat in the upper left, upper right, lower left and lower right quarter."""
    height, width = heat.shape
    parts = [
        rows[:, place] for rows in heat.split(height // 2) for place in (slice(0, width // 2), slice(width // 2, None))
    ]
    return [float(part.sum() / heat.sum()) for part in parts]


STRAIGHT: dict[str, Callable[[Bright, Tensor], Tensor]] = {
    "once": lambda net, x: score_of(net.layer(x)),
    "on the image and on its mirror": lambda net, x: score_of(net.layer(x)) + score_of(net.layer(x.flip(-1))),
    "on the mirror alone": lambda net, x: score_of(net.layer(x.flip(-1))),
    "upside down": lambda net, x: score_of(net.layer(x.flip(-2))),
    "turned by a half": lambda net, x: score_of(net.layer(x.flip(-2, -1))),
    "transposed": lambda net, x: score_of(net.layer(x.transpose(-2, -1))),
    "turned by a quarter": lambda net, x: score_of(net.layer(torch.rot90(x, 1, (-2, -1)))),
    "at two scales": lambda net, x: score_of(net.layer(x)) + score_of(net.layer(F.avg_pool2d(x, 2))),
    "twice, changed in place": lambda net, x: score_of(net.layer(x).mul_(2)) + score_of(net.layer(x).relu_()),
    "once for the answer, once beside it": lambda net, x: score_of(net.layer(x)) + 0 * len(net.layer(x.flip(-1))),
    "one after the other": lambda net, x: score_of(net.layer(net.layer(x).mean(1, keepdim=True))),
}  # fmt: skip


@pytest.mark.parametrize("calls", STRAIGHT)
def test_heat_is_where_the_image_is_bright(calls: str) -> None:
    assert quarters(heat_of(STRAIGHT[calls]))[0] > 0.9  # uniform heat has 0.25, mirrored heat 0


def test_heat_is_where_a_rectangular_image_is_bright() -> None:
    for calls in ("once", "on the image and on its mirror", "transposed"):
        assert quarters(heat_of(STRAIGHT[calls], 16, 32))[0] > 0.9


def fold(images: Tensor) -> Tensor:
    """Four quarters of each image as images of their own."""
    side = images.shape[-1] // 2
    return torch.cat([images[..., i : i + side, j : j + side] for i in (0, side) for j in (0, side)])


def shuffle(maps: Tensor) -> Tensor:
    order = torch.randperm(maps.shape[-1] ** 2, generator=torch.Generator().manual_seed(4))
    return maps.flatten(2)[..., order].view(maps.shape)


LEFT_OUT: dict[str, tuple[Callable[[Bright, Tensor], Tensor], str]] = {
    "folded into the batch": (
        lambda net, x: score_of(net.layer(fold(x))).view(4, len(x)).mean(0),
        "gives 4 sets of maps for 1 image",
    ),
    "unfolded from the batch": (
        lambda net, x: score_of(net.layer(x.mean(0, keepdim=True))).expand(len(x)),
        "gives maps of 1 images for 73",
    ),
    "of a quarter": (lambda net, x: score_of(net.layer(x[..., :12, :12])), "show only part of the image"),
    "of the middle": (lambda net, x: score_of(net.layer(x[..., 4:20, 4:20])), "show only part of the image"),
    "of a corner of a larger one": (
        lambda net, x: score_of(net.layer(F.pad(x, (0, 40, 0, 40)))),
        "the image fills only part of its maps",
    ),
    "rolled by a half": (lambda net, x: score_of(net.layer(x.roll((12, 12), (-2, -1)))), "places of its maps are not"),
    "shuffled": (lambda net, x: score_of(net.layer(shuffle(x))), "places of its maps are not"),
    "of something else": (lambda net, x: score_of(net.layer(0 * x + 1)), "do not depend on the image"),
    "without a number": (lambda net, x: score_of(net.layer(x) / 0), "heat is not finite"),
}  # fmt: skip


@pytest.mark.parametrize("calls", LEFT_OUT)
def test_heat_that_would_stand_elsewhere_is_left_out(calls: str) -> None:
    pass_on, reason = LEFT_OUT[calls]
    with pytest.raises(MapsLeftOutError, match=reason):
        heat_of(pass_on)


def frozen(net: Bright, images: Tensor) -> Tensor:
    with torch.no_grad():
        maps = net.layer(images)
    return score_of(maps)


def inferred(net: Bright, images: Tensor) -> Tensor:
    with torch.inference_mode():
        maps = net.layer(images)
    return score_of(maps.clone())


@pytest.mark.parametrize(
    "pass_on",
    [
        lambda net, x: score_of(x) + 0 * len(net.layer(x)),
        lambda net, x: net.layer(x).flatten(1).argmax(1).float(),
        lambda net, x: score_of(net.layer(x).detach()),
        lambda net, x: score_of(x),
        frozen,
        inferred,
    ],
    ids=["beside the answer", "argmax", "detached", "never called", "no_grad", "inference_mode"],
)
def test_a_layer_that_no_gradient_leads_to_has_no_heat(pass_on: Callable[[Bright, Tensor], Tensor]) -> None:
    with pytest.raises(NoGradientError, match="no gradient leads"):
        heat_of(pass_on)


class Pair(nn.Module):
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return images, images


class Complex(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return torch.fft.fft2(images)


@pytest.mark.parametrize(
    ("layer", "what"), [(Pair(), "tuple"), (Complex(), "complex64"), (nn.Flatten(2), "3-dimensional")]
)
def test_what_gives_no_maps_is_named(layer: nn.Module, what: str) -> None:
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, images: Tensor) -> Tensor:
            found = self.layer(images)
            maps = found[0] if isinstance(found, tuple) else found.abs()
            return torch.stack([maps.flatten(1).mean(1), -maps.flatten(1).mean(1)], 1)

    network = Wrapped()
    images = torch.rand(2, 1, 8, 8)
    with pytest.raises(MapsLeftOutError, match=what):
        grad_cam(network, network.layer, images, torch.zeros(2, dtype=torch.int64))
    with pytest.raises(MapsLeftOutError, match=what):
        feature_maps(network, network.layer, images)


@pytest.mark.parametrize("lie", [Lie(r, c, t) for r in (False, True) for c in (False, True) for t in (False, True)])
def test_maps_are_straightened_as_they_lie(lie: Lie) -> None:
    """What turns an image is undone: a map that is the turned image itself becomes the image."""

    def turned(images: Tensor) -> Tensor:
        crossed = images.transpose(-2, -1) if lie.transposed else images
        backwards = [side for side, is_so in ((-2, lie.rows_backwards), (-1, lie.columns_backwards)) if is_so]
        return crossed.flip(backwards) if backwards else crossed

    image = torch.rand(1, 1, 12, 18, generator=torch.Generator().manual_seed(2))
    (found,) = find_lies(lambda images: [turned(images)], image, [0])
    assert found == lie
    torch.testing.assert_close(found.straighten(turned(image)), image)


@pytest.mark.parametrize("name", ["ires", "arch1", "arch4", "simple_cnn", "mini_xception", "lenet5"])
def test_maps_of_the_networks_of_the_library_lie_straight(name: str) -> None:
    torch.manual_seed(0)
    network = create(name).eval()
    image = torch.rand(1, 1, 48, 48, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        last = last_maps(map_calls(network, lambda: network(image)))
    assert last is not None
    kept: list[Tensor] = []
    layer = network.get_submodule(last.path)
    hook = layer.register_forward_hook(lambda module, given, output: kept.append(output.clone()))

    def maps_of(images: Tensor) -> list[Tensor]:
        kept.clear()
        network(images)
        return kept

    try:
        assert find_lies(maps_of, image, [last.turn]) == [Lie()]
    finally:
        hook.remove()
