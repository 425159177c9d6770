"""What a number of images can carry: exact statements on a difference of which few images show anything.

Where two networks answer nearly all images alike, the variance of their difference is estimated from next to nothing,
or from nothing: 0 of 7 images say that up to 35 % may differ (0.05^(1/7) = 0.65), not that none does, and 299 images
without a difference are the fewest that rule out a difference of one point (0.99^299 < 0.05). Seeds are no help here:
trainings are tested on the same images. The statements here count images, and hold beside those of a model of variance
(:mod:`fbench.statistics.estimands`): of the two the weaker one is reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.sign_flip import sign_flip

FloatArray = npt.NDArray[np.float64]

FEW: Final = 25
"""With so many differing images or more the variance is known well enough for the model alone: the number from which on
McNemar's test is usually made by the normal distribution."""

BISECTIONS: Final = 50
"""Of an end of an interval: to 1e-15."""

ROUNDING: Final = 1e-10


@dataclass(frozen=True)
class Discordance:
    """How a difference is spread over the images, where at most few of them have one.

    Attributes:
        images: C, all of them.
        differing: those on which the networks differ with any seed.
        means: of the differing images, the mean over seeds where it is not 0, as a share of ``largest``; empty where
            they are not few.
        largest: the greatest size that the difference of an image can have: 1 for two networks, the sum of the positive
            weights for a contrast of several.
        carrying: how many images carry the variance of these means: (sum of squares)^2 / sum of fourth powers, n of n
            equal ones. 30 images may differ with one seed of ten each, and three with every seed: then it is 3.6.
    """

    images: int
    differing: int
    means: tuple[float, ...]
    largest: float = 1.0
    carrying: float = math.inf

    @property
    def is_few(self) -> bool:
        """Whether the variance rests on too few images for a model."""
        return min(self.differing, self.carrying) < FEW

    @property
    def p_no_difference(self) -> float:
        """The p-value that the images allow for a mean of 0: of sign flips over them where few differ, else 0.

        If the networks are equally good, each image could have shown the opposite: three images, all in favour of one
        network, come about with chance 1/4. Where the means are all 1 in size it is McNemar's exact test. Where many
        images differ and few carry the variance, the trinomial test of :meth:`p_at_least` is as near and takes less.
        """
        if not self.is_few:
            return 0.0
        if self.differing < FEW:
            return _p_of_sign_flips(self.means)
        return min(1.0, 2 * min(self.p_at_least(0.0), self.p_at_most(0.0)))

    def p_at_least(self, value: float) -> float:
        """The p-value that the images allow for a mean of ``value`` or more; small where it is shown to be less.

        Where few images differ it is the chance that counts of images are as far below. The images on which each
        network is ahead, in means over seeds, are taken for counts of a trinomial distribution with the probabilities
        that are likeliest at this mean (Tango 1998, Statistics in Medicine 17, 891-908); where one network is never
        ahead this is the bound of Clopper and Pearson. Otherwise it is the least that any answers could reach: the
        chance that no image shows a difference, when each has the largest one with probability ``value``.
        """
        if not self.is_few:
            return float(self.least_p_values([value])[0]) if value > 0 else 0.0
        ahead = sum(mean for mean in self.means if mean > 0)
        behind = -sum(mean for mean in self.means if mean < 0)
        return _chance_of_at_most(ahead, behind, self.images, value / self.largest)

    def p_at_most(self, value: float) -> float:
        """The p-value that the images allow for a mean of ``value`` or less."""
        turned = replace(self, means=tuple(-mean for mean in self.means))
        return turned.p_at_least(-value)

    def least_p_values(self, values: npt.ArrayLike) -> FloatArray:
        """The least p-values that any answers could reach for means of ``values``, all above 0, or more."""
        shares = np.minimum(np.asarray(values, dtype=np.float64) / self.largest, 1.0)
        return np.asarray((1 - shares) ** self.images, dtype=np.float64)

    def least_margin(self, level: float) -> float:
        """The least margin that any answers to so many images could certify, one-sided at ``level``."""
        return -self.largest * math.expm1(math.log(level) / self.images)

    def detectable(self, level: float, power: float) -> float:
        """The least mean of which enough images turn up with probability ``power`` to reach ``level``, two-sided.

        Of n images, all in favour of one network, the p-value is 2 / 2^n.
        """
        wanted = math.ceil(1 - math.log2(level))
        if wanted > self.images:
            return self.largest
        return self.largest * float(special.betaincinv(wanted, self.images - wanted + 1, power))

    def interval(self, confidence: float) -> tuple[float, float] | None:
        """The means that are rejected on neither side; none where not few images differ, which the model has."""
        return _interval(self, confidence) if self.is_few else None

    def most_differing(self, level: float) -> float:
        """The largest share of images that may differ, one-sided at ``level`` (Clopper, Pearson 1934)."""
        if self.differing >= self.images:
            return 1.0
        return float(special.betaincinv(self.differing + 1, self.images - self.differing, 1 - level))


def discordance(differences: npt.ArrayLike, largest: float = 1.0) -> Discordance:
    """Count on which images two networks differ.

    Args:
        differences: shape (R seeds, C images), or (C images,) where seeds are averaged already.
        largest: the greatest size that one of them can have.
    """
    matrix = np.atleast_2d(np.asarray(differences, dtype=np.float64))
    differing = int((np.abs(matrix) > ROUNDING * largest).any(axis=0).sum())
    shares = np.clip(matrix.mean(axis=0) / largest, -1.0, 1.0)
    shares = shares[np.abs(shares) > ROUNDING]
    carrying = images_that_carry(shares)
    means = tuple(shares.tolist()) if min(differing, carrying) < FEW else ()
    return Discordance(matrix.shape[1], differing, means, largest, carrying)


def images_that_carry(means: FloatArray) -> float:
    """How many images carry a variance, from the means of images: n of n that are equally far from 0; 0 of none."""
    squares = means**2
    return float(squares.sum() ** 2 / (squares**2).sum()) if squares.any() else 0.0


def images_for_margin(margin: float, level: float, largest: float = 1.0) -> int:
    """The fewest images, none of which shows a difference, that rule out one of ``margin`` at ``level``, one-sided.

    299 for one point at 5 %: about 3 over the margin, the rule of three (Hanley, Lippman-Hand 1983, JAMA 249,
    1743-1745).

    Raises:
        ValueError: a margin that is not above 0, or a level not between 0 and 1.
    """
    if not margin > 0 or not 0 < level < 1:
        raise ValueError(f"A margin of {margin} at the level {level} is not possible; give one above 0, and 0 to 1.")
    share = margin / largest
    return 1 if share >= 1 else math.floor(math.log(level) / math.log1p(-share)) + 1


@lru_cache(maxsize=1_024)
def _interval(images: Discordance, confidence: float) -> tuple[float, float]:
    tail, middle = (1 - confidence) / 2, sum(images.means) / images.images * images.largest
    high = _where(lambda value: images.p_at_least(value) > tail, middle, images.largest)
    low = -_where(lambda value: images.p_at_most(-value) > tail, -middle, images.largest)
    return low, high


@cache
def _p_of_sign_flips(means: tuple[float, ...]) -> float:
    return sign_flip(means).p_value if means else 1.0


def _chance_of_at_most(ahead: float, behind: float, images: int, mean: float) -> float:
    """The chance of ``ahead - behind`` or less at this mean, -1 to 1, with the likeliest probabilities.

    Counts need not be whole: binomial distributions are continued by the incomplete beta function.
    """
    if not -1 < mean < 1:
        return 1.0 if mean <= -1 or ahead - behind >= images else 0.0
    slope = (2 * images - ahead + behind) * mean - ahead - behind
    root = math.sqrt(max(0.0, slope**2 + 8 * images * behind * mean * (1 - mean)))
    q = min(max((root - slope) / (4 * images), 0.0, -mean), (1 - mean) / 2)
    most = min(images, math.ceil(images * q + 10 * math.sqrt(images * q) + 10)) if q > 0 else 0
    losses = np.arange(most + 1)
    left = images - losses
    wins = ahead - behind + losses
    chances = np.exp(
        special.gammaln(images + 1)
        - special.gammaln(losses + 1)
        - special.gammaln(left + 1)
        + special.xlogy(losses, q)
        + special.xlog1py(left, -q)
    )
    inside = (wins > -1) & (wins < left)
    below = np.where(
        inside,
        special.betainc(
            np.where(inside, left - wins, 1), np.where(inside, wins + 1, 1), 1 - min(1.0, (q + mean) / (1 - q))
        ),
        (wins >= left).astype(np.float64),
    )
    return float(min(1.0, chances @ below))


def _where(holds: Callable[[float], bool], low: float, high: float) -> float:
    """The end of the values from ``low`` on for which something ``holds``, by halving; at most ``high``."""
    if holds(high):
        return high
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return high
