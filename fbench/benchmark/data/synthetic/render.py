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
from fbench.benchmark.data.synthetic.drawing import IMAGE_SIZE, each, face_coordinates, paint
from fbench.benchmark.data.synthetic.head import behind_head, fringe, head_and_skin
from fbench.benchmark.data.synthetic.lower_face import chin, mouth, nose
from fbench.benchmark.data.synthetic.parameters import Array, FaceParameters, Identity, Light, Pose
from fbench.benchmark.data.synthetic.upper_face import brows, cheeks, eyes, forehead

CHUNK: Final[int] = 32
"""Images drawn at a time: 32 x 2304 float32 are 295 KB, so that the arrays in use stay in the processor's cache."""


def render(parameters: FaceParameters, noise: Array | None = None) -> npt.NDArray[np.uint8]:
    """Render faces.

    Args:
        parameters: of N images.
        noise: (N, 48, 48) of standard deviation 1, which each image scales by its ``noise_level``; None for no noise.

    Returns:
        uint8 (N, 1, 48, 48). Every image depends on its own parameters only.
    """
    count = len(parameters.intensities)
    images = np.empty((count, 1, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    for first in range(0, count, CHUNK):
        rows = slice(first, first + CHUNK)
        part = select(parameters, rows)
        gray = _face(part)
        if noise is not None:
            gray += each(part.light.noise_level) * noise[rows].reshape(len(gray), -1)
        levels = np.rint(np.clip(gray, 0.0, 1.0) * 255)
        images[rows] = levels.reshape(-1, 1, IMAGE_SIZE, IMAGE_SIZE)
    return images


def select(parameters: FaceParameters, rows: slice) -> FaceParameters:
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
    skin = cheeks(skin, at, identity, units)
    skin = forehead(skin, at, identity, units)
    skin = nose(skin, at, identity, light, units)
    skin = chin(skin, at, identity, units)
    skin = mouth(skin, at, identity, units)
    skin = eyes(skin, at, identity, units)
    skin = brows(skin, at, identity, units)
    canvas = paint(behind_head(at, identity, light), skin, head)
    canvas = fringe(canvas, at, identity, head)
    return (canvas - 0.5) * each(light.contrast) + (0.5 + each(light.brightness))


_Group = TypeVar("_Group", Identity, Pose, Light)


def _rows(group: _Group, rows: slice) -> _Group:
    return replace(group, **{field.name: getattr(group, field.name)[rows] for field in fields(group)})
