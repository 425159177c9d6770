"""Differences of estimates that were made apart, from their intervals alone.

The method of variance estimates recovery: Zou and Donner 2008, Statistics in Medicine 27, 1693-1702; for more than two
terms Donner and Zou 2012, Statistical Methods in Medical Research 21, 347-359. Each side of an interval says how far
its estimate may be off on that side, and independent errors add in squares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy import special

from fbench.statistics.intervals import Interval


def interval_difference(plus: Sequence[Interval], minus: Sequence[Interval], more_deviation: float = 0.0) -> Interval:
    """The sum of ``plus`` less the sum of ``minus``, all independent, each with an interval of the same confidence.

    ``more_deviation`` is the standard deviation of an error, known from elsewhere, that the intervals know nothing of.

    Raises:
        ValueError: no interval, or intervals of different confidence.
    """
    levels = {term.confidence for term in (*plus, *minus)}
    if len(levels) != 1:
        raise ValueError(f"Intervals of the confidences {sorted(levels)} were given; give them of one and the same.")
    (confidence,) = levels
    estimate = sum(term.estimate for term in plus) - sum(term.estimate for term in minus)
    more = float(special.ndtri(0.5 + confidence / 2)) * more_deviation
    down = [term.estimate - term.low for term in plus] + [term.high - term.estimate for term in minus]
    up = [term.high - term.estimate for term in plus] + [term.estimate - term.low for term in minus]
    return Interval(estimate, estimate - math.hypot(*down, more), estimate + math.hypot(*up, more), confidence)
