"""Textbook intervals: Student's t for a mean; Wilson's score interval and the exact one for a proportion.

``scipy.special`` serves instead of ``scipy.stats``, which takes about three times as long to import.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.ties import TIES


@dataclass(frozen=True)
class Interval:
    """An estimate with its two-sided confidence interval, all in the unit of the data."""

    estimate: float
    low: float
    high: float
    confidence: float


def t_quantile(confidence: float, degrees_of_freedom: float) -> float:
    """Return the two-sided quantile of Student's t, the factor on the standard error.

    Raises:
        ValueError: the confidence is not between 0 and 1.
    """
    check_confidence(confidence)
    return float(special.stdtrit(degrees_of_freedom, (1 + confidence) / 2))


def t_p_value(statistic: float, degrees_of_freedom: float) -> float:
    """Return the two-sided p-value of a t statistic."""
    return float(2 * special.stdtr(degrees_of_freedom, -abs(statistic)))


def t_interval(values: npt.ArrayLike, confidence: float = 0.95, step: float = math.inf) -> Interval:
    """Return the mean of independent values, shape (n,), with its t interval on n - 1 degrees of freedom.

    Equal values say nothing of how far the next may be: without a ``step`` the interval is unbounded. With the least
    step between two values of this kind their deviation is that of a sample of which one differs by it.

    Raises:
        ValueError: fewer than two values, a value that is not finite, or a confidence not between 0 and 1.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size < 2 or not np.isfinite(sample).all():
        raise ValueError(f"A t interval needs one row of at least two finite values; given were {sample.tolist()}.")
    mean = float(sample.mean())
    half = t_quantile(confidence, sample.size - 1) * standard_deviation(sample, step) / math.sqrt(sample.size)
    return Interval(mean, mean - half, mean + half, confidence)


def standard_deviation(sample: npt.NDArray[np.float64], step: float) -> float:
    """Of two values or more; where they are equal but for rounding, that of values of which one differs by ``step``."""
    if float(np.ptp(sample)) > TIES * max(1.0, float(np.abs(sample).max())):
        return float(sample.std(ddof=1))
    return step / math.sqrt(sample.size)


def wilson_interval(successes: int, total: int, confidence: float = 0.95) -> Interval:
    """Return a proportion with its score interval (Wilson 1927, J. Am. Stat. Assoc. 22, 209-212).

    It stays within 0 and 1 and has a width at 0 and at ``total`` successes too.

    Raises:
        ValueError: no trials, successes outside 0 to ``total``, or a confidence not between 0 and 1.
    """
    check_confidence(confidence)
    if total < 1 or not 0 <= successes <= total:
        raise ValueError(
            f"{successes} successes of {total} is no proportion; give 0 <= successes <= total, total >= 1."
        )
    squared = float(special.ndtri((1 + confidence) / 2)) ** 2
    share = successes / total
    centre = (share + squared / (2 * total)) / (1 + squared / total)
    half = np.sqrt(squared * (share * (1 - share) + squared / (4 * total)) / total) / (1 + squared / total)
    low = 0.0 if successes == 0 else max(0.0, float(centre - half))
    high = 1.0 if successes == total else min(1.0, float(centre + half))
    return Interval(share, low, high, confidence)


def proportion_interval(successes: float, total: float, confidence: float = 0.95) -> Interval:
    """Return a proportion with its exact interval (Clopper, Pearson 1934, Biometrika 26, 404-413).

    Neither need be whole, as a sum of shares and an effective number are not: the interval is then continued by the
    beta distribution.

    Raises:
        ValueError: as :func:`wilson_interval`.
    """
    check_confidence(confidence)
    if total <= 0 or not 0 <= successes <= total:
        raise ValueError(f"{successes} successes of {total} is no proportion; give 0 <= successes <= total, total > 0.")
    tail, failures = (1 - confidence) / 2, total - successes
    low = float(special.betaincinv(successes, failures + 1, tail)) if successes > 0 else 0.0
    high = float(special.betaincinv(successes + 1, failures, 1 - tail)) if failures > 0 else 1.0
    return Interval(successes / total, low, high, confidence)


def check_confidence(confidence: float) -> None:
    """Raise ValueError unless ``confidence`` is strictly between 0 and 1."""
    if not 0 < confidence < 1:
        raise ValueError(f"A confidence of {confidence} is not possible; give a number between 0 and 1, such as 0.95.")
