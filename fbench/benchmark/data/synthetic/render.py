"""From parameters to images: 48x48 gray faces, drawn for many images at once, no loop over images.

The faces are caricatures on purpose: each action unit moves its feature by a few pixels at full intensity, as FACS
describes it (Ekman and Friesen 1978; Ekman, Friesen and Hager 2002), and changes nothing outside its region.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.synthetic.action_units import AU_NUMBERS
from fbench.benchmark.data.synthetic.drawing import IMAGE_SIZE, Coordinates, band, each, face_coordinates, paint
from fbench.benchmark.data.synthetic.head import behind_head, fringe, head_and_skin
from fbench.benchmark.data.synthetic.lower_face import chin, mouth, nose
from fbench.benchmark.data.synthetic.parameters import Array, FaceParameters, Identity, Light, Pose
from fbench.benchmark.data.synthetic.upper_face import Units, brows, cheeks, eyes, forehead

CHUNK: Final[int] = 64
"""Images drawn at a time: few enough for the arrays in use to stay in a processor's second-level cache."""

UPPER_BAND: Final = (-1.15, -0.05)
EYE_BAND: Final = (-0.60, 0.35)
NOSE_BAND: Final = (-0.50, 0.50)
LOWER_BAND: Final = (0.05, 1.60)
"""Heights v between which the features of a group can change the skin."""


def render(parameters: FaceParameters, noise: Array | None = None) -> npt.NDArray[np.uint8]:
    """Render faces.

    Images are drawn in the order of their vertical shift, so that the features of a chunk share their rows and the
    other rows can be left alone.

    Args:
        parameters: of N images.
        noise: (N, 48, 48) of standard deviation 1, which each image scales by its ``noise_level``; None for no noise.

    Returns:
        uint8 (N, 1, 48, 48). Every image depends on its own parameters only.
    """
    count = len(parameters.intensities)
    images = np.empty((count, 1, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    order = np.argsort(parameters.pose.shift_y, kind="stable")
    for first in range(0, count, CHUNK):
        rows = order[first : first + CHUNK]
        part = select(parameters, rows)
        gray = _face(part)
        if noise is not None:
            gray += each(part.light.noise_level) * noise[rows].reshape(len(rows), -1)
        levels = np.rint(np.clip(gray, 0.0, 1.0) * 255)
        images[rows] = levels.reshape(-1, 1, IMAGE_SIZE, IMAGE_SIZE)
    return images


def select(parameters: FaceParameters, rows: npt.NDArray[np.int64]) -> FaceParameters:
    """The parameters of some of the images."""
    return FaceParameters(
        intensities=parameters.intensities[rows],
        identity=_rows(parameters.identity, rows),
        pose=_rows(parameters.pose, rows),
        light=_rows(parameters.light, rows),
    )


def _face(parameters: FaceParameters) -> Array:
    """Gray values (N, 2304) without noise; may leave 0..1."""
    identity, light = parameters.identity, parameters.light
    units = {number: parameters.intensities[:, [k]] for k, number in enumerate(AU_NUMBERS)}
    at = face_coordinates(parameters.pose)
    head, skin = head_and_skin(at, identity, light, units[26])
    _draw_features(skin, at, identity, light, units)
    canvas = paint(behind_head(at, identity, light), skin, head)
    canvas = fringe(canvas, at, identity, head)
    return (canvas - 0.5) * each(light.contrast) + (0.5 + each(light.brightness))


def _draw_features(skin: Array, at: Coordinates, identity: Identity, light: Light, units: Units) -> None:
    """Draw eyes, nose, mouth and brows onto the skin, in place."""
    rows = band(at, *EYE_BAND)
    skin[:, rows] = eyes(cheeks(skin[:, rows], at.part(rows), identity, units), at.part(rows), identity, units)
    rows = band(at, *NOSE_BAND)
    skin[:, rows] = nose(skin[:, rows], at.part(rows), identity, light, units)
    rows = band(at, *LOWER_BAND)
    skin[:, rows] = mouth(chin(skin[:, rows], at.part(rows), identity, units), at.part(rows), identity, units)
    rows = band(at, *UPPER_BAND)
    skin[:, rows] = brows(forehead(skin[:, rows], at.part(rows), identity, units), at.part(rows), identity, units)


_Group = TypeVar("_Group", Identity, Pose, Light)


def _rows(group: _Group, rows: npt.NDArray[np.int64]) -> _Group:
    return replace(group, **{field.name: getattr(group, field.name)[rows] for field in fields(group)})
