"""What a number of images can carry: exact statements on a difference of which few images show anything.

Where two networks answer nearly all images alike, the variance of their difference is estimated from next to nothing,
or from nothing: 0 of 7 images say that up to 35 % may differ (0.05^(1/7) = 0.65), not that none does, and 299 images
without a difference are the fewest that rule out a difference of one point (0.99^299 < 0.05). Seeds are no help here:
trainings are tested on the same images. The statements here count images, and hold beside those of a model of variance
(:mod:`fbench.statistics.estimands`): of the two the weaker one is reported.

Where images belong to clusters (:mod:`fbench.statistics.clusters`), clusters are counted: 147 frames of 18 subjects are
18 observations, of unequal weight. A cluster counts with its share of the difference, in as many clusters of equal
sizes as would say as much (Kish's effective number; Korn, Graubard 1998, Survey Methodology 24, 193-201, for exact
intervals of clustered samples).

Few clusters, of which most show no difference, are skewed: a sample without the few that do has both a small mean and a
small standard error. The standard error is therefore that of the hypothesis tested, not of the data (a score test, as
Wilson's interval is): what is seen, times the ratio of the standard deviations that the trinomial distribution has at
the hypothesis and at the estimate. Independent images are too many to need it.
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

from fbench.statistics.clusters import Clusters
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
        images: C, all of them; of clusters, how many there are.
        differing: those on which the networks differ with any seed.
        means: of the differing images, the mean over seeds where it is not 0, as a share of ``largest``; empty where
            they are not few. Of clusters, the part that each has in the sum over images, on the scale of ``effective``.
        largest: the greatest size that the difference of an image can have: 1 for two networks, the sum of the positive
            weights for a contrast of several.
        carrying: how many images carry the variance of these means: (sum of squares)^2 / sum of fourth powers, n of n
            equal ones. 30 images may differ with one seed of ten each, and three with every seed: then it is 3.6. Not
            counted of clusters of two images or more on average, which are means of their own.
        effective: of clusters, the number of equal sizes that would say as much; else none.
        size: images of a cluster, on average.
        ahead: of clusters, the sum of the parts above 0, on the scale of ``effective``.
        behind: the sum of those below 0, as a positive number.
    """

    images: int
    differing: int
    means: tuple[float, ...]
    largest: float = 1.0
    carrying: float = math.inf
    effective: float | None = None
    size: float = 1.0
    ahead: float = 0.0
    behind: float = 0.0

    @property
    def is_few(self) -> bool:
        """Whether the variance rests on too few images for a model; on too few clusters, of which half are enough, as
        each is a mean of its own. Where most are of one image they count as images."""
        enough = FEW if self.size < 2 else min(FEW, self.images / 2)
        return min(self.differing, self.carrying) < enough

    @property
    def observations(self) -> float:
        """How many independent ones there are, of equal weight."""
        return self.images if self.effective is None else self.effective

    def error_ratio(self, value: float) -> float:
        """The standard error where the true mean is ``value``, over that of the data; 1 for images."""
        if self.effective is None:
            return 1.0
        share = self.ahead + self.behind, self.ahead - self.behind
        seen = share[0] / self.effective - (share[1] / self.effective) ** 2
        mean = min(max(value / self.largest, -1.0), 1.0)
        losses = _likeliest_losses(self.ahead, self.behind, self.effective, mean)
        wanted = 2 * losses + mean - mean**2
        return math.sqrt(max(wanted, ROUNDING) / seen) if seen > ROUNDING else 1.0

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
        return _chance_of_at_most(ahead, behind, self.observations, value / self.largest)

    def p_at_most(self, value: float) -> float:
        """The p-value that the images allow for a mean of ``value`` or less."""
        turned = replace(self, means=tuple(-mean for mean in self.means), ahead=self.behind, behind=self.ahead)
        return turned.p_at_least(-value)

    def least_p_values(self, values: npt.ArrayLike) -> FloatArray:
        """The least p-values that any answers could reach for means of ``values``, all above 0, or more."""
        shares = np.minimum(np.asarray(values, dtype=np.float64) / self.largest, 1.0)
        return np.asarray((1 - shares) ** self.observations, dtype=np.float64)

    def least_margin(self, level: float) -> float:
        """The least margin that any answers to so many images could certify, one-sided at ``level``."""
        return -self.largest * math.expm1(math.log(level) / self.observations)

    def detectable(self, level: float, power: float) -> float:
        """The least mean of which enough images turn up with probability ``power`` to reach ``level``, two-sided.

        Of n images, all in favour of one network, the p-value is 2 / 2^n. A cluster turns up by one of its images.
        """
        wanted = math.ceil(1 - math.log2(level))
        if wanted > self.images:
            return self.largest
        return self.largest / self.size * float(special.betaincinv(wanted, self.images - wanted + 1, power))

    def interval(self, confidence: float) -> tuple[float, float] | None:
        """The means that are rejected on neither side; none where not few images differ, which the model has."""
        return _interval(self, confidence) if self.is_few else None

    def most_differing(self, level: float) -> float:
        """The largest share of images that may differ, one-sided at ``level`` (Clopper, Pearson 1934)."""
        if self.differing >= self.images:
            return 1.0
        return float(special.betaincinv(self.differing + 1, self.images - self.differing, 1 - level))


def discordance(differences: npt.ArrayLike, largest: float = 1.0, clusters: Clusters | None = None) -> Discordance:
    """Count on which images two networks differ.

    Args:
        differences: shape (R seeds, C images), or (C images,) where seeds are averaged already.
        largest: the greatest size that one of them can have.
        clusters: of the images, where they are not independent; then clusters are counted.
    """
    matrix = np.atleast_2d(np.asarray(differences, dtype=np.float64))
    differs = np.asarray((np.abs(matrix) > ROUNDING * largest).any(axis=0))
    if clusters is not None:
        return _of_clusters(matrix.mean(axis=0) / largest, differs, largest, clusters)
    differing = int(differs.sum())
    shares = np.clip(matrix.mean(axis=0) / largest, -1.0, 1.0)
    shares = shares[np.abs(shares) > ROUNDING]
    carrying = images_that_carry(shares)
    means = tuple(shares.tolist()) if min(differing, carrying) < FEW else ()
    return Discordance(matrix.shape[1], differing, means, largest, carrying)


def images_that_carry(means: FloatArray) -> float:
    """How many images carry a variance, from the means of images: n of n that are equally far from 0; 0 of none."""
    squares = means**2
    return float(squares.sum() ** 2 / (squares**2).sum()) if squares.any() else 0.0


def _of_clusters(means: FloatArray, differs: npt.NDArray[np.bool_], largest: float, clusters: Clusters) -> Discordance:
    differing = int((clusters.totals(differs) > 0).sum())
    parts = clusters.totals(means) * (clusters.effective / clusters.images)
    parts = parts[np.abs(parts) > ROUNDING]
    size = clusters.images / clusters.count
    found = Discordance(
        images=clusters.count,
        differing=differing,
        means=tuple(parts.tolist()),
        largest=largest,
        carrying=images_that_carry(parts) if size < 2 else math.inf,
        effective=clusters.effective,
        size=size,
        ahead=float(parts[parts > 0].sum()),
        behind=-float(parts[parts < 0].sum()),
    )
    return found if found.is_few else replace(found, means=())


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
    tail, middle = (1 - confidence) / 2, sum(images.means) / images.observations * images.largest
    high = _where(lambda value: images.p_at_least(value) > tail, middle, images.largest)
    low = -_where(lambda value: images.p_at_most(-value) > tail, -middle, images.largest)
    return low, high


@cache
def _p_of_sign_flips(means: tuple[float, ...]) -> float:
    return sign_flip(means).p_value if means else 1.0


def _chance_of_at_most(ahead: float, behind: float, images: float, mean: float) -> float:
    """The chance of ``ahead - behind`` or less at this mean, -1 to 1, with the likeliest probabilities.

    Neither counts nor ``images`` need be whole: binomial distributions are continued by the incomplete beta function.
    """
    if not -1 < mean < 1:
        return 1.0 if mean <= -1 or ahead - behind >= images else 0.0
    q = _likeliest_losses(ahead, behind, images, mean)
    most = min(int(images), math.ceil(images * q + 10 * math.sqrt(images * q) + 10)) if q > 0 else 0
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


def _likeliest_losses(ahead: float, behind: float, images: float, mean: float) -> float:
    """The probability of an image on which ours is behind that is likeliest at this mean (Tango 1998, equation 8)."""
    slope = (2 * images - ahead + behind) * mean - ahead - behind
    root = math.sqrt(max(0.0, slope**2 + 8 * images * behind * mean * (1 - mean)))
    return min(max((root - slope) / (4 * images), 0.0, -mean), (1 - mean) / 2)


def _where(holds: Callable[[float], bool], low: float, high: float) -> float:
    """The end of the values from ``low`` on for which something ``holds``, by halving; at most ``high``."""
    if holds(high):
        return high
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return high
