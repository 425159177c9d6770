"""The face detectors that there are, by name; each is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fbench.benchmark.data.preparation.faces import Detector
from fbench.core.errors import UserError, did_you_mean


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
