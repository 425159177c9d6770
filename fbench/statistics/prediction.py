"""Where a single new training may land, from the trainings that are there.

A published accuracy is one number without a spread. It is no estimate of the mean over seeds, so a confidence interval
of the mean is the wrong thing to hold it against: the interval for one more observation is wider by the spread of that
observation itself (Hahn 1970, J. Quality Technology 2, 168-178; Geisser 1993, Predictive Inference).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.intervals import check_confidence, standard_deviation, t_quantile

FEWEST_TRAININGS = 5
"""From so few, the interval at 95 % is three deviations wide to each side; from two it is sixteen."""


@dataclass(frozen=True)
class Prediction:
    """The mean of R trainings, the two-sided interval of one more, and the upper bound that it stays below, one-sided.

    ``deviation`` is that of the new training from the mean, the chance of the mean included.
    """

    mean: float
    low: float
    high: float
    upper: float
    deviation: float
    degrees_of_freedom: float
    confidence: float

    def chance_to_reach(self, target: float) -> float:
        """The probability that a new training has at least ``target``."""
        return float(special.stdtr(self.degrees_of_freedom, (self.mean - target) / self.deviation))

    def with_sampling(self, deviation: float) -> Prediction:
        """The prediction where the new value is read on other images, whose sampling error has this ``deviation``.

        Degrees of freedom after Satterthwaite, as nothing is estimated of the sampling error.
        """
        together = math.hypot(self.deviation, deviation)
        freedom = self.degrees_of_freedom * (together / self.deviation) ** 4
        return _predicted(self.mean, together, freedom, self.confidence)


def predict_one(values: npt.ArrayLike, confidence: float = 0.95, *, step: float) -> Prediction:
    """Predict one new value from independent values of a normal distribution, shape (R,), R >= 2.

    The interval is ``mean +- t s sqrt(1 + 1/R)`` on R - 1 degrees of freedom. Equal values do not promise another one:
    ``step``, above 0, is the least by which a value can differ, such as 1 / C for an accuracy on C images, and s is
    then that of values of which one differs by it.

    Raises:
        ValueError: fewer than two values, a value that is not finite, or a confidence not between 0 and 1.
    """
    check_confidence(confidence)
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size < 2 or not np.isfinite(sample).all():
        raise ValueError(f"A prediction needs one row of at least two finite values; given were {sample.tolist()}.")
    mean, freedom = float(sample.mean()), sample.size - 1.0
    deviation = standard_deviation(sample, step) * math.sqrt(1 + 1 / sample.size)
    return _predicted(mean, deviation, freedom, confidence)


def predict_mean(parts: Sequence[Prediction]) -> Prediction:
    """Predict the mean of one new value of each, drawn independently; degrees of freedom after Satterthwaite.

    Raises:
        ValueError: no part.
    """
    if not parts:
        raise ValueError("The mean of no prediction was asked for; give at least one.")
    variances = [(one.deviation / len(parts)) ** 2 for one in parts]
    freedom = sum(variances) ** 2 / sum(
        variance**2 / one.degrees_of_freedom for variance, one in zip(variances, parts, strict=True)
    )
    mean = sum(one.mean for one in parts) / len(parts)
    return _predicted(mean, math.sqrt(sum(variances)), freedom, parts[0].confidence)


def _predicted(mean: float, deviation: float, freedom: float, confidence: float) -> Prediction:
    half = t_quantile(confidence, freedom) * deviation
    upper = mean + float(special.stdtrit(freedom, confidence)) * deviation
    return Prediction(mean, mean - half, mean + half, upper, deviation, freedom, confidence)
