"""A contact sheet: training images of each class above what a protocol's augmentation makes of them."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw, ImageFont

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.training.augment import augment
from fbench.benchmark.training.seeds import derive_seeds

ENLARGED: Final = 2
"""Pixels of the sheet per pixel of an image: 48 pixels alone are too small to judge a rotation by."""
_MARGIN, _NAME_WIDTH, _LINE = 8, 110, 18
_PAPER, _INK = 255, 30


def contact_sheet(dataset: ImageDataset, protocol: Protocol, *, per_class: int, seed: int) -> Image.Image:
    """Draw the first ``per_class`` training images of each class, drawn by ``seed``, and one augmented copy of each.

    For each class one row of images as they are and below it the same images augmented, by the augmentation stream
    of the trial with that seed number. Gray images give a gray sheet.

    Raises:
        ValueError: the data set has no training image.
    """
    rows = [_pick(dataset, label, per_class, seed) for label in range(len(dataset.class_names))]
    chosen = np.concatenate(rows)
    if not chosen.size:
        raise ValueError(f"{dataset.name} has no training image")
    changed = _augmented(dataset.images[chosen], dataset.labels[chosen], protocol, seed)
    _, height, width = dataset.image_shape
    side_x, side_y = width * ENLARGED, height * ENLARGED
    band = 2 * side_y + _MARGIN
    size = (_NAME_WIDTH + per_class * (side_x + 2), 2 * _LINE + len(rows) * (band + _MARGIN))
    sheet = Image.new("L" if dataset.image_shape[0] == 1 else "RGB", size, _paper(dataset))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    what = f"{dataset.name}, protocol {protocol.name} version {protocol.version}, seed {seed}"
    draw.text((_MARGIN, 4), f"{what}: above as read, below augmented", fill=_INK, font=font)
    start = 0
    for index, members in enumerate(rows):
        top = 2 * _LINE + index * (band + _MARGIN)
        draw.text((_MARGIN, top + side_y - _LINE // 2), dataset.class_names[index][:16], fill=_INK, font=font)
        for column, row in enumerate(members.tolist()):
            left = _NAME_WIDTH + column * (side_x + 2)
            sheet.paste(_tile(dataset.images[row]), (left, top))
            sheet.paste(_tile(changed[start + column]), (left, top + side_y + 2))
        start += len(members)
    return sheet


def _pick(dataset: ImageDataset, label: int, per_class: int, seed: int) -> npt.NDArray[np.int64]:
    rows = dataset.rows("train")
    members = rows[dataset.labels[rows] == label]
    return np.sort(np.random.default_rng([seed, label]).permutation(members)[:per_class])


def _augmented(
    images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8], protocol: Protocol, seed: int
) -> npt.NDArray[np.uint8]:
    """The images after one draw of the protocol's augmentation, as uint8; mixup shows as two faces in one."""
    generator = torch.Generator().manual_seed(derive_seeds(seed).augmentation)
    # Centred, so that what erasing sets to 0 comes out as middle gray, like the mean in training.
    values = torch.from_numpy(images).float() - 127.5
    changed = augment(values, torch.from_numpy(labels.astype(np.int64)), protocol.augmentation, generator).images
    return (changed + 127.5).round().clamp(0, 255).to(torch.uint8).numpy()


def _tile(image: npt.NDArray[np.uint8]) -> Image.Image:
    """One image (C, H, W) enlarged without smoothing."""
    pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    tile = Image.fromarray(np.ascontiguousarray(pixels))
    return tile.resize((tile.width * ENLARGED, tile.height * ENLARGED), Image.Resampling.NEAREST)


def _paper(dataset: ImageDataset) -> int | tuple[int, int, int]:
    return _PAPER if dataset.image_shape[0] == 1 else (_PAPER, _PAPER, _PAPER)
