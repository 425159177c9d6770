"""Which of several means may be the best, and how far each may lie behind it: comparison with the best.

Hsu (1984, Annals of Statistics 12, 1136-1144; 1996, "Multiple Comparisons", chapter 4): bounds on each mean minus the
best of the others that hold for all of them at once. Only the comparisons of the true best with the others have to hold
together, one-sided; with Bonferroni's critical values they do for any correlation of the differences, which paired
seeds and shared images have, and with a variance of its own for each difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fbench.statistics.estimands import MeanEstimate

ALPHA: Final = 0.05

MOST_IN_PAIRS: Final = 24
"""So many means, the largest, are compared with each other; those below with the largest alone, so that 300 networks
take 552 comparisons and not 44,850. What is not compared has no bound, and all bounds still hold."""


@dataclass(frozen=True)
class BestBound:
    """Bounds on a mean minus the best of the others: ``low`` is at most 0, ``high`` at least 0."""

    low: float
    high: float

    @property
    def may_be_best(self) -> bool:
        """Whether no other mean is shown to be better."""
        return self.high > 0


def best_bounds(
    difference: Callable[[int, int], MeanEstimate], count: int, alpha: float = ALPHA
) -> tuple[BestBound, ...]:
    """Bounds for each of ``count`` means, two or more, that hold together with a probability of at least 1 - ``alpha``.

    Means are called by their places, from 0 on, the largest estimate first. A lower bound is minus infinity where the
    mean was not compared with all that may be the best.

    Args:
        difference: the estimate of the first mean minus the second; asked with the lower place first.
        count: how many means there are.
        alpha: probability that any bound is wrong.

    Raises:
        ValueError: fewer than two means.
    """
    if count < 2:
        raise ValueError(f"{count} mean has no others to be compared with; give two or more.")
    confidence = 1 - 2 * alpha / (count - 1)
    high = [[math.inf] * count for _ in range(count)]
    for ours in range(count):
        for theirs in range(ours + 1, count if ours == 0 else min(count, MOST_IN_PAIRS)):
            low_end, high_end = difference(ours, theirs).interval(confidence)
            high[ours][theirs] = math.inf if math.isnan(high_end) else high_end
            high[theirs][ours] = math.inf if math.isnan(low_end) else -low_end
    highest = [max(0.0, min(row[other] for other in range(count) if other != place)) for place, row in enumerate(high)]
    contenders = [place for place in range(count) if highest[place] > 0]
    return tuple(BestBound(_low(place, contenders, high), highest[place]) for place in range(count))


def _low(place: int, contenders: list[int], high: list[list[float]]) -> float:
    """The lower bound of a difference is the negative upper bound of its reverse."""
    return min((0.0, *(-high[other][place] for other in contenders if other != place)))
