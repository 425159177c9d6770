"""Brows, forehead and eyes: action units 1, 2, 4 (brows) and 5, 6, 7 (lids and cheeks)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fbench.benchmark.data.synthetic.drawing import (
    Coordinates,
    bump,
    clamp,
    each,
    inside,
    line,
    paint,
    window,
)
from fbench.benchmark.data.synthetic.parameters import Array, Identity

Units = Mapping[int, Array]
"""Intensity (N, 1) of each action unit, by its FACS number."""


def forehead(canvas: Array, at: Coordinates, identity: Identity, units: Units) -> Array:
    """Wrinkles across the forehead (AU 1 in the middle, AU 2 at the sides) and between the brows (AU 4)."""
    brow = each(identity.eye_height) - each(identity.brow_height)
    middle, sides = window(at.across, -0.45, 0.45), window(at.across, 0.15, 0.8)
    raised = units[1] * middle + units[2] * sides
    across = line(at.v - (brow - 0.37), 0.026, at.pixels) + line(at.v - (brow - 0.49), 0.022, at.pixels)
    frown = line(at.across - 0.075, 0.034, at.pixels) * window(at.v, brow - 0.2, brow + 0.22)
    return canvas * (1 - 0.65 * clamp(raised) * across) * (1 - 0.8 * units[4] * frown)


def brows(canvas: Array, at: Coordinates, identity: Identity, units: Units) -> Array:
    """Brows, raised inside by AU 1 and outside by AU 2, lowered and drawn together by AU 4."""
    inner = each(identity.eye_distance) - 0.27 - 0.07 * units[4]
    length = 0.52
    along = clamp((at.across - inner) / length)
    opposite = 1 - along
    height = each(identity.eye_height) - each(identity.brow_height)
    middle = (
        height
        - each(identity.brow_arch) * 4 * along * opposite
        - 0.29 * units[1] * opposite * opposite
        - 0.25 * units[2] * along * (1.6 - 0.6 * along)
        + units[4] * (0.10 + 0.07 * opposite)
    )
    thickness = each(identity.brow_thickness) * (1 - 0.55 * along)
    ends = clamp((at.across - inner) * at.pixels + 0.5) * clamp((inner + length - at.across) * at.pixels + 0.5)
    return paint(canvas, each(identity.brow_gray) * canvas, line(at.v - middle, thickness, at.pixels) * ends)


def eyes(canvas: Array, at: Coordinates, identity: Identity, units: Units) -> Array:
    """Eyes: AU 5 lifts the upper lid, AU 7 narrows both lids, AU 6 pushes the cheek up against the lower lid."""
    x = (at.across - each(identity.eye_distance)) / each(identity.eye_width)
    y = at.v - each(identity.eye_height)
    arch = 1 - x * x
    opening = each(identity.eye_opening)
    upper = (opening * (1 - 0.28 * units[7] - 0.15 * units[6]) + 0.13 * units[5]) * arch
    lower = opening * (0.85 - 0.78 * units[7]) * (1 + 0.3 * units[5]) * (1 - 0.55 * units[6]) * arch
    eye = inside(upper + y, at.pixels) * inside(lower - y, at.pixels)
    socket = bump(x, y, 1.5, 0.22)
    canvas = canvas * (1 - 0.16 * socket)
    canvas = paint(canvas, 0.88, eye)
    across = x * each(identity.eye_width)
    iris = inside((0.0130 - across * across - y * y) * 4.5, at.pixels)
    pupil = inside((0.0025 - across * across - y * y) * 8.0, at.pixels)
    iris_gray = each(identity.iris_gray) * (1 - 0.8 * pupil)
    canvas = paint(canvas, iris_gray, iris * eye)
    glint = clamp(1.3 - (np.abs(across - 0.035) + np.abs(y + 0.045)) * at.pixels * 0.8)
    canvas = paint(canvas, 0.95, glint * eye * 0.6)
    present = clamp(arch * 3)
    lash = line(y + upper, 0.024, at.pixels) * present
    under = line(y - lower, 0.008, at.pixels) * present
    return canvas * (1 - 0.80 * lash) * (1 - 0.28 * under)


def cheeks(canvas: Array, at: Coordinates, identity: Identity, units: Units) -> Array:
    """AU 6: the raised cheek catches light, a furrow forms below the eye and crow's feet beside it."""
    x = at.across - each(identity.eye_distance)
    y = at.v - each(identity.eye_height)
    apple = bump(x - 0.03, y - 0.20, 0.27, 0.13)
    furrow = line(y - 0.145 + 0.5 * x * x, 0.026, at.pixels) * window(x, -0.26, 0.30)
    outer = each(identity.eye_width) + 0.02
    feet_y = np.minimum(np.abs(y + 0.03 + 0.4 * (x - outer)), np.abs(y - 0.03 - 0.4 * (x - outer)))
    feet = line(feet_y, 0.02, at.pixels) * window(x, outer - 0.02, outer + 0.22)
    return canvas * (1 + units[6] * (0.25 * apple - 0.60 * furrow - 0.65 * feet))
