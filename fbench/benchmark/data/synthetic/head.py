"""The head without its features: background, hair, neck, skin lit from one side, and the fringe on top."""

from __future__ import annotations

import numpy as np

from fbench.benchmark.data.synthetic.drawing import Coordinates, clamp, each, inside, paint
from fbench.benchmark.data.synthetic.parameters import Array, Identity, Light

_JAW_DROP = 0.20
_JAW_TOP = 0.42
_CHIN = 1.1


def behind_head(at: Coordinates, identity: Identity, light: Light) -> Array:
    """Background with a slope of gray, the hair behind the head, and the neck."""
    canvas: Array = each(light.background_gray) + each(light.background_slope) * at.u
    width, height = each(identity.head_width) * 1.14, each(identity.head_height) * 1.06
    upright = np.minimum(at.v, 0) / height
    hair = inside((1 - (at.u / width) ** 2 - upright**2) * 0.5, at.pixels)
    hair *= inside(each(identity.hair_length) - at.v, at.pixels * 0.5)
    canvas = paint(canvas, each(identity.hair_gray), hair)
    neck = inside(0.52 - np.abs(at.u), at.pixels) * inside(at.v - 0.7, at.pixels)
    return paint(canvas, each(identity.skin_gray) * 0.62, neck)


def head_and_skin(at: Coordinates, identity: Identity, light: Light, jaw_drop: Array) -> tuple[Array, Array]:
    """The head's coverage of each pixel and the lit skin before features, both (N, 2304).

    ``jaw_drop`` (N, 1) is the intensity of AU 26: it lengthens the outline below the mouth and nothing above.
    """
    below = np.maximum(at.v - _JAW_TOP, 0) / (_CHIN - _JAW_TOP)
    v = at.v - jaw_drop * _JAW_DROP * np.minimum(below, 1)
    low = np.maximum(at.v, 0)
    width = each(identity.head_width) * (1 - each(identity.jaw_taper) * low * low)
    radius = (at.u / np.maximum(width, 0.3)) ** 2 + (v / each(identity.head_height)) ** 2
    coverage = inside((1 - radius) * 0.5, at.pixels)
    depth = np.sqrt(np.maximum(1 - radius * 0.9, 0))
    shade = 0.62 + 0.42 * depth + each(light.from_right) * at.u - each(light.from_above) * at.v
    return coverage, each(identity.skin_gray) * clamp(shade * 0.7) * 1.35


def fringe(canvas: Array, at: Coordinates, identity: Identity, head: Array) -> Array:
    """The hair in front of the forehead and temples."""
    side = np.maximum(np.abs(at.u) - 0.45, 0)
    hairline = side * side * (1.5 + 2.5 * each(identity.temple_hair)) - each(identity.hairline)
    hair = inside(hairline - at.v, at.pixels * 0.7) * inside(0.45 - at.v, at.pixels * 0.15) * head
    strands = 1 + 0.35 * clamp(1 + (at.v + 0.9) * at.u) - 0.2
    return paint(canvas, each(identity.hair_gray) * strands, hair)
