"""The answer to a comparison: better, worse, equivalent or undecided.

A family is all comparisons that are corrected together, such as all of a run on one data set. Verdicts are on new
images. *Better* and *worse*: the hypothesis of no difference is rejected; *equivalent*: it is not, but the hypothesis
of a difference of the margin or more is. Each of the two kinds of statement is corrected over the family for itself,
so that each is false somewhere in the family in at most 5 of 100 runs.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal

import numpy as np

from fbench.statistics.comparison.equivalence import equivalence_p_values, smallest_margins
from fbench.statistics.comparison.multiplicity import Correction, adjust, levels_of_tests
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.seeds.power import detectable_difference_of

LEVEL: Final = 0.05

Verdict = Literal["better", "worse", "equivalent", "undecided"]


@dataclass(frozen=True)
class FamilyMember:
    """A comparison of a family.

    Attributes:
        estimate: the difference for new images. One of a single seed (rules ``one_seed`` and ``undefined``) is not
            tested.
        margin: the difference that matters, in the unit of the estimate.
        pair: what is compared, the same for two comparisons that are one hypothesis, which counts once; none for one
            that stands for itself.
        neither_learned: both networks collapsed (:mod:`fbench.statistics.collapse`), so that it stays undecided: two
            networks that learned nothing are not equally good.
        with_collapsed: where trainings collapsed and ``estimate`` is of those that learned, the difference with them.
            *Better*, *worse* and *equivalent* are then given only where the family with these differences says the
            same.
    """

    estimate: MeanEstimate
    margin: float
    pair: Hashable | None = None
    neither_learned: bool = False
    with_collapsed: MeanEstimate | None = None


@dataclass(frozen=True)
class Decision:
    """A verdict with what it rests on; NaN where one training a network leaves nothing to test.

    Attributes:
        verdict: for new images; one training a network decides nothing, nor do two networks neither of which learned.
        p_adjusted: of no difference, corrected over the family.
        p_equivalent_adjusted: of a difference of the margin or more, corrected over the family.
        level: at which no difference was tested in the family: the interval of confidence ``1 - level`` leaves out 0
            exactly where it is rejected.
        equivalent_level: one-sided, at which a difference of the margin was: the interval of confidence
            ``1 - 2 equivalent_level`` lies within the margin exactly where it is rejected.
        smallest_margin: the least margin for which this data would certify equivalence in this family.
        detectable_difference: the true difference that data of this precision would find in 80 of 100 studies, at the
            level that the smallest p-value of the family has to reach.
        below_margin: whether the true difference is certified to be smaller than the margin; with *better* or *worse*
            it is real and too small to matter.
        learned_verdict: where trainings collapsed, the verdict on those that learned; it is also ``verdict`` only where
            the means with those that collapsed say the same. None where there is no such doubt.
    """

    verdict: Verdict
    p_adjusted: float
    p_equivalent_adjusted: float
    level: float
    equivalent_level: float
    smallest_margin: float
    detectable_difference: float
    below_margin: bool
    learned_verdict: Verdict | None = None


NOTHING_TESTED: Final = Decision(
    verdict="undecided",
    p_adjusted=math.nan,
    p_equivalent_adjusted=math.nan,
    level=math.nan,
    equivalent_level=math.nan,
    smallest_margin=math.nan,
    detectable_difference=math.nan,
    below_margin=False,
)


def decide(
    members: Sequence[FamilyMember], correction: Correction = "holm", level: float = LEVEL, planned: int = 0
) -> list[Decision]:
    """Decide the comparisons of one family.

    Args:
        members: in any order.
        correction: over the family.
        level: of both kinds of statement.
        planned: how many comparisons the family was planned with, where that is more than can be tested: those that
            are missing count as if nothing had been found.

    Raises:
        ValueError: a margin that is not above 0, or a level not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"A level of {level} is not possible; give a number between 0 and 1, such as 0.05.")
    decisions = _decide(members, correction, level, planned)
    if all(one.with_collapsed is None for one in members):
        return decisions
    everything = [replace(one, estimate=one.with_collapsed or one.estimate) for one in members]
    others = _decide(everything, correction, level, planned)
    return [
        decision if one.with_collapsed is None else _confirmed(decision, other.verdict)
        for one, decision, other in zip(members, decisions, others, strict=True)
    ]


def is_testable(estimate: MeanEstimate) -> bool:
    """Whether the chance of the seed is in the estimate's standard error."""
    return estimate.rule not in ("one_seed", "wilson", "undefined")


@dataclass(frozen=True)
class _Tests:
    """One kind of test over a family: the corrected p-value and the level of each member that is tested."""

    adjusted: list[float]
    levels: list[float]


def _decide(members: Sequence[FamilyMember], correction: Correction, level: float, planned: int) -> list[Decision]:
    """The decisions from the estimates alone."""
    tested = [one for one in members if is_testable(one.estimate)]
    pairs = [index if one.pair is None else one.pair for index, one in enumerate(tested)]
    tests = max(planned, len(set(pairs)))
    different = _corrected([one.estimate.p_value for one in tested], pairs, correction, level, tests)
    # The same pair with another margin is another hypothesis.
    hypotheses = [(pair, one.margin) for pair, one in zip(pairs, tested, strict=True)]
    near_p_values = [float(equivalence_p_values([one.estimate], one.margin)[0]) for one in tested]
    near_tests = max(planned + len(set(hypotheses)) - len(set(pairs)), len(set(hypotheses)))
    near = _corrected(near_p_values, hypotheses, correction, level, near_tests)
    once = [pairs.index(pair) for pair in dict.fromkeys(pairs)]
    margins = smallest_margins(
        [tested[index].estimate for index in once], partial(adjust, correction=correction, tests=tests), level
    )
    smallest = dict(zip(dict.fromkeys(pairs), margins.tolist(), strict=True))
    found = iter(
        Decision(
            verdict=_verdict(one, different.adjusted[index], near.adjusted[index], level),
            p_adjusted=different.adjusted[index],
            p_equivalent_adjusted=near.adjusted[index],
            level=different.levels[index],
            equivalent_level=near.levels[index],
            smallest_margin=smallest[pairs[index]],
            detectable_difference=detectable_difference_of(one.estimate, level / tests),
            below_margin=near.adjusted[index] < level and not one.neither_learned,
        )
        for index, one in enumerate(tested)
    )
    return [next(found) if is_testable(one.estimate) else NOTHING_TESTED for one in members]


def _corrected(
    p_values: Sequence[float], hypotheses: Sequence[Hashable], correction: Correction, level: float, tests: int
) -> _Tests:
    """Correct the p-values of a family in which equal hypotheses are one test."""
    names = list(dict.fromkeys(hypotheses))
    once = np.array([p_values[hypotheses.index(name)] for name in names])
    adjusted = dict(zip(names, adjust(once, correction, tests).tolist(), strict=True))
    levels = dict(zip(names, levels_of_tests(once, correction, level, tests).tolist(), strict=True))
    return _Tests([adjusted[one] for one in hypotheses], [levels[one] for one in hypotheses])


def _confirmed(learned: Decision, with_collapsed: Verdict) -> Decision:
    """The decision on trainings that learned, undecided where the means of all trainings say something else."""
    same = learned.verdict == with_collapsed
    return replace(
        learned,
        verdict=learned.verdict if same else "undecided",
        below_margin=learned.below_margin and same,
        learned_verdict=learned.verdict,
    )


def _verdict(member: FamilyMember, p_different: float, p_near: float, level: float) -> Verdict:
    if member.neither_learned:
        return "undecided"
    if p_different < level:
        return "better" if member.estimate.estimate > 0 else "worse"
    return "equivalent" if p_near < level else "undecided"
