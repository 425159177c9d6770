"""Two networks of which only an accuracy a training is known: Welch's interval, for these images alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.intervals import check_confidence


def accuracies_difference(
    ours: Sequence[float], theirs: Sequence[float], images: int | None, confidence: float = 0.95
) -> MeanEstimate:
    """Estimate the mean of ``ours`` minus that of ``theirs`` for these images; chance is the seed (Welch 1947,
    Biometrika 34, 28-35).

    Args:
        ours: an accuracy for each of R_A trainings, as a fraction.
        theirs: for each of R_B trainings.
        images: how many images an accuracy is of, where that is known. Equal accuracies have then the least variance
            that could have been seen, that of one answer of one training being another one.
        confidence: two-sided.

    Returns:
        Undefined where a side has one training, or where no chance is seen and the number of images is not known.

    Raises:
        ValueError: no accuracy on a side, or a confidence not between 0 and 1.
    """
    check_confidence(confidence)
    sides = [np.asarray(side, dtype=np.float64) for side in (ours, theirs)]
    if min(side.size for side in sides) < 1:
        raise ValueError("there is no accuracy; give each side one at least.")
    estimate, nan = float(sides[0].mean() - sides[1].mean()), math.nan
    if min(side.size for side in sides) < 2:
        return MeanEstimate(estimate, nan, nan, nan, nan, confidence, "undefined")
    least = [0.0 if images is None else (1 / (side.size * images)) ** 2 for side in sides]
    parts = [max(float(side.var(ddof=1)) / side.size, one) for side, one in zip(sides, least, strict=True)]
    variance = sum(parts)
    if variance == 0:
        return MeanEstimate(estimate, nan, nan, nan, nan, confidence, "undefined")
    freedom = variance**2 / sum(part**2 / (side.size - 1) for part, side in zip(parts, sides, strict=True))
    error = math.sqrt(variance)
    half = float(special.stdtrit(freedom, (1 + confidence) / 2)) * error
    return MeanEstimate(
        estimate, max(-1.0, estimate - half), min(1.0, estimate + half), error, freedom, confidence, "seeds"
    )
