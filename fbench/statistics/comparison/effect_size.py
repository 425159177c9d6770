"""How large a difference is beside the chance of a seed: Hedges' g_av, and the chance that A beats B for a new seed.

Both come from the accuracies of the seeds on this test set, and both have intervals by inversion of the noncentral t
distribution: the statistic ``t = difference / standard error`` is noncentral t where the accuracies of the seeds are
normal, and an interval for its noncentrality is one for every increasing function of it (Steiger, Fouladi 1997, What If
There Were No Significance Tests?, 221-257).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.intervals import Interval, check_confidence

FloatArray = npt.NDArray[np.float64]
ROUNDING = 1e-12  # a spread below this share of the accuracies is rounding


@dataclass(frozen=True)
class EffectSize:
    """Sizes of a difference between two networks in units of the spread over seeds.

    ``hedges_g`` is the difference over the root of the mean of both variances, corrected for small samples; infinite
    where no seed differs from another and the networks do. ``chance_better`` is the probability that A is more accurate
    than B for a new seed, ties counting half. Where every seed shows the same difference, both have the bounds of a
    share that was 1 in R seeds (Clopper and Pearson): after three seeds a fourth may still differ in 71 of 100 cases.
    """

    hedges_g: Interval
    chance_better: Interval


def paired_effect_size(ours: npt.ArrayLike, theirs: npt.ArrayLike, confidence: float = 0.95) -> EffectSize:
    """Sizes of a difference between accuracies of equal seeds, shape (R,) each, R >= 2.

    The interval of g is that of Algina and Keselman (2003, Educational and Psychological Measurement 63, 537-553).

    Raises:
        ValueError: rows of different lengths or of fewer than two seeds, a value that is not finite, or a confidence
            not between 0 and 1.
    """
    a, b = _rows(ours, theirs, confidence)
    if a.size != b.size:
        raise ValueError(f"{a.size} and {b.size} seeds do not pair; give both networks the same seeds.")
    error = _spread(a - b, a, b) / math.sqrt(a.size)
    return _effect_size(a, b, error, _spread(a - b, a, b), a.size - 1.0, confidence)


def unpaired_effect_size(ours: npt.ArrayLike, theirs: npt.ArrayLike, confidence: float = 0.95) -> EffectSize:
    """Sizes of a difference between accuracies of different seeds, shapes (R_A,) and (R_B,), at least two each.

    With Welch's standard error and degrees of freedom; a new seed of A meets a new seed of B.

    Raises:
        ValueError: as :func:`paired_effect_size`, but for the lengths.
    """
    a, b = _rows(ours, theirs, confidence)
    parts = [_spread(side, a, b) ** 2 / side.size for side in (a, b)]
    error = math.sqrt(sum(parts))
    spread = sum(part**2 / (side.size - 1) for part, side in zip(parts, (a, b), strict=True))
    freedom = error**4 / spread if spread else min(a.size, b.size) - 1.0
    between_two = math.hypot(_spread(a, a, b), _spread(b, a, b))
    return _effect_size(a, b, error, between_two, freedom, confidence)


def small_sample_correction(degrees_of_freedom: float) -> float:
    """Hedges' factor J, exact: Gamma(v/2) / (sqrt(v/2) Gamma((v-1)/2)) (Hedges 1981, J. Educ. Stat. 6, 107-128).

    It is 0 on one degree of freedom, where no unbiased estimate exists.
    """
    half = degrees_of_freedom / 2
    if half <= 0.5:
        return 0.0
    return math.exp(special.gammaln(half) - special.gammaln(half - 0.5)) / math.sqrt(half)


def noncentrality_interval(statistic: float, degrees_of_freedom: float, confidence: float) -> tuple[float, float]:
    """The noncentralities of t that are not rejected by the statistic, two-sided."""
    tail = (1 - confidence) / 2
    low = float(special.nctdtrinc(degrees_of_freedom, 1 - tail, statistic))
    return low, float(special.nctdtrinc(degrees_of_freedom, tail, statistic))


def _rows(ours: npt.ArrayLike, theirs: npt.ArrayLike, confidence: float) -> tuple[FloatArray, FloatArray]:
    check_confidence(confidence)
    rows = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    for row in rows:
        if row.ndim != 1 or row.size < 2 or not np.isfinite(row).all():
            raise ValueError(
                f"An effect size needs finite accuracies of at least two seeds a side; given were {row.tolist()}."
            )
    return rows


def _spread(values: FloatArray, a: FloatArray, b: FloatArray) -> float:
    """The standard deviation, or 0 where it is rounding of the accuracies."""
    spread = float(values.std(ddof=1))
    return spread if spread > ROUNDING * max(float(np.abs(a).max()), float(np.abs(b).max())) else 0.0


def _effect_size(
    a: FloatArray, b: FloatArray, error: float, between_two: float, freedom: float, confidence: float
) -> EffectSize:
    """``error`` is that of the difference of means, ``between_two`` the deviation of the difference of two
    trainings."""
    difference = float(a.mean() - b.mean())
    average_spread = math.sqrt((_spread(a, a, b) ** 2 + _spread(b, a, b) ** 2) / 2)
    if error == 0:
        sign = float(np.sign(difference)) if abs(difference) > ROUNDING else 0.0
        return _of_equal_differences(sign, min(a.size, b.size), confidence)
    low, high = noncentrality_interval(difference / error, freedom, confidence)
    correction = small_sample_correction(freedom)
    scale = error / average_spread if average_spread else math.inf
    beats = error / between_two
    return EffectSize(
        hedges_g=Interval(
            correction * _times(difference / error, scale),
            correction * _times(low, scale),
            correction * _times(high, scale),
            confidence,
        )
        if correction
        else _fixed(math.nan, confidence),
        chance_better=Interval(
            float(special.ndtr(difference / error * beats)),
            float(special.ndtr(low * beats)),
            float(special.ndtr(high * beats)),
            confidence,
        ),
    )


def _of_equal_differences(sign: float, seeds: int, confidence: float) -> EffectSize:
    """Where all seeds show one and the same difference: new ones do so with a share that was 1 in as many seeds."""
    least = ((1 - confidence) / 2) ** (1 / seeds)
    estimate = (1 + sign) / 2
    chance = Interval(estimate, least * estimate, least * estimate + 1 - least, confidence)
    # A chance of p is that of a difference of sqrt(2) Phi^-1(p) between normal values of deviation 1.
    low, high = (math.sqrt(2) * float(special.ndtri(end)) for end in (chance.low, chance.high))
    return EffectSize(Interval(math.inf * sign if sign else 0.0, low, high, confidence), chance)


def _times(value: float, scale: float) -> float:
    return value * scale if value else 0.0


def _fixed(value: float, confidence: float) -> Interval:
    return Interval(value, value, value, confidence)
