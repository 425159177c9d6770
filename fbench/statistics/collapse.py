"""Trainings that did not learn: which they are, how often they happen, and whether one network has more of them.

A network that names one class whatever the image has the accuracy of that class's share, 14 % of seven equal classes
and 25 % on FER2013, and two such networks agree on every image without being equivalent in anything. Accuracy within
chance of the share of the largest class is no sign of learning either (the no-information rate; one-sided binomial
test, Kuhn 2008, Journal of Statistical Software 28(5)). Nor is a training loss that ends far above that of naming all
classes equally likely.

A mean over trainings of which some collapsed describes none of them. The rate is therefore stated by itself, with its
exact interval: 0 of 10 leave open that 31 % do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.intervals import Interval, proportion_interval

CHANCE: Final = 0.05
"""One-sided level of the test of an accuracy against the share of the largest class."""

LOSS_FACTOR: Final = 2.0
"""A training loss that ends above so many times ln(classes), that of calling all classes equally likely, has
diverged."""

SAME_CHANCE: Final = 1 + 1e-7
"""Tables that are as likely as the one seen but for rounding count as such."""


@dataclass(frozen=True)
class Collapses:
    """How many of a network's trainings did not learn."""

    collapsed: int
    trainings: int

    @property
    def most(self) -> bool:
        """Whether more than half did not learn."""
        return 2 * self.collapsed > self.trainings

    def rate(self, confidence: float = 0.95) -> Interval:
        """The share that did not learn with its exact interval (Clopper, Pearson 1934).

        Raises:
            ValueError: no training, or a confidence not between 0 and 1.
        """
        return proportion_interval(self.collapsed, self.trainings, confidence)


def is_collapsed(
    confusion: npt.ArrayLike,
    training_loss: float | None = None,
    chance: float = CHANCE,
    loss_factor: float = LOSS_FACTOR,
) -> bool:
    """Whether one training did not learn.

    It names one class only, is right no more often than chance allows, or its training loss ended above ``loss_factor``
    times ln(K), or is no number.

    Args:
        confusion: images by true class (row) and predicted class (column), shape (K, K); at least one image.
        training_loss: mean cross-entropy in nats at the end of the training; none where it is not known.
        chance: one-sided level of the test of the accuracy against the share of the largest class.
        loss_factor: of ln(K), that of calling all classes equally likely.

    Raises:
        ValueError: not square, or no image.
    """
    counts = np.asarray(confusion)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.sum():
        raise ValueError(f"The confusion matrix has the shape {counts.shape} and {counts.sum()} images; give (K, K).")
    if np.count_nonzero(counts.sum(axis=0)) == 1:
        return True
    if training_loss is not None and not training_loss <= loss_factor * math.log(len(counts)):
        return True
    right, images = int(np.trace(counts)), int(counts.sum())
    share = float(counts.sum(axis=1).max() / images)
    # The chance of as many right answers or more, each of them with the share of the largest class.
    return right == 0 or float(special.bdtrc(right - 1, images, share)) >= chance


def collapse_p_value(ours: Collapses, theirs: Collapses) -> float:
    """Fisher's exact test that both collapse equally often, two-sided (Fisher 1935, J. Royal Statistical Society 98,
    39-82): the chance of all tables of these margins that are no likelier than the one seen."""
    together, total = ours.collapsed + theirs.collapsed, ours.trainings + theirs.trainings
    counts = np.arange(max(0, together - theirs.trainings), min(together, ours.trainings) + 1)
    logs = (
        _log_choose(ours.trainings, counts)
        + _log_choose(theirs.trainings, together - counts)
        - _log_choose(total, np.array([together]))
    )
    chances = np.exp(logs)
    seen = chances[counts == ours.collapsed]
    return float(min(1.0, chances[chances <= seen * SAME_CHANCE].sum()))


def interquartile_mean(values: Sequence[float]) -> float:
    """The mean of the middle half of R trainings: floor(R / 4) are left out at each end.

    Agarwal et al. 2021, Deep Reinforcement Learning at the Edge of the Statistical Precipice, NeurIPS 34; its package
    computes it as ``scipy.stats.trim_mean(values, 0.25)``. A training that collapsed moves it little.

    Raises:
        ValueError: no value, or one that is not finite.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    if ordered.ndim != 1 or not ordered.size or not np.isfinite(ordered).all():
        raise ValueError(f"An interquartile mean needs a row of finite values; given were {ordered.tolist()}.")
    cut = ordered.size // 4
    return float(ordered[cut : ordered.size - cut].mean())


def _log_choose(of: int, chosen: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    logs = special.gammaln(of + 1) - special.gammaln(chosen + 1) - special.gammaln(of - chosen + 1)
    return np.asarray(logs, dtype=np.float64)
