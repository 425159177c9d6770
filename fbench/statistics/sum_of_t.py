"""The distribution of a weighted sum of independent Student's t variables: critical values where degrees of freedom are
few and the share of each source of chance is unknown.

A mean has the variance A + B, where A rests on the R seeds (R - 1 degrees of freedom) and B on the images. Divided by
its estimated standard error it has no t distribution: Satterthwaite's formula takes its degrees of freedom from the
same data, and gives too many just where A came out too small. At a share of seeds of 0.9 and R = 3 the test at
0.05 / 12 errs 6.0 times as often as it says, and 1.26 times at R = 10. Here the critical values are those of Behrens
(1929) and Fisher (1935, Annals of Eugenics 6, 391-398): of ``sqrt(a) t_R-1 + sqrt(b) t_B`` with the shares a and b that
were estimated. At every share from 0.05 to 1, 3 to 20 seeds and levels down to 0.05 / 66 they err at most as often as
they say; Robinson (1976, Annals of Statistics 4, 963-971) found the same of two means of equal sizes. The average of
critical values of Cochran and Cox does so at 5 %, and errs 1.5 times as often as it says at 0.05 / 12 and R = 3.

A t variable is normal with a variance of nu over a chi-square variable; a sum of them is so too. Tails are therefore
positive sums of normal tails over a few hundred variances, exact to four digits down to 1e-10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, reduce
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.intervals import check_confidence

FloatArray = npt.NDArray[np.float64]

STEP: Final = 0.7
"""Of the trapezoidal rule over the logarithm of a chi-square variable, in its standard deviations: its error is below
1e-6 of a tail."""

LEAST_MASS: Final = 1e-15
"""Of a chi-square variable's lower end and of a node: tails down to 1e-10 lose no digit that counts."""

BIN: Final = 0.02
"""Of the logarithm of a variance, within which variances of three terms and more are taken together."""

LEAST_DEGREES: Final = 0.1
"""Of a part: its quantile at 95 % is then 1e12 already, and no fewer say less of values that have bounds."""

MOST_STEPS: Final = 100
"""Towards a quantile, of which it takes about five."""

ROUNDING: Final = 1e-13

FARTHEST: Final = 1e-10
"""Of tails that are interpolated: those of a family of a million tests are as large."""

KNOTS: Final = 256


@dataclass(frozen=True)
class SumOfT:
    """``sum over k of sqrt(share_k) t_k``, where t_k has ``degrees_k`` degrees of freedom.

    Attributes:
        terms: of each its share of the variance, above 0 and together 1, and its degrees of freedom, above 0.
    """

    terms: tuple[tuple[float, float], ...]

    def below(self, values: npt.ArrayLike) -> FloatArray:
        """The chance of at most each of ``values``, of any shape."""
        given = np.asarray(values, dtype=np.float64)
        if len(self.terms) == 1:
            return np.asarray(special.stdtr(self.terms[0][1], given), dtype=np.float64)
        deviations, weights = self._normals
        return np.asarray(special.ndtr(given[..., None] / deviations) @ weights, dtype=np.float64)

    def quantile(self, confidence: float) -> float:
        """The size that is exceeded with chance 1 - ``confidence``, both signs together: the factor on a standard
        error.

        Raises:
            ValueError: the confidence is not between 0 and 1.
        """
        check_confidence(confidence)
        tail = (1 - confidence) / 2
        count = len(self.terms)
        # Where no t is beyond its quantile at tail / count, the sum is within sqrt(count) times the widest of these.
        widest = max(-float(special.stdtrit(degrees, tail / count)) for _, degrees in self.terms)
        if count == 1:
            return widest
        deviations, weights = self._normals
        low, high = 0.0, float(np.sqrt(count)) * widest
        size = sum(share * -float(special.stdtrit(degrees, tail)) for share, degrees in self.terms)
        for _ in range(MOST_STEPS):  # Newton's, on logarithms, in which tails are nearly straight
            beyond = float(special.ndtr(-size / deviations) @ weights)
            low, high = (size, high) if beyond > tail else (low, size)
            density = float((np.exp(-((size / deviations) ** 2) / 2) / deviations) @ weights) / np.sqrt(2 * np.pi)
            step = np.log(beyond / tail) * beyond / (size * density)
            if abs(step) < ROUNDING:
                break
            following = size * float(np.exp(step))
            size = following if low < following < high else (low + high) / 2
        return size

    @cached_property
    def _normals(self) -> tuple[FloatArray, FloatArray]:
        """Standard deviations of normal variables and how often the sum is one of each."""
        parts = [_inverse_chi_square(degrees) for _, degrees in self.terms]
        shares = [share for share, _ in self.terms]
        variance = reduce(np.add.outer, [share * part[0] for share, part in zip(shares, parts, strict=True)]).ravel()
        weight = reduce(np.multiply.outer, [part[1] for part in parts]).ravel()
        kept = weight > LEAST_MASS
        return _merged(variance[kept], weight[kept]) if len(parts) > 2 else (np.sqrt(variance[kept]), weight[kept])


class InterpolatedTail:
    """The lower tail of a distribution, to four digits, from a few hundred values of it: for who asks a thousand times.

    Its logarithm is a spline over the inverse hyperbolic sine of the value, in which tails of t are nearly straight.
    """

    def __init__(self, distribution: SumOfT) -> None:
        from scipy.interpolate import CubicSpline

        far = 4.0 ** np.arange(1, 60)
        largest = float(far[int(np.argmax(distribution.below(-far) < FARTHEST))])
        self._end = float(np.arcsinh(largest))
        places = np.linspace(0.0, self._end, KNOTS)
        self._logarithm = CubicSpline(places, np.log(np.maximum(distribution.below(-np.sinh(places)), FARTHEST**2)))

    def below(self, values: FloatArray) -> FloatArray:
        """The chance of at most each of ``values``; 0 where it is less than 1e-10."""
        places = np.arcsinh(np.abs(values))
        tails = np.where(places < self._end, np.exp(self._logarithm(np.minimum(places, self._end))), 0.0)
        return np.where(values > 0, 1 - tails, tails)


def student(degrees_of_freedom: float) -> SumOfT:
    """Student's t itself."""
    return SumOfT(((1.0, degrees_of_freedom),))


def sum_of_t(variances: Sequence[tuple[float, float]]) -> SumOfT:
    """The distribution of an error that is the sum of independent ones, over its standard error.

    Args:
        variances: of each part its estimated variance and the degrees of freedom of that estimate, of which
            fewer than 0.1 are taken for 0.1; parts without variance are left out.

    Raises:
        ValueError: no part has a variance.
    """
    parts = [(variance, degrees) for variance, degrees in variances if variance > 0]
    total = sum(variance for variance, _ in parts)
    if not total > 0:
        raise ValueError(f"No part of {list(variances)} has a variance; give one above 0.")
    return SumOfT(tuple((variance / total, max(LEAST_DEGREES, degrees)) for variance, degrees in parts))


@cache
def _inverse_chi_square(degrees: float) -> tuple[FloatArray, FloatArray]:
    """Values of ``degrees`` over a chi-square variable, and how likely each is."""
    half = degrees / 2
    deviation = min(1.0, float(np.sqrt(1 / half)))
    ends = np.log(special.gammaincinv(half, [LEAST_MASS]) / half), np.log(special.gammainccinv(half, [1e-17]) / half)
    logs = np.arange(float(ends[0][0]), float(ends[1][0]) + deviation, STEP * deviation)
    density = half * (logs - np.exp(logs))  # of log(chi-square / degrees), but for a constant
    weights = np.exp(density - density.max())
    return np.exp(-logs), weights / weights.sum()


def _merged(variances: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Standard deviations and weights, with those of nearly one variance as their mean."""
    places = np.floor(np.log(variances) / BIN).astype(np.int64)
    places -= places.min()
    together = np.bincount(places, weights)
    filled = together > 0
    means = np.bincount(places, weights * variances)[filled] / together[filled]
    return np.sqrt(means), np.asarray(together[filled], dtype=np.float64)
