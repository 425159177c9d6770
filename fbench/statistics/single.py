"""The accuracy of one network over seeds and images, with both estimands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fbench.statistics.clusters import Clusters
from fbench.statistics.crossed import as_matrix
from fbench.statistics.discordance import discordance
from fbench.statistics.estimands import Bounds, FloatArray, MeanEstimate, new_images, this_test_set
from fbench.statistics.intervals import wilson_interval
from fbench.statistics.possible import Share, ShareOfClusters, bounded


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
        and Pearson where fewer than 25 images carry the right answers, or the wrong ones: all right on 7 images is at
        least 59 %.

    Raises:
        ValueError: not a matrix of zeros and ones of at least one seed and two images, or a confidence not
            between 0 and 1.
    """
    matrix = as_matrix(correct)
    if not ((matrix == 0) | (matrix == 1)).all():
        wrong = float(matrix[~np.isin(matrix, (0, 1))][0])
        raise ValueError(f"An answer is marked {wrong:g}; mark each as 1 (right) or 0 (wrong).")
    right, units = float(matrix.mean(axis=0).sum()), matrix.shape[1]
    return AccuracySummary(
        this_test_set=bounded(this_test_set(matrix, confidence), Share(right, units, is_few=False)),
        new_images=_of_one_seed(matrix[0], confidence)
        if len(matrix) == 1 and clusters is None
        else _new_images(matrix, confidence, clusters),
        seeds=matrix.shape[0],
        images=matrix.shape[1],
    )


def _new_images(matrix: FloatArray, confidence: float, clusters: Clusters | None) -> MeanEstimate:
    accuracy = new_images(matrix, confidence, clusters=clusters)
    right, wrong = discordance(matrix, clusters=clusters), discordance(1 - matrix, clusters=clusters)
    is_few, units = right.is_few or wrong.is_few, right.observations
    bounds: Bounds = Share(min(accuracy.estimate * units, units), units, is_few)
    if clusters is not None and not is_few:
        bounds = ShareOfClusters(accuracy.estimate, accuracy.standard_error, accuracy.distribution)
    return bounded(accuracy, bounds)


def _of_one_seed(correct: FloatArray, confidence: float) -> MeanEstimate:
    wilson = wilson_interval(int(correct.sum()), correct.size, confidence)
    error = float(np.sqrt(wilson.estimate * (1 - wilson.estimate) / correct.size))
    ends = wilson.low, wilson.high
    bounds = Share(float(correct.sum()), correct.size, is_few=True)
    return MeanEstimate(wilson.estimate, *ends, error, correct.size - 1.0, confidence, "wilson", bounds=bounds)
