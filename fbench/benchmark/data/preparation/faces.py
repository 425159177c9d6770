"""What a face detector finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from fbench.core.errors import UserError

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
