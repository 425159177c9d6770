"""Which shape the images of a data set get: the one that is asked for, or their own where they have one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from fbench.benchmark.data.images.decoding import (
    GRAY_48,
    IMAGE_SIZE,
    Shape,
    UnusableImageError,
    open_image,
    to_colour,
)
from fbench.benchmark.data.options import OWN

LARGEST_OWN_SIZE: Final = 128
"""Images of one size up to this keep it; larger ones are photos rather than crops, and are made 48x48 unless asked."""
_MOST_LOOKED_AT: Final = 512
_GRAY_MODES: Final = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"})
_COLOURFUL: Final = 4.0
"""A mean difference between channels, of 255; a gray picture kept as a colour JPEG has less than one."""


def shape_of(paths: Sequence[Path], options: Mapping[str, str]) -> Shape:
    """Channels, height and width for these files by the options ``size`` and ``channels``; 48x48 gray without them.

    ``own`` channels are RGB where most images are in colour, of 512 looked at; an own size is that of all images where
    they are square, of one size and of at most 128 pixels, else 48. What gives no image has no say.
    """
    if "channels" not in options:
        return GRAY_48
    looked_at = paths[:: max(1, -(-len(paths) // _MOST_LOOKED_AT))]
    channels = {"gray": 1, "rgb": 3}.get(options["channels"]) or (3 if _in_colour(looked_at) else 1)
    size = options.get("size", OWN)
    side = _own_size(paths) if size == OWN else int(size)
    return channels, side, side


def _own_size(paths: Sequence[Path]) -> int:
    found: set[tuple[int, int]] = set()
    for path in paths:
        try:
            with Image.open(path) as image:  # the header alone is read
                found.add(image.size)
        except Exception:  # noqa: S112 - of any type that a damaged file makes Pillow raise; told where it is decoded
            continue
        if len(found) > 1:
            return IMAGE_SIZE
    width, height = found.pop() if found else (IMAGE_SIZE, IMAGE_SIZE)
    return width if width == height <= LARGEST_OWN_SIZE else IMAGE_SIZE


def _in_colour(paths: Sequence[Path]) -> bool:
    votes = [vote for path in paths if (vote := _is_in_colour(path)) is not None]
    return 2 * sum(votes) > len(votes)


def _is_in_colour(path: Path) -> bool | None:
    """Whether an image is in colour; none where there is none."""
    try:
        image = open_image(path)
    except UnusableImageError:
        return None
    if image.mode in _GRAY_MODES:
        return False
    pixels = np.asarray(to_colour(image), np.float32)
    return float((pixels.max(axis=2) - pixels.min(axis=2)).mean()) > _COLOURFUL
