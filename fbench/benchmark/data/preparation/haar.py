"""Faces and eyes by OpenCV's Haar cascades, which come inside of its package.

Viola & Jones, Rapid Object Detection Using a Boosted Cascade of Simple Features, CVPR 2001; Lienhart & Maydt,
ICIP 2002. OpenCV 5 has no cascades any more.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.preparation.faces import Face, Point, missing_extra

SMALLEST_FACE_PX: Final = 30
_SCALE_STEP: Final = 1.1
_NEIGHBOURS: Final = 5
_EYE_NEIGHBOURS: Final = 3
_UPPER: Final = 0.6
"""Eyes are looked for in the upper part of the box: below lie nostrils and mouth corners."""


class HaarDetector:
    """Frontal faces, and one eye in each half of the upper box.

    Raises:
        UserError: OpenCV is not installed, or it is a version without the cascades.
    """

    name = "haar"

    def __init__(self) -> None:
        try:
            import cv2
        except ImportError as error:
            raise missing_extra("opencv-python-headless") from error
        if not hasattr(cv2, "CascadeClassifier"):
            raise missing_extra("opencv-python-headless below version 5")
        self._cv2: Any = cv2
        self.version = f"OpenCV {cv2.__version__}"
        folder = Path(self._cv2.data.haarcascades)
        self._faces = cv2.CascadeClassifier(str(folder / "haarcascade_frontalface_default.xml"))
        self._eyes = cv2.CascadeClassifier(str(folder / "haarcascade_eye.xml"))

    def detect(self, photo: npt.NDArray[np.uint8]) -> list[Face]:
        """The faces of an RGB photo uint8 (H, W, 3), the most confident first."""
        gray = self._cv2.cvtColor(photo, self._cv2.COLOR_RGB2GRAY)
        boxes, _, weights = self._faces.detectMultiScale3(
            gray,
            scaleFactor=_SCALE_STEP,
            minNeighbors=_NEIGHBOURS,
            minSize=(SMALLEST_FACE_PX, SMALLEST_FACE_PX),
            outputRejectLevels=True,
        )
        found = []
        for (left, top, width, height), weight in zip(np.array(boxes).reshape(-1, 4).tolist(), weights, strict=True):
            eyes = self._pair_of_eyes(gray[top : top + int(_UPPER * height), left : left + width], (left, top))
            box = (float(left), float(top), float(left + width), float(top + height))
            found.append(Face(box, float(weight), *eyes))
        return sorted(found, key=lambda face: -face.confidence)

    def _pair_of_eyes(self, upper: npt.NDArray[np.uint8], origin: Point) -> tuple[Point | None, Point | None]:
        """The largest eye of each half of the upper face; both or none."""
        smallest = max(8, upper.shape[1] // 8)
        boxes = self._eyes.detectMultiScale(upper, 1.05, _EYE_NEIGHBOURS, minSize=(smallest, smallest))
        centres: dict[bool, tuple[int, Point]] = {}
        for left, top, width, height in np.array(boxes).reshape(-1, 4).tolist():
            x, y = left + width / 2, top + height / 2
            on_the_right = x > upper.shape[1] / 2
            if width > centres.get(on_the_right, (0, (0.0, 0.0)))[0]:
                centres[on_the_right] = (width, (origin[0] + x, origin[1] + y))
        if len(centres) < 2:
            return None, None
        return centres[False][1], centres[True][1]
