"""What one image is rendered from: action-unit intensities, identity, pose, light and noise, as arrays over images.

Apart from the intensities every quantity is uniform on a stated range, independent of the class. Lengths are in face
coordinates (1 is half the width of an average head, 20.5 pixels), gray values in 0 (black) to 1 (white).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.synthetic.action_units import AU_NUMBERS

Array = npt.NDArray[np.floating[Any]]
"""float32 everywhere; numpy's stubs lose float32 in arithmetic with Python numbers, so the declared type is wider."""


@dataclass(frozen=True)
class Identity:
    """Who it is: the shape of the head and its features, and their gray values. Every field is (N,)."""

    head_width: Array
    head_height: Array
    jaw_taper: Array
    hairline: Array
    temple_hair: Array
    hair_length: Array
    hair_gray: Array
    skin_gray: Array
    eye_distance: Array
    eye_height: Array
    eye_width: Array
    eye_opening: Array
    iris_gray: Array
    brow_height: Array
    brow_thickness: Array
    brow_arch: Array
    brow_gray: Array
    nose_length: Array
    nose_width: Array
    mouth_height: Array
    mouth_width: Array
    lip_thickness: Array
    lip_gray: Array
    furrow_depth: Array


@dataclass(frozen=True)
class Pose:
    """Where the head is: shift in pixels, in-plane rotation in radians, scale, yaw (sine). Every field is (N,)."""

    shift_x: Array
    shift_y: Array
    rotation: Array
    scale: Array
    yaw: Array


@dataclass(frozen=True)
class Light:
    """How it is lit and photographed: light from the right and from above, background, contrast. Each (N,)."""

    from_right: Array
    from_above: Array
    relief: Array
    background_gray: Array
    background_slope: Array
    contrast: Array
    brightness: Array
    noise_level: Array


@dataclass(frozen=True)
class FaceParameters:
    """Everything that :func:`fbench.benchmark.data.synthetic.render.render` needs for N images.

    ``intensities`` is float32 (N, 13) in [0, 1], columns as in ``AU_NUMBERS``.
    """

    intensities: Array
    identity: Identity
    pose: Pose
    light: Light


IDENTITY_RANGES: Final[dict[str, tuple[float, float]]] = {
    "head_width": (0.92, 1.06),
    "head_height": (1.15, 1.27),
    "jaw_taper": (0.11, 0.22),
    "hairline": (0.9, 1.04),
    "temple_hair": (0.0, 1.0),
    "hair_length": (-0.2, 0.6),
    "hair_gray": (0.16, 0.42),
    "skin_gray": (0.62, 0.8),
    "eye_distance": (0.4, 0.45),
    "eye_height": (-0.19, -0.14),
    "eye_width": (0.26, 0.3),
    "eye_opening": (0.1, 0.125),
    "iris_gray": (0.05, 0.18),
    "brow_height": (0.3, 0.345),
    "brow_thickness": (0.065, 0.09),
    "brow_arch": (0.03, 0.075),
    "brow_gray": (0.22, 0.35),
    "nose_length": (0.38, 0.44),
    "nose_width": (0.16, 0.2),
    "mouth_height": (0.55, 0.6),
    "mouth_width": (0.4, 0.48),
    "lip_thickness": (0.08, 0.12),
    "lip_gray": (0.68, 0.79),
    "furrow_depth": (0.02, 0.09),
}
POSE_RANGES: Final[dict[str, tuple[float, float]]] = {
    "shift_x": (-10.0, 10.0),
    "shift_y": (-10.0, 6.0),
    "rotation": (-0.1, 0.1),
    "scale": (0.96, 1.06),
    "yaw": (-0.2, 0.2),
}
LIGHT_RANGES: Final[dict[str, tuple[float, float]]] = {
    "from_right": (-0.14, 0.14),
    "from_above": (0.0, 0.14),
    "relief": (0.7, 1.2),
    "background_gray": (0.42, 0.66),
    "background_slope": (-0.06, 0.06),
    "contrast": (0.98, 1.1),
    "brightness": (-0.03, 0.03),
    "noise_level": (0.002, 0.012),
}

FIELD_COUNT: Final[int] = len(IDENTITY_RANGES) + len(POSE_RANGES) + len(LIGHT_RANGES)
"""Uniform draws one image needs beside its intensities."""


def from_uniforms(intensities: npt.NDArray[np.floating], uniforms: npt.NDArray[np.float64]) -> FaceParameters:
    """Scale uniform draws to the stated ranges.

    Args:
        intensities: (N, 13) in [0, 1].
        uniforms: (N, :data:`FIELD_COUNT`) in [0, 1), in the order identity, pose, light.
    """
    columns = iter(uniforms.T)
    return FaceParameters(
        intensities=np.asarray(intensities, np.float32),
        identity=Identity(**{name: _scaled(next(columns), *IDENTITY_RANGES[name]) for name in _names(Identity)}),
        pose=Pose(**{name: _scaled(next(columns), *POSE_RANGES[name]) for name in _names(Pose)}),
        light=Light(**{name: _scaled(next(columns), *LIGHT_RANGES[name]) for name in _names(Light)}),
    )


def average_face(intensities: npt.NDArray[np.floating]) -> FaceParameters:
    """The middle of every range with chosen action-unit intensities: one face, N expressions.

    Args:
        intensities: (N, 13) in [0, 1], columns as in ``AU_NUMBERS``.

    Raises:
        ValueError: another number of columns.
    """
    if intensities.ndim != 2 or intensities.shape[1] != len(AU_NUMBERS):
        raise ValueError(
            f"The intensities have shape {intensities.shape}; give (N, {len(AU_NUMBERS)}), "
            f"one column for each action unit of {AU_NUMBERS}."
        )
    return from_uniforms(intensities, np.full((len(intensities), FIELD_COUNT), 0.5))


def _names(record: type[Identity | Pose | Light]) -> list[str]:
    return [field.name for field in fields(record)]


def _scaled(uniforms: npt.NDArray[np.float64], low: float, high: float) -> Array:
    return np.asarray(low + (high - low) * uniforms, np.float32)
