"""Augmentation as batched tensor code on the device: one affine resampling for all geometric changes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows

from fbench.benchmark.protocol import Augmentation


@dataclass(frozen=True)
class MixedBatch:
    """Images float (N, C, H, W) with their targets: labels, two sets of labels, or shares of labels.

    With ``other_labels`` the loss is a mean weighted by ``share`` (N,). ``label_shares`` (N, classes), where given,
    are the targets instead, and ``labels`` only count what was right.
    """

    images: torch.Tensor
    labels: torch.Tensor
    other_labels: torch.Tensor | None = None
    share: torch.Tensor | None = None
    label_shares: torch.Tensor | None = None


def augment(
    images: torch.Tensor,
    labels: torch.Tensor,
    settings: Augmentation,
    generator: torch.Generator,
    label_shares: torch.Tensor | None = None,
) -> MixedBatch:
    """Apply ``settings`` to normalised images (N, C, H, W); every random number comes from ``generator``.

    A fixed set of draws is made for each change that is on, so two networks with equal seeds see equal images.
    Pixels from outside the image repeat its border (crop after padding shifts by whole pixels, border repeated).
    """
    images = _geometry(images, settings, generator)
    if settings.erasing_probability > 0:
        images = _erase(images, settings, generator)
    if settings.mixup_alpha > 0:
        return _mixup(MixedBatch(images, labels, label_shares=label_shares), settings.mixup_alpha, generator)
    return MixedBatch(images, labels, label_shares=label_shares)


def _uniform(n: int, low: float, high: float, like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return torch.rand(n, generator=generator, device=like.device) * (high - low) + low


def _geometry(images: torch.Tensor, settings: Augmentation, generator: torch.Generator) -> torch.Tensor:
    n, _, height, width = images.shape
    flip = torch.ones(n, device=images.device)
    if settings.flip_probability > 0:
        flip = torch.where(_uniform(n, 0, 1, images, generator) < settings.flip_probability, -1.0, 1.0)
    resampled = settings.rotation_degrees > 0 or settings.shift_fraction > 0 or settings.zoom_fraction > 0
    if not resampled and settings.crop_padding_px == 0:
        mirrored = images.flip(-1)
        return torch.where(flip.view(-1, 1, 1, 1) < 0, mirrored, images)
    angle = torch.zeros(n, device=images.device)
    scale = torch.ones(n, device=images.device)
    shift_x, shift_y = torch.zeros(n, device=images.device), torch.zeros(n, device=images.device)
    if settings.rotation_degrees > 0:
        limit = math.radians(settings.rotation_degrees)
        angle = _uniform(n, -limit, limit, images, generator)
    if settings.zoom_fraction > 0:
        scale = _uniform(n, 1 - settings.zoom_fraction, 1 + settings.zoom_fraction, images, generator)
    if settings.shift_fraction > 0:  # the grid runs from -1 to 1, so a fraction of the side is twice as much
        shift_x = _uniform(n, -2 * settings.shift_fraction, 2 * settings.shift_fraction, images, generator)
        shift_y = _uniform(n, -2 * settings.shift_fraction, 2 * settings.shift_fraction, images, generator)
    if settings.crop_padding_px > 0:
        reach = settings.crop_padding_px
        offsets = torch.randint(-reach, reach + 1, (2, n), generator=generator, device=images.device)
        shift_x, shift_y = shift_x + offsets[0] * (2 / width), shift_y + offsets[1] * (2 / height)
    cosine, sine = torch.cos(angle) * scale, torch.sin(angle) * scale
    aspect = height / width
    matrix = torch.stack(
        [
            torch.stack([cosine * flip, -sine * aspect, shift_x], dim=1),
            torch.stack([sine * flip / aspect, cosine, shift_y], dim=1),
        ],
        dim=1,
    )
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _erase(images: torch.Tensor, settings: Augmentation, generator: torch.Generator) -> torch.Tensor:
    """Random erasing (Zhong et al. 2020): a rectangle of each chosen image becomes 0, the mean after normalising."""
    n, _, height, width = images.shape
    chosen = _uniform(n, 0, 1, images, generator) < settings.erasing_probability
    area = _uniform(n, 0.02, max(settings.erasing_max_fraction, 0.02), images, generator) * height * width
    ratio = torch.exp(_uniform(n, math.log(0.3), math.log(1 / 0.3), images, generator))
    box_h = torch.sqrt(area * ratio).clamp(max=height)
    box_w = torch.sqrt(area / ratio).clamp(max=width)
    top = _uniform(n, 0, 1, images, generator) * (height - box_h)
    left = _uniform(n, 0, 1, images, generator) * (width - box_w)
    rows = torch.arange(height, device=images.device).view(1, -1, 1)
    columns = torch.arange(width, device=images.device).view(1, 1, -1)
    inside = (
        (rows >= top.view(-1, 1, 1))
        & (rows < (top + box_h).view(-1, 1, 1))
        & (columns >= left.view(-1, 1, 1))
        & (columns < (left + box_w).view(-1, 1, 1))
        & chosen.view(-1, 1, 1)
    )
    return images.masked_fill(inside.unsqueeze(1), 0.0)


def _mixup(batch: MixedBatch, alpha: float, generator: torch.Generator) -> MixedBatch:
    """mixup (Zhang et al. 2018) with one Beta(alpha, alpha) share per image."""
    images, labels = batch.images, batch.labels
    n = images.shape[0]
    share = _symmetric_beta(n, alpha, images, generator)
    partner = torch.randperm(n, generator=generator, device=images.device)
    weight = share.view(-1, 1, 1, 1)
    mixed = images * weight + images[partner] * (1 - weight)
    if batch.label_shares is not None:
        columns = share.view(-1, 1)
        shares = batch.label_shares * columns + batch.label_shares[partner] * (1 - columns)
        return MixedBatch(mixed, labels, label_shares=shares)
    return MixedBatch(mixed, labels, labels[partner], share)


def _symmetric_beta(n: int, alpha: float, like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Beta(alpha, alpha) draws (N,).

    torch.distributions takes no generator; ``torch._standard_gamma`` does, and is what it calls.
    """
    concentration = torch.full((2, n), alpha, device=like.device)
    gamma = torch._standard_gamma(concentration, generator=generator)
    return gamma[0] / gamma.sum(0).clamp_min(1e-12)
