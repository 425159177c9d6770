"""A statement of several parts: what the data say of each part, and of all of them together.

A statement is the conjunction of its parts ("ARCH-1 is better than each of three others on three data sets" has nine).
It holds only if every part holds, so it is *supported* where every part is, each tested at the level itself: an
intersection-union test errs at most at the level of its parts, whatever their number, as the one part that is false
must be passed too (Berger 1982, Technometrics 24, 295-300). It is *contradicted* as soon as one part is; as any of the
parts could be so by chance, the p-values that speak against parts are corrected by Holm over the parts tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from fbench.statistics.comparison.equivalence import equivalence_p_values
from fbench.statistics.comparison.multiplicity import holm
from fbench.statistics.comparison.verdict import LEVEL
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.intervals import standard_deviation, t_interval
from fbench.statistics.timing import LogTimes, time_ratio

Outcome = Literal["supported", "contradicted", "undecided"]


@dataclass(frozen=True)
class Answer:
    """What data say of one part: whether they support it, and the p-value of the hypothesis that it holds."""

    supports: bool
    p_against: float


def says_better(difference: MeanEstimate, margin: float, level: float = LEVEL) -> Answer:
    """Of "the true difference is above 0, by something that matters".

    Supported where it is significantly above 0, two-sided. Against it speak a difference significantly below 0 and one
    certified to lie within ``margin``; the smaller p-value of the two is one of the hypothesis that the difference is
    ``margin`` or more, for it is at least that of the t test of this hypothesis.

    Raises:
        ValueError: a margin that is not above 0.
    """
    different = difference.p_value
    if difference.estimate > 0 and different < level:
        return Answer(supports=True, p_against=1.0)
    below = different if difference.estimate < 0 else 1.0
    return Answer(supports=False, p_against=min(below, _within(difference, margin)))


def says_no_worse(difference: MeanEstimate, margin: float, level: float = LEVEL) -> Answer:
    """Of "nothing is lost": supported where a loss of ``margin`` or more is rejected (one-sided, non-inferiority).

    Against it speaks a difference significantly below 0, two-sided, that may be as large as the margin.

    Raises:
        ValueError: a margin that is not above 0.
    """
    gain_is_certain = difference.estimate > 0 and difference.p_value < level
    if gain_is_certain or difference.p_at_most(-margin) < level:
        return Answer(supports=True, p_against=1.0)
    return Answer(supports=False, p_against=difference.p_value if difference.estimate < 0 else 1.0)


def says_shorter(ours: LogTimes, theirs: LogTimes, margin: float, level: float = LEVEL) -> Answer:
    """Of "ours takes less time": as :func:`says_better`, on the ratio of times of one measurement.

    ``margin`` is the share of time within which both are as fast, such as 0.01.
    """
    ratio = time_ratio(ours, theirs)
    if ratio.ratio < 1 and ratio.p_value < level:
        return Answer(supports=True, p_against=1.0)
    longer = ratio.p_value if ratio.ratio > 1 else 1.0
    return Answer(supports=False, p_against=min(longer, _p_outside(ours, theirs, 1 - margin, 1 + margin)))


def says_ratio_within(ours: LogTimes, theirs: LogTimes, low: float, high: float, level: float = LEVEL) -> Answer:
    """Of "ours takes ``low`` to ``high`` times as long", 0 < low < high.

    Supported where the 95 % interval lies between both, against it where it lies beyond one of them.
    """
    ratio = time_ratio(ours, theirs).ratio
    if low < ratio < high:
        return Answer(supports=_p_outside(ours, theirs, low, high) < level, p_against=1.0)
    nearest = low if ratio <= low else high
    return Answer(supports=False, p_against=_p_of_ratio(ours, theirs, nearest))


def over_seeds(values: npt.ArrayLike, confidence: float = 0.95, *, step: float) -> MeanEstimate:
    """The mean of one value per seed, shape (R,), R >= 2; chance is the seed.

    ``step`` is the least by which a value can differ from another, such as 1 / C for an accuracy on C images.

    Raises:
        ValueError: as :func:`fbench.statistics.intervals.t_interval`.
    """
    found = t_interval(values, confidence, step)
    sample = np.asarray(values, dtype=np.float64)
    error = standard_deviation(sample, step) / float(np.sqrt(sample.size))
    return MeanEstimate(found.estimate, found.low, found.high, error, sample.size - 1.0, confidence, "seeds")


def both_say(one: Answer, other: Answer) -> Answer:
    """What holds of two estimates, such as with and without trainings that collapsed: what both of them say."""
    return Answer(one.supports and other.supports, max(one.p_against, other.p_against))


def judge_parts(parts: Sequence[Answer | None], level: float = LEVEL) -> tuple[Outcome, ...]:
    """The outcome of each part; one without data (none) is undecided and no member of the family."""
    tested = [one for one in parts if one is not None]
    adjusted = iter(holm([one.p_against for one in tested]).tolist())
    outcomes: list[Outcome] = []
    for one in parts:
        if one is None:
            outcomes.append("undecided")
            continue
        p_against = next(adjusted)
        outcomes.append("supported" if one.supports else "contradicted" if p_against < level else "undecided")
    return tuple(outcomes)


def conclude(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of the statement: contradicted by any part, supported only by all."""
    if "contradicted" in outcomes:
        return "contradicted"
    return "supported" if outcomes and set(outcomes) == {"supported"} else "undecided"


def _within(difference: MeanEstimate, margin: float) -> float:
    return float(equivalence_p_values([difference], margin)[0])


def _p_of_ratio(ours: LogTimes, theirs: LogTimes, ratio: float) -> float:
    """Two-sided p-value of the hypothesis that ours takes ``ratio`` times as long."""
    shift = float(np.log(ratio))
    return time_ratio({turn: value - shift for turn, value in ours.items()}, theirs).p_value


def _p_outside(ours: LogTimes, theirs: LogTimes, low: float, high: float) -> float:
    """The p-value of the hypothesis that the ratio is not between ``low`` and ``high``; 1 where it is seen beyond."""
    seen = time_ratio(ours, theirs).ratio
    if not low < seen < high:
        return 1.0
    return max(_p_of_ratio(ours, theirs, low), _p_of_ratio(ours, theirs, high))
