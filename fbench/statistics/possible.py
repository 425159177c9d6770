"""No interval outside of what is possible: an accuracy is a share, and a difference leaves room for both sides of it.

A factor of 4.3 or 12.7 on a standard error, with three seeds or two, reaches beyond 100 % with ease. Where one network
is certainly right on 90 of 100 images, no other can be more than ten points ahead of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from scipy import special

from fbench.statistics.estimands import Bounds, MeanEstimate
from fbench.statistics.intervals import proportion_interval
from fbench.statistics.sum_of_t import SumOfT


@dataclass(frozen=True)
class Share:
    """An accuracy: from 0 to 1, and no more certain than the exact interval of a proportion where images are few.

    Attributes:
        right: images that were right, in means over seeds; it need not be whole.
        units: how many independent images there are, or clusters of equal sizes that would say as much; it need not be
            whole either.
        is_few: whether right or wrong answers are on so few of these that the variance is not known from them.
    """

    right: float
    units: float
    is_few: bool

    def within(self, low: float, high: float, confidence: float) -> tuple[float, float]:
        """The part of an interval that is possible, no narrower than the units allow."""
        if self.is_few:
            exact = proportion_interval(self.right, self.units, confidence)
            low, high = min(low, exact.low), max(high, exact.high)
        return max(0.0, low), min(1.0, high)


@dataclass(frozen=True)
class ShareOfClusters:
    """An accuracy of clusters: the exact interval of as many independent answers as would have its standard error,
    fewer by the square of what its critical values are over normal ones (Korn, Graubard 1998, Survey Methodology 24,
    193-201).

    Attributes:
        share: the accuracy, between 0 and 1.
        standard_error: of it, above 0.
        distribution: of its error, in standard errors.
    """

    share: float
    standard_error: float
    distribution: SumOfT

    def within(self, _low: float, _high: float, confidence: float) -> tuple[float, float]:
        """The exact interval, in place of one that is as long on both sides."""
        normal = -float(special.ndtri((1 - confidence) / 2))
        independent = self.share * (1 - self.share) / self.standard_error**2
        answers = independent * (normal / self.distribution.quantile(confidence)) ** 2
        exact = proportion_interval(self.share * answers, answers, confidence)
        return exact.low, exact.high


@dataclass(frozen=True)
class DifferenceOfShares:
    """A difference of two accuracies, ours minus theirs, each with an interval of its own.

    It is at most ours and at most what theirs leaves, 1 - theirs; and so for the other side.
    """

    ours: MeanEstimate
    theirs: MeanEstimate

    def within(self, low: float, high: float, confidence: float) -> tuple[float, float]:
        """The part of an interval that is possible at this confidence of both accuracies."""
        (our_low, our_high), (their_low, their_high) = (
            (0.0, 1.0) if math.isnan(side.standard_error) else side.interval(confidence)
            for side in (self.ours, self.theirs)
        )
        return max(low, our_low - 1, -their_high), min(high, our_high, 1 - their_low)


@dataclass(frozen=True)
class Range:
    """Values of which only those from ``least`` to ``most`` are possible."""

    least: float
    most: float

    def within(self, low: float, high: float, _confidence: float) -> tuple[float, float]:
        """The part of an interval that is possible."""
        return max(self.least, low), min(self.most, high)


def bounded(estimate: MeanEstimate, bounds: Bounds) -> MeanEstimate:
    """The estimate with all its intervals within bounds; as it is where it has none."""
    if math.isnan(estimate.standard_error):
        return estimate
    found = replace(estimate, bounds=bounds)
    low, high = found.interval(estimate.confidence)
    return replace(found, low=low, high=high)
