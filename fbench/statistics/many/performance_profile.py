"""Run-score distributions: the share of runs whose score lies above each threshold.

Agarwal et al. 2021 (Deep Reinforcement Learning at the Edge of the Statistical Precipice, NeurIPS), section 4.3: where
one curve lies above another throughout, its network is better at every threshold. A run is a training; data sets are
strata that count equally, however many runs each has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fbench.statistics.intervals import check_confidence
from fbench.statistics.ties import TIES

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PerformanceProfile:
    """A curve with a band that holds at all thresholds at once.

    Attributes:
        thresholds: shape (t,), as given.
        shares: shape (t,), share of runs with a score above the threshold by more than rounding, each stratum counting
            equally.
        low: shape (t,), the band's lower edge, at least 0.
        high: shape (t,), its upper edge, at most 1.
        half_width: of the band before it is cut at 0 and 1; at 0.5 or more it excludes next to nothing.
        confidence: of the whole band.
        runs: number of runs of each stratum.
    """

    thresholds: FloatArray
    shares: FloatArray
    low: FloatArray
    high: FloatArray
    half_width: float
    confidence: float
    runs: tuple[int, ...]


def performance_profile(
    scores: Sequence[npt.ArrayLike], thresholds: npt.ArrayLike, confidence: float = 0.95
) -> PerformanceProfile:
    """The run-score distribution of one network.

    Args:
        scores: one row for each data set, shape (runs,), of scores of independent runs on it.
        thresholds: shape (t,).
        confidence: of the simultaneous band, see :func:`band_half_width`.

    Raises:
        ValueError: no data set, one without a run, a score that is not finite, or a confidence not between 0 and 1.
    """
    strata = [np.sort(np.asarray(row, dtype=np.float64)) for row in scores]
    if not strata or not all(row.ndim == 1 and row.size and np.isfinite(row).all() for row in strata):
        raise ValueError("A performance profile needs a row of finite scores for each data set; leave others out.")
    at = np.asarray(thresholds, dtype=np.float64)
    runs = tuple(row.size for row in strata)
    half = band_half_width(runs, confidence)
    above = at + TIES * max(float(np.abs(row).max()) for row in strata)
    shares = np.mean([1 - np.searchsorted(row, above, side="right") / row.size for row in strata], axis=0)
    return PerformanceProfile(
        thresholds=at,
        shares=shares,
        low=np.clip(shares - half, 0, 1),
        high=np.clip(shares + half, 0, 1),
        half_width=half,
        confidence=confidence,
        runs=runs,
    )


def band_half_width(runs: Sequence[int], confidence: float = 0.95) -> float:
    """How far a profile of so many runs in each stratum may be off anywhere, whatever the scores' distribution.

    The inequality of Dvoretzky, Kiefer and Wolfowitz with the constant of Massart (1990, Annals of Probability 18,
    1269-1283): P(sup |F_n - F| > e) <= 2 exp(-2 n e^2). With m strata each is bounded at 1 - (1 - confidence) / m, so
    that all hold together, and the mean of the curves is off by at most the mean of the bounds.

    Raises:
        ValueError: no stratum, one without a run, or a confidence not between 0 and 1.
    """
    check_confidence(confidence)
    if not runs or min(runs) < 1:
        raise ValueError(f"Strata of {list(runs)} runs have no band; give at least one run each.")
    tail = math.log(2 * len(runs) / (1 - confidence))
    return float(np.mean([math.sqrt(tail / (2 * count)) for count in runs]))
