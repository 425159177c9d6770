"""Grad-CAM and feature maps of one layer of a network, or why it has none that may be shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn

from fbench.benchmark.maps.positions import MapsLeftOutError, find_lies


class NoGradientError(MapsLeftOutError):
    """The answer does not depend on a layer in a way that can be derived."""


def feature_maps(network: nn.Module, layer: nn.Module, images: torch.Tensor, turn: int = -1) -> torch.Tensor:
    """What ``layer`` gives for images (N, C, H, W) that ``network`` takes: (N, channels, h, w).

    Args:
        network: from images to logits.
        layer: a module within it.
        images: (N, C, H, W).
        turn: which of the layer's calls in one pass; by default the last.

    Raises:
        MapsLeftOutError: the layer gives no maps, or not one set of them for each image.
    """
    with torch.no_grad(), _kept_outputs(layer) as kept:
        network(images.clone())  # it may write into what it is given
    maps = kept[turn].detach()
    _require_one_set_each(maps, len(images))
    return maps


def grad_cam(network: nn.Module, layer: nn.Module, images: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Gradient-weighted class activation maps (Selvaraju et al. 2017, Grad-CAM, equations 1 and 2).

    A channel's weight is the spatial mean of the gradient of the class's logit; the weighted sum of the maps of
    ``layer`` passes a ReLU, is enlarged bilinearly and divided by its maximum. Where the layer is called several times
    side by side, the calls are taken as channels of one layer: each weighted sum is turned to lie as the image does,
    and they are added before the ReLU. Of calls one after the other, the last counts.

    Args:
        network: in evaluation mode, from images to logits (N, classes).
        layer: the module within it whose maps are taken.
        images: (N, C, H, W).
        classes: int64 (N,), the class of each image.

    Returns:
        (N, H, W) in 0 to 1, all 0 where no place speaks for the class.

    Raises:
        NoGradientError: no gradient leads from the logits to the layer.
        MapsLeftOutError: the layer's maps are not of the images' places, so that heat would stand at a wrong one.
    """
    weighted = _weighted_sums(network, layer, images, classes)
    if not all(torch.isfinite(heat).all() for heat in weighted.values()):
        raise MapsLeftOutError("its heat is not finite")
    if any((heat > 0).any() for heat in weighted.values()):
        lies = find_lies(lambda given: _all_outputs(network, layer, given), images[:1], tuple(weighted))
        straight = [lie.straighten(heat) for lie, heat in zip(lies, weighted.values(), strict=True)]
    else:
        straight = list(weighted.values())
    largest = max((tuple(heat.shape[-2:]) for heat in straight), key=lambda size: size[0] * size[1])
    heat = F.relu(torch.stack([_enlarged(heat, largest) for heat in straight]).sum(0))
    large = _enlarged(heat, tuple(images.shape[-2:]))[:, 0]
    most = large.amax((1, 2), keepdim=True)
    return torch.where(most > 0, large / torch.where(most > 0, most, 1), 0)


def stretched(maps: torch.Tensor) -> torch.Tensor:
    """Each map of (channels, h, w) from its own minimum to its maximum as 0 to 1; a flat map is 0."""
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return torch.where(high > low, (maps - low) / torch.where(high > low, high - low, 1), 0)


def _weighted_sums(
    network: nn.Module, layer: nn.Module, images: torch.Tensor, classes: torch.Tensor
) -> dict[int, torch.Tensor]:
    """The weighted sum of the maps (N, 1, h, w) of each call that the logits depend on, by its turn.

    A call whose maps know no places counts only where no other does.
    """
    with torch.enable_grad(), _kept_outputs(layer) as kept:
        chosen = network(images.clone()).gather(1, classes[:, None]).sum()
        gradients: tuple[torch.Tensor | None, ...] = ()
        if kept and chosen.requires_grad:
            gradients = torch.autograd.grad(chosen, kept, allow_unused=True)
    found = {turn: gradient for turn, gradient in enumerate(gradients) if gradient is not None}
    if not found:
        raise NoGradientError("no gradient leads from the answer to its maps")
    for turn in found:
        _require_one_set_each(kept[turn], len(images))
    with_places = {turn: one for turn, one in found.items() if one.shape[-2] * one.shape[-1] > 1} or found
    return {
        turn: (gradient.mean((2, 3), keepdim=True) * kept[turn].detach()).sum(1, keepdim=True)
        for turn, gradient in with_places.items()
    }


def _enlarged(maps: torch.Tensor, size: tuple[int, ...]) -> torch.Tensor:
    if tuple(maps.shape[-2:]) == size:
        return maps
    return F.interpolate(maps, size=size, mode="bilinear", align_corners=False)


def _all_outputs(network: nn.Module, layer: nn.Module, images: torch.Tensor) -> list[torch.Tensor]:
    with _kept_outputs(layer) as kept:
        network(images.clone())  # it may write into what it is given
    return [maps.detach() for maps in kept]


def _require_one_set_each(maps: torch.Tensor, images: int) -> None:
    if maps.ndim != 4:
        raise MapsLeftOutError(f"it gives {maps.ndim}-dimensional tensors, not maps")
    if len(maps) != images:
        raise MapsLeftOutError(
            f"it gives {len(maps):,} sets of maps for {images:,} {'image' if images == 1 else 'images'}"
        )


@contextmanager
def _kept_outputs(layer: nn.Module) -> Iterator[list[torch.Tensor]]:
    """What a module gave at each call, as leaves for gradients; the network goes on with copies of them.

    A copy, because a network may change its tensors in place.
    """
    kept: list[torch.Tensor] = []

    def keep(_: nn.Module, __: Any, output: Any) -> torch.Tensor:
        if not isinstance(output, torch.Tensor) or not output.is_floating_point():
            kind = str(output.dtype) if isinstance(output, torch.Tensor) else type(output).__name__
            raise MapsLeftOutError(f"it gives {kind}, not maps of real numbers")
        kept.append(output.detach().requires_grad_())
        return kept[-1].clone()

    hook = layer.register_forward_hook(keep)
    try:
        yield kept
    finally:
        hook.remove()
