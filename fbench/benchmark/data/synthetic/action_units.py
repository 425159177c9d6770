"""The action units of the Facial Action Coding System that the renderer knows, and the part of the face each moves.

Numbers and names are those of FACS (P. Ekman and W. V. Friesen, *Facial Action Coding System*, Consulting
Psychologists Press, 1978; second edition with J. C. Hager, A Human Face, 2002).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Region:
    """A box in face coordinates that holds every pixel an action unit may change.

    One unit is half the width of an average head; the origin is the middle of the face and v points down.
    ``inner`` and ``outer`` bound the distance from the midline (both sides of the face move alike); ``top`` and
    ``bottom`` bound v.
    """

    inner: float
    outer: float
    top: float
    bottom: float


@dataclass(frozen=True)
class ActionUnit:
    """One action unit: its FACS number, its FACS name, and the region it may change."""

    number: int
    name: str
    region: Region


_BROWS = Region(inner=0.0, outer=0.85, top=-1.08, bottom=-0.14)
_EYES = Region(inner=0.02, outer=1.02, top=-0.52, bottom=0.22)
_NOSE = Region(inner=0.0, outer=0.45, top=-0.4, bottom=0.4)
_MOUTH = Region(inner=0.0, outer=0.85, top=0.1, bottom=1.32)
_JAW = Region(inner=0.0, outer=1.1, top=0.3, bottom=1.6)

ACTION_UNITS: Final[tuple[ActionUnit, ...]] = (
    ActionUnit(1, "inner brow raiser", _BROWS),
    ActionUnit(2, "outer brow raiser", _BROWS),
    ActionUnit(4, "brow lowerer", _BROWS),
    ActionUnit(5, "upper lid raiser", _EYES),
    ActionUnit(6, "cheek raiser", _EYES),
    ActionUnit(7, "lid tightener", _EYES),
    ActionUnit(9, "nose wrinkler", _NOSE),
    ActionUnit(12, "lip corner puller", _MOUTH),
    ActionUnit(15, "lip corner depressor", _MOUTH),
    ActionUnit(16, "lower lip depressor", _MOUTH),
    ActionUnit(20, "lip stretcher", _MOUTH),
    ActionUnit(23, "lip tightener", _MOUTH),
    ActionUnit(26, "jaw drop", _JAW),
)

AU_NUMBERS: Final[tuple[int, ...]] = tuple(unit.number for unit in ACTION_UNITS)


def column(number: int) -> int:
    """Column of an action unit in every array of intensities.

    Raises:
        ValueError: the renderer does not know this action unit.
    """
    return AU_NUMBERS.index(number)
