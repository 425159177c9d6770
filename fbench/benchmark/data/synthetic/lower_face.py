"""Nose, mouth and chin: action units 9 (nose), 12, 15, 16, 20, 23 (mouth) and 26 (jaw)."""

from __future__ import annotations

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
from fbench.benchmark.data.synthetic.parameters import Array, Identity, Light
from fbench.benchmark.data.synthetic.upper_face import Units


def nose(canvas: Array, at: Coordinates, identity: Identity, light: Light, units: Units) -> Array:
    """Nose: AU 9 wrinkles its bridge, lifts and widens its wings, and deepens the furrow beside them."""
    top, width = each(identity.eye_height), each(identity.nose_width)
    base = top + each(identity.nose_length)
    wing = base - 0.06 * units[9]
    ridge = bump(at.across, at.v - (top + base) * 0.5, 0.10, 0.30)
    tip = bump(at.across, at.v - (base - 0.07), 0.13, 0.11)
    flank = bump(at.across - width * 0.85, at.v - (base - 0.10), 0.10, 0.24)
    relief = each(light.relief) * (0.12 * ridge + 0.16 * tip - 0.16 * flank)
    nostril = bump(at.across - width * 0.55, at.v - (wing + 0.03), 0.085, 0.055)
    spread = width + 0.05 * units[9]
    ala = line(at.across - spread, 0.02, at.pixels) * window(at.v, wing - 0.17, wing + 0.07)
    beside = at.across - (spread + 0.04 + 0.35 * (at.v - wing + 0.12))
    fold = line(beside, 0.03, at.pixels) * window(at.v, wing - 0.16, wing + 0.12)
    root = line(at.v - (top + 0.02), 0.03, at.pixels) + line(at.v - (top + 0.14), 0.03, at.pixels)
    wrinkles = root * window(at.across, -0.2, 0.2)
    shadow = 0.75 * nostril + 0.25 * ala + units[9] * (0.80 * fold + 0.80 * wrinkles)
    return np.asarray(canvas * (1 + relief) * (1 - clamp(shadow)))


def mouth(canvas: Array, at: Coordinates, identity: Identity, units: Units) -> Array:
    """Lips and what they open on.

    AU 12 pulls the corners up and out (a strong pull parts the lips over the upper teeth), AU 15 pulls them down,
    AU 16 lowers the lower lip over the lower teeth, AU 20 stretches and AU 23 narrows and thins the lips, AU 26
    drops the jaw and opens the mouth.
    """
    width = each(identity.mouth_width) * (1 + 0.30 * units[12] + 0.40 * units[20] - 0.30 * units[23] - 0.18 * units[26])
    s = at.across / width
    curve = s * s
    arch = (1 - curve) * (1 + curve * clamp(units[20] + 0.35 * units[26]))
    middle = each(identity.mouth_height) + 0.05 * units[12] - 0.05 * units[15]
    corner = 0.29 * units[15] + 0.09 * units[20] - 0.26 * units[12]
    y = at.v - (middle + corner * curve)
    smile = units[12] * units[12]
    above = (0.012 + 0.06 * smile + 0.02 * units[26] + 0.07 * units[20]) * arch
    below = (0.012 + 0.16 * smile + 0.42 * units[26] + 0.15 * units[16] + 0.07 * units[20]) * arch
    full = each(identity.lip_thickness) * (1 - 0.65 * units[23] - 0.3 * units[20])
    upper_lip = (full * 0.8) * arch * (1 + 0.5 * clamp(1 - arch))
    lower_lip = full * 1.15 * arch
    outer = inside(y + above + upper_lip, at.pixels) * inside(below + lower_lip - y, at.pixels)
    gap = inside(y + above, at.pixels) * inside(below - y, at.pixels)
    canvas = paint(canvas, canvas * each(identity.lip_gray), outer)
    canvas = paint(canvas, 0.06, gap)
    upper_teeth = gap * inside(0.11 * smile + 0.065 * units[20] - y, at.pixels) * clamp(2 * smile + units[20])
    canvas = paint(canvas, 0.90, upper_teeth * clamp(arch * 2.5))
    lower_teeth = gap * inside(y - below + 0.085 * arch, at.pixels) * clamp(1.6 * units[16])
    return paint(canvas, 0.78, lower_teeth * 0.9)


def chin(canvas: Array, at: Coordinates, identity: Identity, units: Units) -> Array:
    """Nasolabial furrow (AU 12), pouches below the corners (AU 15), tightened skin (AU 23), shadow of the lip."""
    height, width = each(identity.mouth_height), each(identity.mouth_width)
    start = 0.24
    slope = (width + 0.12 - start) / (height - start)
    furrow = line(at.across - (start + slope * (at.v - start)), 0.03, at.pixels)
    furrow *= window(at.v, start - 0.1, height + 0.12 - 0.16 * units[12])
    pouch = line(at.across - width - 0.06 - 0.2 * (at.v - height), 0.05, at.pixels * 0.6)
    pouch *= window(at.v, height - 0.02, height + 0.46)
    tight = bump(at.across, at.v - (height - 0.13), 0.28, 0.06) + bump(at.across, at.v - (height + 0.14), 0.28, 0.06)
    drop = each(identity.lip_thickness) * 1.15 + 0.42 * units[26] + 0.15 * units[16] + 0.08
    below = bump(at.across, at.v - (height + drop), 0.22, 0.07)
    ball = bump(at.across, at.v - (height + drop + 0.17), 0.26, 0.16)
    depth = each(identity.furrow_depth) + 0.6 * units[12]
    shadow = depth * furrow + 0.65 * units[15] * pouch + 0.35 * units[23] * tight + 0.16 * below
    return np.asarray(canvas * (1 - np.minimum(shadow, 0.9)) * (1 + 0.08 * ball))
