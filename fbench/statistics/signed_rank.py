"""Hodges and Lehmann's estimate of a centre, with the interval and p-value of Wilcoxon's signed-rank test.

The estimate is the median of the Walsh averages (all means of two values, each with itself included); its interval
holds every centre that the signed-rank test does not reject (Hodges, Lehmann 1963, Annals of Mathematical Statistics
34, 598-611; Hollander, Wolfe, Chicken 2014, Nonparametric Statistical Methods, section 3.2). A few wild values move
neither. Where the sign of each value is a coin flip under the hypothesis, as when the order within each block was drawn
at random, the test is exact whatever the values are distributed like.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.intervals import check_confidence
from fbench.statistics.ties import TIES

FloatArray = npt.NDArray[np.float64]

MOST_EXACT = 60
"""Values up to which the test's distribution is counted out; beyond, the normal one differs by less than 0.001."""

MOST_VALUES = 1_000
"""Longer rows are first averaged in neighbouring groups: 1,000 values already have half a million Walsh averages."""


@dataclass(frozen=True)
class Centre:
    """The centre of a row of values with its two-sided interval and the p-value of a centre of 0.

    With so few values that no interval of this confidence exists, it is unbounded.
    """

    estimate: float
    low: float
    high: float
    confidence: float
    p_value: float
    values: int


def centre(values: npt.ArrayLike, confidence: float = 0.95) -> Centre:
    """Estimate the centre of independent values, shape (n,), n >= 1, in time order.

    Raises:
        ValueError: no value, a value that is not finite, or a confidence not between 0 and 1.
    """
    check_confidence(confidence)
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 1 or given.size < 1 or not np.isfinite(given).all():
        raise ValueError(f"A centre needs one row of finite values; given was an array of the shape {given.shape}.")
    row = neighbours_averaged(given, MOST_VALUES)
    averages = _walsh_averages(row)
    cut = _cut(row.size, 1 - confidence)
    low, high = (averages[cut - 1], averages[-cut]) if cut > 0 else (-math.inf, math.inf)
    return Centre(
        float(np.median(averages)), float(low), float(high), confidence, _p_value(averages, row.size), row.size
    )


def neighbours_averaged(values: FloatArray, most: int) -> FloatArray:
    """At most ``most`` means of neighbouring values, in groups of equal size but for the last."""
    if values.size <= most:
        return values
    starts = np.arange(0, values.size, math.ceil(values.size / most))
    sums = np.add.reduceat(values, starts)
    return np.asarray(sums / np.diff([*starts, values.size]), dtype=np.float64)


def _walsh_averages(values: FloatArray) -> FloatArray:
    """All n (n + 1) / 2 of them, ascending."""
    first, second = np.triu_indices(values.size)
    return np.sort((values[first] + values[second]) / 2)


def _p_value(averages: FloatArray, count: int) -> float:
    """Two-sided. The signed-rank statistic is the number of positive Walsh averages; one of 0 counts half.

    A mean of x and -x may be off 0 by rounding, and is 0 all the same.
    """
    rounding = TIES * float(np.abs(averages).max())
    positive = float((averages > rounding).sum() + 0.5 * (np.abs(averages) <= rounding).sum())
    extreme = min(positive, averages.size - positive)
    return min(1.0, 2 * _chance_at_most(extreme, count))


def _cut(count: int, level: float) -> int:
    """How many Walsh averages are cut off at each end for a two-sided interval at ``level``; 0 where none may be."""
    low, high = 0, count * (count + 1) // 4
    while low < high:  # the largest cut with chance of fewer positive averages at most level / 2
        middle = (low + high + 1) // 2
        if _chance_at_most(middle - 1, count) <= level / 2:
            low = middle
        else:
            high = middle - 1
    return low


def _chance_at_most(statistic: float, count: int) -> float:
    """The chance under the hypothesis that the signed-rank statistic of ``count`` values is at most ``statistic``."""
    if count <= MOST_EXACT:
        return float(_distribution(count)[: math.floor(statistic) + 1].sum())
    mean = count * (count + 1) / 4
    deviation = math.sqrt(count * (count + 1) * (2 * count + 1) / 24)
    return float(special.ndtr((statistic + 0.5 - mean) / deviation))


@functools.cache
def _distribution(count: int) -> FloatArray:
    """Chance of each value of the statistic, 0 to n (n + 1) / 2: each rank is in the sum or not, by a coin flip."""
    chances = np.zeros(count * (count + 1) // 2 + 1)
    chances[0] = 1.0
    for rank in range(1, count + 1):
        chances[rank:] += chances[:-rank].copy()
        chances /= 2
    return chances
