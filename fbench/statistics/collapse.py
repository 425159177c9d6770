"""Trainings that did not learn: their answers are no better than always naming the largest class.

A network that names one class whatever the image has the accuracy of that class's share, 14 % of seven equal classes
and 25 % on FER2013, and two such networks agree on every image without being equivalent in anything. Accuracy within
chance of the share of the largest class is no sign of learning either (the no-information rate; one-sided binomial
test, Kuhn 2008, Journal of Statistical Software 28(5)).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

CHANCE: Final = 0.05
"""One-sided level of the test of an accuracy against the share of the largest class."""


def is_collapsed(confusion: npt.ArrayLike) -> bool:
    """Whether one training did not learn: it names one class only, or is right no more often than chance allows.

    Args:
        confusion: images by true class (row) and predicted class (column), shape (K, K); at least one image.

    Raises:
        ValueError: not square, or no image.
    """
    counts = np.asarray(confusion)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.sum():
        raise ValueError(f"The confusion matrix has the shape {counts.shape} and {counts.sum()} images; give (K, K).")
    if np.count_nonzero(counts.sum(axis=0)) == 1:
        return True
    right, images = int(np.trace(counts)), int(counts.sum())
    share = float(counts.sum(axis=1).max() / images)
    # The chance of as many right answers or more, each of them with the share of the largest class.
    return right == 0 or float(special.bdtrc(right - 1, images, share)) >= CHANCE


def mostly_collapsed(confusions: npt.ArrayLike) -> bool:
    """Whether more than half of the trainings of a network collapsed, shape (R seeds, K, K), R >= 1.

    Raises:
        ValueError: as :func:`is_collapsed`, or no training.
    """
    trainings = [is_collapsed(confusion) for confusion in np.asarray(confusions)]
    if not trainings:
        raise ValueError("No training was given; a network that was never trained has not collapsed.")
    return 2 * sum(trainings) > len(trainings)
