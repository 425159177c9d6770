"""The accuracy of one network over seeds and images, with both estimands."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fbench.statistics.discordance import FEW
from fbench.statistics.estimands import MeanEstimate, as_matrix, new_images, this_test_set
from fbench.statistics.intervals import proportion_interval, wilson_interval


@dataclass(frozen=True)
class AccuracySummary:
    """An accuracy (a fraction of 1) for this test set and for new images; R seeds, C images."""

    this_test_set: MeanEstimate
    new_images: MeanEstimate
    seeds: int
    images: int


def summarise(correct: npt.ArrayLike, confidence: float = 0.95) -> AccuracySummary:
    """Summarise one network's answers.

    Args:
        correct: shape (R seeds, C images); True or 1 where the answer was right, else 0.
        confidence: of both two-sided intervals, which are cut at 0 and 1.

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
        new_images=_within_bounds(_carried(new_images(matrix, confidence), matrix))
        if len(matrix) > 1
        else _of_one_seed(matrix[0], confidence),
        seeds=matrix.shape[0],
        images=matrix.shape[1],
    )


def _within_bounds(accuracy: MeanEstimate) -> MeanEstimate:
    low, high = np.clip([accuracy.low, accuracy.high], 0.0, 1.0).tolist()
    return replace(accuracy, low=low, high=high)


def _carried(accuracy: MeanEstimate, matrix: npt.NDArray[np.float64]) -> MeanEstimate:
    """No narrower than the number of images allows, where right or wrong answers are on few of them."""
    ever_right, ever_wrong = int(matrix.any(axis=0).sum()), int((matrix == 0).any(axis=0).sum())
    if min(ever_right, ever_wrong) >= FEW:
        return accuracy
    exact = proportion_interval(float(matrix.mean(axis=0).sum()), matrix.shape[1], accuracy.confidence)
    return replace(accuracy, low=min(accuracy.low, exact.low), high=max(accuracy.high, exact.high))


def _of_one_seed(correct: npt.NDArray[np.float64], confidence: float) -> MeanEstimate:
    wilson = wilson_interval(int(correct.sum()), correct.size, confidence)
    error = float(np.sqrt(wilson.estimate * (1 - wilson.estimate) / correct.size))
    return MeanEstimate(wilson.estimate, wilson.low, wilson.high, error, correct.size - 1.0, confidence, "wilson")
