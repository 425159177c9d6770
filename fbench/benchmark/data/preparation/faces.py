"""What a face detector finds, and the detectors that there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from fbench.core.errors import UserError, did_you_mean

Point = tuple[float, float]
EXTRA: Final = "fbench[faces]"


@dataclass(frozen=True)
class Face:
    """A face in a photo: box (left, top, right, bottom) in pixels, a confidence, and the eyes where they were found.

    ``left_eye`` is the one on the left of the picture; points are (x, y) in pixels. Confidences of two detectors
    cannot be compared.
    """

    box: tuple[float, float, float, float]
    confidence: float
    left_eye: Point | None = None
    right_eye: Point | None = None

    @property
    def area(self) -> float:
        """Of the box, in square pixels."""
        left, top, right, bottom = self.box
        return max(0.0, right - left) * max(0.0, bottom - top)


class Detector(Protocol):
    """Finds faces in a photo."""

    name: str
    version: str

    def detect(self, photo: npt.NDArray[np.uint8]) -> list[Face]:
        """The faces of an RGB photo uint8 (H, W, 3), the most confident first."""


def missing_extra(package: str) -> UserError:
    """What to say when a package of the extra is not installed."""
    return UserError(f"{package} is not installed, and finding faces needs it; install it with pip install '{EXTRA}'.")


def _mtcnn() -> Detector:
    from fbench.benchmark.data.preparation.mtcnn import MtcnnDetector

    return MtcnnDetector()


def _haar() -> Detector:
    from fbench.benchmark.data.preparation.haar import HaarDetector

    return HaarDetector()


DETECTORS: Final[dict[str, Callable[[], Detector]]] = {"mtcnn": _mtcnn, "haar": _haar}
"""By name, the default first: on 48x48 faces enlarged onto canvases it finds more of them, more exactly, and tells
their tilt (``results/faces/``)."""


def load_detector(name: str) -> Detector:
    """Make a detector.

    Raises:
        UserError: the name is unknown, or its packages are not installed.
    """
    if name not in DETECTORS:
        raise UserError(
            f"There is no face detector '{name}'.{did_you_mean(name, DETECTORS)} Allowed: {', '.join(DETECTORS)}."
        )
    return DETECTORS[name]()
