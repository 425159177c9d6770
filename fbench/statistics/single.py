"""The accuracy of one network over seeds and images, with both estimands."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fbench.statistics.clusters import Clusters
from fbench.statistics.discordance import discordance
from fbench.statistics.estimands import (
    FloatArray,
    MeanEstimate,
    as_matrix,
    new_images,
    this_test_set,
)
from fbench.statistics.intervals import Interval, proportion_interval, t_quantile, wilson_interval


@dataclass(frozen=True)
class AccuracySummary:
    """An accuracy (a fraction of 1) for this test set and for new images; R seeds, C images."""

    this_test_set: MeanEstimate
    new_images: MeanEstimate
    seeds: int
    images: int


def summarise(correct: npt.ArrayLike, confidence: float = 0.95, clusters: Clusters | None = None) -> AccuracySummary:
    """Summarise one network's answers.

    Args:
        correct: shape (R seeds, C images); True or 1 where the answer was right, else 0.
        confidence: of both two-sided intervals, which are cut at 0 and 1.
        clusters: of the images, where they are not independent; ``new_images`` is then for new clusters, by the exact
            interval of as many independent images as would have its standard error (Korn, Graubard 1998, Survey
            Methodology 24, 193-201).

    Returns:
        Both estimands. With one seed ``this_test_set`` is undefined and ``new_images`` is Wilson's interval, which
        knows only the chance of the images. With more, ``new_images`` is no narrower than the exact interval of Clopper
        and Pearson where fewer than 25 images were ever right, or ever wrong: all right on 7 images is at least 59 %.

    Raises:
        ValueError: not a matrix of zeros and ones of at least one seed and two images, or a confidence not
            between 0 and 1.
    """
    matrix = as_matrix(correct)
    if not np.isin(matrix, (0, 1)).all():
        wrong = float(matrix[~np.isin(matrix, (0, 1))][0])
        raise ValueError(f"An answer is marked {wrong:g}; mark each as 1 (right) or 0 (wrong).")
    return AccuracySummary(
        this_test_set=_within_bounds(this_test_set(matrix, confidence)),
        new_images=_within_bounds(_new_images(matrix, confidence, clusters)),
        seeds=matrix.shape[0],
        images=matrix.shape[1],
    )


def _within_bounds(accuracy: MeanEstimate) -> MeanEstimate:
    low, high = np.clip([accuracy.low, accuracy.high], 0.0, 1.0).tolist()
    return replace(accuracy, low=low, high=high)


def _new_images(matrix: FloatArray, confidence: float, clusters: Clusters | None) -> MeanEstimate:
    if clusters is None and len(matrix) == 1:
        return _of_one_seed(matrix[0], confidence)
    accuracy = new_images(matrix, confidence, clusters=clusters)
    right, wrong = discordance(matrix, clusters=clusters), discordance(1 - matrix, clusters=clusters)
    if right.is_few or wrong.is_few:
        exact = _exact(float(matrix.mean(axis=0).mean()), right.observations, confidence)
        return replace(accuracy, low=min(accuracy.low, exact.low), high=max(accuracy.high, exact.high))
    return accuracy if clusters is None else _of_clusters(accuracy)


def _of_clusters(accuracy: MeanEstimate) -> MeanEstimate:
    """The exact interval of as many independent answers as would have this standard error, fewer by what Student's t
    wants (Korn, Graubard 1998)."""
    share, quantile = accuracy.estimate, t_quantile(accuracy.confidence, accuracy.degrees_of_freedom)
    answers = share * (1 - share) / accuracy.standard_error**2
    normal = t_quantile(accuracy.confidence, math.inf)
    found = _exact(share, answers * (normal / quantile) ** 2, accuracy.confidence)
    return replace(accuracy, low=found.low, high=found.high)


def _exact(share: float, observations: float, confidence: float) -> Interval:
    return proportion_interval(min(share * observations, observations), observations, confidence)


def _of_one_seed(correct: npt.NDArray[np.float64], confidence: float) -> MeanEstimate:
    wilson = wilson_interval(int(correct.sum()), correct.size, confidence)
    error = float(np.sqrt(wilson.estimate * (1 - wilson.estimate) / correct.size))
    return MeanEstimate(wilson.estimate, wilson.low, wilson.high, error, correct.size - 1.0, confidence, "wilson")
