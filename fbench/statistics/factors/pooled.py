"""Weighted sums of cell means with the residual of the analysis of variance, which pools the chance of all cells.

Standard error sqrt(MS_residual * sum of squared weights / R) on (cells - 1)(R - 1) degrees of freedom (Montgomery 2017,
Design and Analysis of Experiments, section 3.5.4). It is right only where all cells vary alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fbench.statistics.crossed import ROUNDING
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.factors.anova import AnalysisOfVariance
from fbench.statistics.intervals import t_quantile


def pooled_estimate(
    values: npt.ArrayLike, model: AnalysisOfVariance, weights: Sequence[float], confidence: float = 0.95
) -> MeanEstimate:
    """Estimate a weighted sum of cell means with the pooled residual of the analysis of variance.

    Args:
        values: shape (levels of each factor..., R seeds).
        model: the analysis of these values.
        weights: one for each cell, the last factor's level changing fastest. Where they do not sum to 0, the interval
            is that for comparing such sums: it leaves out the chance that a seed shares with all cells (Loftus, Masson
            1994, Psychonomic Bulletin & Review 1, 476-490).
        confidence: of the two-sided interval.

    Returns:
        The estimate with rule ``pooled``; ``undefined`` with one seed, ``constant`` where the data show no chance.
    """
    array = np.asarray(values, dtype=np.float64)
    factors = np.asarray(weights)
    estimate = float(factors @ array.mean(axis=-1).ravel())
    freedom = float(model.residual_degrees_of_freedom)
    if model.seeds < 2:
        nan = float("nan")
        return MeanEstimate(estimate, nan, nan, nan, nan, confidence, "undefined")
    if model.residual_mean_square == 0:
        exact = estimate if abs(estimate) > ROUNDING * float(np.abs(array).max()) else 0.0
        return MeanEstimate(exact, exact, exact, 0.0, freedom, confidence, "constant")
    error = float(np.sqrt(model.residual_mean_square * (factors**2).sum() / model.seeds))
    half = t_quantile(confidence, freedom) * error
    return MeanEstimate(estimate, estimate - half, estimate + half, error, freedom, confidence, "pooled")
