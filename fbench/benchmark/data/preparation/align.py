"""From a face in a photo to 48x48 gray pixels: eyes at fixed places, or the squared box where there are no eyes."""

from __future__ import annotations

import math
from typing import Final, Literal

import numpy as np
from PIL import Image, ImageOps

from fbench.benchmark.data.images.decoding import IMAGE_SIZE
from fbench.benchmark.data.preparation.faces import Face, Point

LEFT_EYE: Final[Point] = (15.0, 19.0)
RIGHT_EYE: Final[Point] = (33.0, 19.0)
"""Where the eyes come to stand in 48x48 pixels (x, y): their mean places in the crops of CK+48, rounded and level."""
BOX_MARGIN: Final = 0.05
"""Of the box's side on each side of it, where there are no eyes."""
RULE: Final = (
    "gray by Pillow's 'L', similarity transform by the eyes (antialiased bilinear to the final scale, then bilinear), "
    "border repeated"
)
Normalisation = Literal["none", "equalise"]


def align(photo: Image.Image, face: Face, normalisation: Normalisation) -> Image.Image:
    """The face as a gray image of 48x48.

    ``equalise`` flattens the histogram of gray values; ``none`` leaves them as they are.
    """
    gray = photo.convert("L")
    if face.left_eye is not None and face.right_eye is not None and face.left_eye != face.right_eye:
        found = _by_eyes(gray, face.left_eye, face.right_eye)
    else:
        found = _by_box(gray, face)
    return ImageOps.equalize(found) if normalisation == "equalise" else found


def similarity(left_eye: Point, right_eye: Point) -> tuple[float, float, float, float]:
    """``a, b, x0, y0`` so that the pixel (x, y) of the result shows the photo at (a x - b y + x0, b x + a y + y0)."""
    across = RIGHT_EYE[0] - LEFT_EYE[0]
    a, b = (right_eye[0] - left_eye[0]) / across, (right_eye[1] - left_eye[1]) / across
    x0 = left_eye[0] - (a * LEFT_EYE[0] - b * LEFT_EYE[1])
    y0 = left_eye[1] - (b * LEFT_EYE[0] + a * LEFT_EYE[1])
    return a, b, x0, y0


def _by_eyes(gray: Image.Image, left_eye: Point, right_eye: Point) -> Image.Image:
    a, b, x0, y0 = similarity(left_eye, right_eye)
    scale = math.hypot(a, b)
    corners = [(a * x - b * y + x0, b * x + a * y + y0) for x in (0, IMAGE_SIZE) for y in (0, IMAGE_SIZE)]
    edge = 2 * max(1.0, scale)
    left, top = (math.floor(min(corner[axis] for corner in corners) - edge) for axis in (0, 1))
    right, bottom = (math.ceil(max(corner[axis] for corner in corners) + edge) for axis in (0, 1))
    region = _crop_repeating_border(gray, (left, top, right, bottom))
    shrink = max(1.0, scale)
    size = (max(1, round(region.width / shrink)), max(1, round(region.height / shrink)))
    per_x, per_y = region.width / size[0], region.height / size[1]
    smaller = region.resize(size, Image.Resampling.BILINEAR)
    matrix = (a / per_x, -b / per_x, (x0 - left) / per_x, b / per_y, a / per_y, (y0 - top) / per_y)
    return smaller.transform((IMAGE_SIZE, IMAGE_SIZE), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def _by_box(gray: Image.Image, face: Face) -> Image.Image:
    left, top, right, bottom = face.box
    half = max(right - left, bottom - top) * (0.5 + BOX_MARGIN)
    x, y = (left + right) / 2, (top + bottom) / 2
    first, top_row, side = round(x - half), round(y - half), max(1, round(2 * half))
    box = (first, top_row, first + side, top_row + side)
    return _crop_repeating_border(gray, box).resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BILINEAR)


def _crop_repeating_border(gray: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """A part of an image that may reach beyond it, where the pixels of its border go on."""
    left, top, right, bottom = box
    inside = (max(0, min(left, gray.width - 1)), max(0, min(top, gray.height - 1)))
    inside_end = (min(gray.width, max(right, inside[0] + 1)), min(gray.height, max(bottom, inside[1] + 1)))
    part = gray.crop((*inside, *inside_end))
    if (*inside, *inside_end) == box:
        return part
    columns = np.clip(np.arange(left, right) - inside[0], 0, part.width - 1)
    rows = np.clip(np.arange(top, bottom) - inside[1], 0, part.height - 1)
    return Image.fromarray(np.asarray(part)[np.ix_(rows, columns)])
