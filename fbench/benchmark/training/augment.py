"""Augmentation in two halves: random numbers for many images at once, and batched tensor code that applies them.

The numbers are drawn on the CPU, so every device sees the same images, and for a whole epoch, so that it does not
matter how many batches are augmented together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows

from fbench.benchmark.records.protocol import Augmentation


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

    def part(self, rows: slice) -> MixedBatch:
        """The images of ``rows`` with their targets."""
        parts: dict[str, Any] = {name: None if value is None else value[rows] for name, value in vars(self).items()}
        return MixedBatch(**parts)


@dataclass(frozen=True)
class AugmentationDraws:
    """What chance decided for N images; ``None`` where a change is off.

    - ``mirrored`` bool (N,), used where no image is resampled
    - ``matrices`` (N, 2, 3): from places of the changed image to places of the image, both from -1 to 1
    - ``erased`` (N, 4): top, bottom, left and right of a rectangle in pixels, empty where nothing is erased
    - ``partners`` int64 (N,) and ``shares`` (N,): which image is mixed in, and how much of the first stays
    """

    mirrored: torch.Tensor | None = None
    matrices: torch.Tensor | None = None
    erased: torch.Tensor | None = None
    partners: torch.Tensor | None = None
    shares: torch.Tensor | None = None

    def part(self, start: int, stop: int) -> AugmentationDraws:
        """The draws of some images, whole batches of them; partners are counted from the first."""
        cut = AugmentationDraws(
            **{name: None if value is None else value[start:stop] for name, value in vars(self).items()}
        )
        return cut if cut.partners is None else replace(cut, partners=cut.partners - start)

    def to(self, device: torch.device) -> AugmentationDraws:
        """The draws on ``device``, copied without waiting for it where it is an accelerator."""
        if device.type == "cpu":
            return self
        return AugmentationDraws(
            **{name: None if value is None else to_device(value, device) for name, value in vars(self).items()}
        )


def to_device(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Copy from the CPU; to CUDA from pinned memory, so that the copy queues up with the work."""
    if device.type == "cuda":
        return values.pin_memory().to(device, non_blocking=True)
    return values.to(device)


def augment(
    images: torch.Tensor,
    labels: torch.Tensor,
    settings: Augmentation,
    generator: torch.Generator,
    label_shares: torch.Tensor | None = None,
) -> MixedBatch:
    """Draw for one batch of normalised images (N, C, H, W) and apply; ``generator`` is one of the CPU."""
    n, _, height, width = images.shape
    draws = draw_augmentation(settings, n, 1, (height, width), generator).to(images.device)
    return apply_augmentation(MixedBatch(images, labels, label_shares=label_shares), draws)


# --- drawing


def draw_augmentation(
    settings: Augmentation, batch_size: int, batches: int, image_size: tuple[int, int], generator: torch.Generator
) -> AugmentationDraws:
    """Draw for ``batches`` batches of images of ``image_size`` (height, width), on the CPU.

    A fixed set of draws is made for each change that is on, so two networks with equal seeds see equal images.
    """
    n = batch_size * batches
    mirrored = None
    if settings.flip_probability > 0:
        mirrored = _uniform(n, 0, 1, generator) < settings.flip_probability
    matrices = _draw_matrices(settings, mirrored, n, image_size, generator) if _is_resampled(settings) else None
    erased = _draw_rectangles(settings, n, image_size, generator) if settings.erasing_probability > 0 else None
    draws = AugmentationDraws(mirrored=None if matrices is not None else mirrored, matrices=matrices, erased=erased)
    if settings.mixup_alpha > 0:
        shares = _symmetric_beta(n, settings.mixup_alpha, generator)
        within = torch.rand(batches, batch_size, generator=generator).argsort(1)
        partners = (within + torch.arange(batches).view(-1, 1) * batch_size).flatten()
        draws = replace(draws, partners=partners, shares=shares)
    return draws


def _is_resampled(settings: Augmentation) -> bool:
    changes = settings.rotation_degrees, settings.shift_fraction, settings.zoom_fraction, settings.crop_padding_px
    return any(change > 0 for change in changes)


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    return torch.rand(n, generator=generator) * (high - low) + low


def _draw_matrices(
    settings: Augmentation,
    mirrored: torch.Tensor | None,
    n: int,
    image_size: tuple[int, int],
    generator: torch.Generator,
) -> torch.Tensor:
    """One affine map (2, 3) per image for mirror, rotation, zoom and shift together."""
    height, width = image_size
    flip = torch.ones(n) if mirrored is None else torch.where(mirrored, -1.0, 1.0)
    angle, scale, shift_x, shift_y = torch.zeros(n), torch.ones(n), torch.zeros(n), torch.zeros(n)
    if settings.rotation_degrees > 0:
        limit = math.radians(settings.rotation_degrees)
        angle = _uniform(n, -limit, limit, generator)
    if settings.zoom_fraction > 0:
        scale = _uniform(n, 1 - settings.zoom_fraction, 1 + settings.zoom_fraction, generator)
    if settings.shift_fraction > 0:  # places run from -1 to 1, so a fraction of the side is twice as much
        shift_x = _uniform(n, -2 * settings.shift_fraction, 2 * settings.shift_fraction, generator)
        shift_y = _uniform(n, -2 * settings.shift_fraction, 2 * settings.shift_fraction, generator)
    if settings.crop_padding_px > 0:
        reach = settings.crop_padding_px
        offsets = torch.randint(-reach, reach + 1, (2, n), generator=generator)
        shift_x, shift_y = shift_x + offsets[0] * (2 / width), shift_y + offsets[1] * (2 / height)
    cosine, sine = torch.cos(angle) * scale, torch.sin(angle) * scale
    aspect = height / width
    rows = [cosine * flip, -sine * aspect, shift_x, sine * flip / aspect, cosine, shift_y]
    return torch.stack(rows, dim=1).view(n, 2, 3)


def _draw_rectangles(
    settings: Augmentation, n: int, image_size: tuple[int, int], generator: torch.Generator
) -> torch.Tensor:
    """Rectangles of random erasing (Zhong et al. 2020), sides of random ratio between 0.3 and 1 / 0.3."""
    height, width = image_size
    chosen = _uniform(n, 0, 1, generator) < settings.erasing_probability
    area = _uniform(n, 0.02, max(settings.erasing_max_fraction, 0.02), generator) * height * width
    ratio = torch.exp(_uniform(n, math.log(0.3), math.log(1 / 0.3), generator))
    box_h = torch.sqrt(area * ratio).clamp(max=height)
    box_w = torch.sqrt(area / ratio).clamp(max=width)
    top = _uniform(n, 0, 1, generator) * (height - box_h)
    left = _uniform(n, 0, 1, generator) * (width - box_w)
    corners = torch.stack([top, top + box_h, left, left + box_w], dim=1)
    return torch.where(chosen.view(-1, 1), corners, torch.zeros(4))


def _symmetric_beta(n: int, alpha: float, generator: torch.Generator) -> torch.Tensor:
    """Beta(alpha, alpha) draws (N,).

    torch.distributions takes no generator; ``torch._standard_gamma`` does, and is what it calls.
    """
    gamma = torch._standard_gamma(torch.full((2, n), alpha), generator=generator)
    return gamma[0] / gamma.sum(0).clamp_min(1e-12)


# --- applying


def apply_augmentation(batch: MixedBatch, draws: AugmentationDraws) -> MixedBatch:
    """Change normalised images as drawn: resample, erase, mix.

    Places outside an image repeat its border (crop after padding shifts by whole pixels, border repeated). An erased
    rectangle becomes 0, the mean after normalising.
    """
    images = batch.images
    if draws.matrices is not None:
        grid = _sampling_grid(draws.matrices, images.shape[2], images.shape[3])
        images = F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
    elif draws.mirrored is not None:
        images = torch.where(draws.mirrored.view(-1, 1, 1, 1), images.flip(-1), images)
    if draws.erased is not None:
        images = _erase(images, draws.erased)
    batch = replace(batch, images=images)
    if draws.partners is None or draws.shares is None:
        return batch
    return _mixup(batch, draws.partners, draws.shares)


def _sampling_grid(matrices: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """What ``F.affine_grid`` gives (N, H, W, 2), up to rounding.

    A place is a complex number, so that the grid is one broadcast sum of a row and a column: 0.06 ms in place of
    1.6 ms for 128 images of 48x48 on one core.
    """
    columns = torch.arange(width, device=matrices.device) * (2 / width) + (1 / width - 1)
    rows = torch.arange(height, device=matrices.device) * (2 / height) + (1 / height - 1)
    along_x, along_y, shift = torch.view_as_complex(matrices.transpose(1, 2).contiguous()).unbind(1)
    across = along_x.view(-1, 1) * columns + shift.view(-1, 1)
    down = along_y.view(-1, 1) * rows
    return torch.view_as_real(across.unsqueeze(1) + down.unsqueeze(2))


def _erase(images: torch.Tensor, rectangles: torch.Tensor) -> torch.Tensor:
    top, bottom, left, right = rectangles.unsqueeze(1).unbind(-1)
    rows = torch.arange(images.shape[2], device=images.device)
    columns = torch.arange(images.shape[3], device=images.device)
    in_rows = ((rows >= top) & (rows < bottom)).view(-1, 1, images.shape[2], 1)
    in_columns = ((columns >= left) & (columns < right)).view(-1, 1, 1, images.shape[3])
    return images.masked_fill(in_rows & in_columns, 0.0)


def _mixup(batch: MixedBatch, partners: torch.Tensor, shares: torch.Tensor) -> MixedBatch:
    """mixup (Zhang et al. 2018) with one Beta(alpha, alpha) share per image."""
    mixed = torch.lerp(batch.images[partners], batch.images, shares.view(-1, 1, 1, 1))
    if batch.label_shares is not None:
        blended = torch.lerp(batch.label_shares[partners], batch.label_shares, shares.view(-1, 1))
        return MixedBatch(mixed, batch.labels, label_shares=blended)
    return MixedBatch(mixed, batch.labels, batch.labels[partners], shares)
