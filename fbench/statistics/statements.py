"""A statement of several parts: what the data say of each part, and of all of them together.

A statement is the conjunction of its parts ("ARCH-1 is better than each of three others on three data sets" has nine).
It holds only if every part holds, so the p-value of "it does not hold" is the largest of its parts': an
intersection-union test errs at most at the level of its parts, whatever their number, as the one part that is false
must be passed too (Berger 1982, Technometrics 24, 295-300). It is *contradicted* as soon as one part is; as any of the
parts could be so by chance, the p-values that speak against parts are corrected by Holm over the parts tested.

Several statements that are tested on one data set are a family: both kinds of p-value are corrected by Holm over all of
them, those without data included, so that any false verdict of either kind is given in at most 5 of 100 families.
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

Outcome = Literal["supported", "contradicted", "undecided", "not yet"]
"""``not yet``: the budget does not suffice to decide."""


@dataclass(frozen=True)
class StatementAnswer:
    """What data say of one part: whether they support it, and p-values.

    Attributes:
        supports: the part holds, tested alone.
        p_against: of the hypothesis that the part holds; small where data speak against it.
        p_for: of the hypothesis that it does not hold; small where data support it. None where support is no test, as
            of a printed number that a new training may well reach.
    """

    supports: bool
    p_against: float
    p_for: float | None = None


def says_better(difference: MeanEstimate, margin: float, level: float = LEVEL) -> StatementAnswer:
    """Of "the true difference is above 0, by something that matters".

    Supported where it is significantly above 0, two-sided. Against it speak a difference significantly below 0 and one
    certified to lie within ``margin``; the smaller p-value of the two is one of the hypothesis that the difference is
    ``margin`` or more, for it is at least that of the t test of this hypothesis.

    Raises:
        ValueError: a margin that is not above 0.
    """
    different = difference.p_value
    if difference.estimate > 0 and different < level:
        return StatementAnswer(supports=True, p_against=1.0, p_for=different)
    below = different if difference.estimate < 0 else 1.0
    above = different if difference.estimate > 0 else 1.0
    return StatementAnswer(supports=False, p_against=min(below, _within(difference, margin)), p_for=above)


def says_no_worse(difference: MeanEstimate, margin: float, level: float = LEVEL) -> StatementAnswer:
    """Of "nothing is lost": supported where a loss of ``margin`` or more is rejected (one-sided, non-inferiority).

    Against it speaks a loss that is certainly above ``margin`` (one-sided): a certain loss that may be smaller is none
    of ``margin`` or more.

    Raises:
        ValueError: a margin that is not above 0.
    """
    if margin <= 0:
        raise ValueError(f"A margin of {margin} is not possible; give a number above 0.")
    p_for = difference.p_at_most(-margin)
    if p_for < level:
        return StatementAnswer(supports=True, p_against=1.0, p_for=p_for)
    return StatementAnswer(supports=False, p_against=difference.p_at_least(-margin), p_for=p_for)


def says_shorter(ours: LogTimes, theirs: LogTimes, margin: float, level: float = LEVEL) -> StatementAnswer:
    """Of "ours takes less time": as :func:`says_better`, on the ratio of times of one measurement.

    ``margin`` is the share of time within which both are as fast, such as 0.01.
    """
    ratio = time_ratio(ours, theirs)
    if ratio.ratio < 1 and ratio.p_value < level:
        return StatementAnswer(supports=True, p_against=1.0, p_for=ratio.p_value)
    longer = ratio.p_value if ratio.ratio > 1 else 1.0
    shorter = ratio.p_value if ratio.ratio < 1 else 1.0
    against = min(longer, _p_outside(ours, theirs, 1 - margin, 1 + margin))
    return StatementAnswer(supports=False, p_against=against, p_for=shorter)


def says_ratio_within(
    ours: LogTimes, theirs: LogTimes, low: float, high: float, level: float = LEVEL
) -> StatementAnswer:
    """Of "ours takes ``low`` to ``high`` times as long", 0 < low < high.

    Supported where the 95 % interval lies between both, against it where it lies beyond one of them.
    """
    ratio = time_ratio(ours, theirs).ratio
    p_for = _p_outside(ours, theirs, low, high)
    if low < ratio < high:
        return StatementAnswer(supports=p_for < level, p_against=1.0, p_for=p_for)
    nearest = low if ratio <= low else high
    return StatementAnswer(supports=False, p_against=_p_of_ratio(ours, theirs, nearest), p_for=p_for)


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


def both_say(one: StatementAnswer, other: StatementAnswer) -> StatementAnswer:
    """What holds of two estimates, such as with and without trainings that collapsed: what both of them say."""
    both = [answer.p_for for answer in (one, other) if answer.p_for is not None]
    p_for = max(both, default=None)
    return StatementAnswer(one.supports and other.supports, max(one.p_against, other.p_against), p_for)


def judge_parts(parts: Sequence[StatementAnswer | None], level: float = LEVEL) -> tuple[Outcome, ...]:
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
    """The outcome of the statement: contradicted by any part, supported only by all, not yet where a part waits for
    more training."""
    if "contradicted" in outcomes:
        return "contradicted"
    if "not yet" in outcomes:
        return "not yet"
    return "supported" if outcomes and set(outcomes) == {"supported"} else "undecided"


def p_of_statement(parts: Sequence[StatementAnswer | None]) -> tuple[float, float]:
    """The p-values of a statement: against it, Holm's smallest of its parts; for it, the largest of its parts'.

    1 where no part says anything. A part whose support is no test has no part in the second, and a part without data
    (none) leaves the statement unsupported.
    """
    tested = [one for one in parts if one is not None]
    against = min(holm([one.p_against for one in tested]).tolist(), default=1.0)
    if len(tested) < len(parts):
        return against, 1.0
    found = [one.p_for for one in tested if one.p_for is not None]
    return against, max(found, default=1.0)


def outcome_in_family(outcome: Outcome, p_against: float, p_for: float, level: float = LEVEL) -> Outcome:
    """The outcome of a statement among others: one that its family's correction takes the certainty from is undecided.

    ``p_against`` and ``p_for`` are corrected over the family.
    """
    if outcome == "contradicted" and p_against >= level:
        return "undecided"
    if outcome == "supported" and p_for >= level:
        return "undecided"
    return outcome


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
