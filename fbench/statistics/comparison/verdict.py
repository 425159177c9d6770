"""The answer to a comparison: better, worse, equivalent or undecided.

A family is all comparisons of one study. Verdicts are on new images. *Better* and *worse*: the hypothesis of no
difference is rejected; *equivalent*: it is not, but the hypothesis of a difference of the margin or more is. Each of
the two kinds of statement is corrected over the family for itself, so that each is false somewhere in the family in
at most 5 of 100 studies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal

from fbench.statistics.comparison.equivalence import equivalence_p_values, smallest_margins
from fbench.statistics.comparison.multiplicity import Correction, adjust
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.seeds.power import detectable_difference_of

LEVEL: Final = 0.05

Verdict = Literal["better", "worse", "equivalent", "undecided"]


@dataclass(frozen=True)
class Decision:
    """A verdict with what it rests on; NaN where one training a network leaves nothing to test.

    Attributes:
        verdict: for new images; one training a network decides nothing, nor do two networks neither of which learned.
        p_adjusted: of no difference, corrected over the family.
        p_equivalent_adjusted: of a difference of the margin or more, corrected over the family.
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
    smallest_margin: float
    detectable_difference: float
    below_margin: bool
    learned_verdict: Verdict | None = None


NOTHING_TESTED: Final = Decision(
    "undecided", float("nan"), float("nan"), float("nan"), float("nan"), below_margin=False
)


def decide(
    estimates: Sequence[MeanEstimate],
    margin: float,
    correction: Correction = "holm",
    level: float = LEVEL,
    neither_learned: Sequence[bool] = (),
    with_collapsed: Sequence[MeanEstimate | None] = (),
) -> list[Decision]:
    """Decide the comparisons of one family, each given as the difference for new images.

    Args:
        estimates: differences; those of one seed (rules ``one_seed`` and ``undefined``) are not tested and do not count
            as members of the family.
        margin: the difference that matters, in the unit of the estimates.
        correction: over the family.
        level: of both kinds of statement.
        neither_learned: for each comparison, whether both networks collapsed (:mod:`fbench.statistics.collapse`): it
            stays undecided, as two networks that learned nothing are not equally good. Empty: none is.
        with_collapsed: for each comparison of which trainings collapsed, the difference with them, where ``estimates``
            are of those that learned; none for the others. *Better*, *worse* and *equivalent* are then given only where
            the family with these differences says the same. Empty: none has any.

    Raises:
        ValueError: a margin that is not above 0, a level not between 0 and 1, or not one mark or difference for each
            comparison.
    """
    if with_collapsed and len(with_collapsed) != len(estimates):
        raise ValueError(f"{len(with_collapsed)} differences do not match {len(estimates)} comparisons; give one each.")
    if any(one is not None for one in with_collapsed):
        everything = [more or one for more, one in zip(with_collapsed, estimates, strict=True)]
        learned = decide(estimates, margin, correction, level, neither_learned)
        others = decide(everything, margin, correction, level, neither_learned)
        return [
            one if more is None else _confirmed(one, other.verdict)
            for one, other, more in zip(learned, others, with_collapsed, strict=True)
        ]
    if not 0 < level < 1:
        raise ValueError(f"A level of {level} is not possible; give a number between 0 and 1, such as 0.05.")
    if neither_learned and len(neither_learned) != len(estimates):
        raise ValueError(f"{len(neither_learned)} marks do not match {len(estimates)} comparisons; give one for each.")
    tested = [one for one in estimates if is_testable(one)]
    different = adjust([one.p_value for one in tested], correction).tolist()
    near = adjust(equivalence_p_values(tested, margin), correction).tolist()
    margins = smallest_margins(tested, partial(adjust, correction=correction), level).tolist()
    found = iter(
        Decision(
            verdict=_verdict(one, p_different, p_near, level),
            p_adjusted=p_different,
            p_equivalent_adjusted=p_near,
            smallest_margin=smallest,
            detectable_difference=detectable_difference_of(one, level / len(tested)),
            below_margin=p_near < level,
        )
        for one, p_different, p_near, smallest in zip(tested, different, near, margins, strict=True)
    )
    decisions = [next(found) if is_testable(one) else NOTHING_TESTED for one in estimates]
    marks = neither_learned or [False] * len(estimates)
    return [
        replace(decision, verdict="undecided", below_margin=False) if mark else decision
        for decision, mark in zip(decisions, marks, strict=True)
    ]


def is_testable(estimate: MeanEstimate) -> bool:
    """Whether the chance of the seed is in the estimate's standard error."""
    return estimate.rule not in ("one_seed", "wilson", "undefined")


def _confirmed(learned: Decision, with_collapsed: Verdict) -> Decision:
    """The decision on trainings that learned, undecided where the means of all trainings say something else."""
    same = learned.verdict == with_collapsed
    return replace(
        learned,
        verdict=learned.verdict if same else "undecided",
        below_margin=learned.below_margin and same,
        learned_verdict=learned.verdict,
    )


def _verdict(estimate: MeanEstimate, p_different: float, p_near: float, level: float) -> Verdict:
    if p_different < level:
        return "better" if estimate.estimate > 0 else "worse"
    return "equivalent" if p_near < level else "undecided"
