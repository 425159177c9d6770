"""Coordinates of a face and the few shapes that everything is drawn with.

All functions work on float32 arrays of shape (N, pixels), or (N, 1) for one number an image. They use nothing but
sums, products, quotients, square roots and comparisons, which IEEE 754 rounds exactly: the same seed gives the same
bytes on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from fbench.benchmark.data.synthetic.parameters import Array, Pose

IMAGE_SIZE: Final[int] = 48
UNIT_PIXELS: Final[float] = 20.5
"""Half the width of an average head in pixels: the unit of face coordinates."""

_YAW_SHIFT = 0.32
_YAW_SQUEEZE = 0.30


@dataclass(frozen=True)
class Coordinates:
    """Face coordinates of every pixel.

    ``u`` runs to the right and ``v`` down from the middle of the head (N, 2304). ``across`` is the distance from the
    midline of the features (nose, mouth), at least 0, which yaw shifts on the head and squeezes on the far side.
    ``pixels`` (N, 1) is how many pixels one unit has.
    """

    u: Array
    v: Array
    across: Array
    pixels: Array

    def part(self, pixels: slice) -> Coordinates:
        """The coordinates of a run of pixels."""
        return Coordinates(self.u[:, pixels], self.v[:, pixels], self.across[:, pixels], self.pixels)


def face_coordinates(pose: Pose) -> Coordinates:
    """Where each pixel of each image lies on the face."""
    axis = np.arange(IMAGE_SIZE, dtype=np.float32) - np.float32((IMAGE_SIZE - 1) / 2)
    x = np.tile(axis, IMAGE_SIZE)[None, :] - each(pose.shift_x)
    y = np.repeat(axis, IMAGE_SIZE)[None, :] - each(pose.shift_y)
    pixels = np.float32(UNIT_PIXELS) * each(pose.scale)
    rotation = pose.rotation.astype(np.float64)  # rounded to float32 afterwards, so a last bit of libm is not seen
    cosine, sine = each(np.cos(rotation)) / pixels, each(np.sin(rotation)) / pixels
    u = x * cosine + y * sine
    v = y * cosine - x * sine
    feature = u - each(pose.yaw) * _YAW_SHIFT
    squeeze = each(pose.yaw) * _YAW_SQUEEZE
    across = np.maximum(feature * (1 + squeeze), feature * (squeeze - 1))
    return Coordinates(u=u, v=v, across=across, pixels=pixels)


def band(at: Coordinates, top: float, bottom: float) -> slice:
    """The pixels of all image rows in which any of the faces has a height v between ``top`` and ``bottom``."""
    ends = at.v.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)[:, :, [0, -1]]  # v is linear along a row
    rows = np.flatnonzero((ends.min(axis=(0, 2)) <= bottom) & (ends.max(axis=(0, 2)) >= top))
    return slice(int(rows[0]) * IMAGE_SIZE, (int(rows[-1]) + 1) * IMAGE_SIZE) if rows.size else slice(0, 0)


def each(values: Array) -> Array:
    """One number an image (N,) as a column (N, 1) that meets (N, pixels)."""
    return np.asarray(values, np.float32)[:, None]


def clamp(values: Array) -> Array:
    """Values cut to 0..1."""
    return np.clip(values, 0.0, 1.0)


def inside(distance: Array, pixels: Array) -> Array:
    """How much of a pixel a shape covers, from the distance to its edge (positive inside, in face units)."""
    return clamp(distance * pixels + 0.5)


def line(distance: Array, half_width: Array | float, pixels: Array) -> Array:
    """How much of a pixel a line covers, from the distance to its middle (in face units)."""
    return clamp((half_width - np.abs(distance)) * pixels + 0.5)


def bump(distance_x: Array, distance_y: Array, radius_x: Array | float, radius_y: Array | float) -> Array:
    """A smooth hill of height 1 on an ellipse, exactly 0 outside it: (1 - r^2)^2."""
    hill = np.maximum(1 - (distance_x / radius_x) ** 2 - (distance_y / radius_y) ** 2, _ZERO)
    return hill * hill


def window(values: Array, low: Array | float, high: Array | float) -> Array:
    """A smooth window of height 1 between two bounds, exactly 0 outside: 16 t^2 (1 - t)^2."""
    position = clamp((values - low) / (high - low))
    arch = 4 * position * (1 - position)
    return arch * arch


def paint(canvas: Array, gray: Array | float, mask: Array) -> Array:
    """Lay a gray value over the canvas where the mask says."""
    return np.asarray(canvas + mask * (gray - canvas))


_ZERO = np.zeros((1, 1), np.float32)
