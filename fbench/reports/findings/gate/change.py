"""What was found of one metric: a change with its interval, or why it cannot be told."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fbench.statistics.intervals import Interval


@dataclass(frozen=True)
class MeasuredChange:
    """NEW less BASE: as a share of BASE, or of accuracy as a fraction of 1.

    ``how`` says what it rests on; ``decides`` says what would narrow it; ``exact`` that there is no chance in it, as in
    a count. Where trainings collapsed the change is of those that learned, ``with_collapsed`` is that of all, and
    whatever is said must hold of both.
    """

    estimate: float
    low: float
    high: float
    how: str
    decides: str = ""
    exact: bool = False
    with_collapsed: MeasuredChange | None = None

    @property
    def bounded(self) -> bool:
        """Whether the samples were enough for an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True)
class Unknown:
    """Why a change cannot be told."""

    why: str


@dataclass(frozen=True)
class Unmeasured(Unknown):
    """A change that cannot be told because a side does not have what it is read from."""


class UnknownWhileBusy(Unknown):
    """A change of a time that cannot be told because other work took from a machine while it was measured."""


def share_of(logs: Interval, how: str, decides: str = "") -> MeasuredChange:
    """The change behind the logarithm of a ratio NEW / BASE."""
    return MeasuredChange(_share(logs.estimate), _share(logs.low), _share(logs.high), how, decides)


def inverse_share_of(logs: Interval, how: str, decides: str = "") -> MeasuredChange:
    """The same where the quantity is the inverse: images a second from the time of an image."""
    return MeasuredChange(_share(-logs.estimate), _share(-logs.high), _share(-logs.low), how, decides)


def _share(logarithm: float) -> float:
    return math.expm1(logarithm) if logarithm < _LARGEST else math.inf


_LARGEST = 700.0
"""The exponential of more is no number any more."""
