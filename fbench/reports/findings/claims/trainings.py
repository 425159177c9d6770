"""Claims about many trainings of one network, or of two: gaps between training and test, recalls, and levels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

import numpy as np

from fbench.ablations.claim import Claim
from fbench.ablations.claim_tests import Exceeds, NoOverfitting, OverfitsLess, PoorRecall, data_words
from fbench.reports.findings.claims.accuracy import (
    at_this_budget,
    lack_of_seeds,
    remarks_on,
    seeds_lack,
    what_is_absent,
)
from fbench.reports.findings.claims.budget import lack_of_budget
from fbench.reports.findings.claims.learned import learned_trainings
from fbench.reports.findings.claims.parts import ClaimPart, MissingEvidence
from fbench.reports.findings.claims.pool import ClaimInputs, DataEvidence, pool
from fbench.reports.findings.comparisons.evidence import NetworkEvidence
from fbench.reports.formatting import minus, number, percent, plural, points_range
from fbench.statistics.classification import per_class_recall
from fbench.statistics.comparison.verdict import LEVEL, is_testable
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.seeds.power import VarianceComponents, seeds_needed
from fbench.statistics.single import summarise
from fbench.statistics.statements import StatementAnswer, both_say, over_seeds, says_better

FloatVector = np.ndarray[tuple[int], np.dtype[np.float64]]

_IMAGES_WITHOUT_CHANCE: Final = 1_000_000_000
"""So many that none of the chance is theirs: a gap is one of these images."""

_MARGIN: Final = 0.01
"""What doubling a budget may gain where a level is asked for, as a fraction of 1."""


def overfitting_parts(test: OverfitsLess, claim: Claim, inputs: ClaimInputs) -> list[ClaimPart]:
    """Gaps between training and test accuracy of equal seeds, one part for each other network and data set.

    A part is decided only where one of its two networks over-fits: its gap is certainly above 0. Before that, a smaller
    gap is that of the network which has learnt faster.

    Raises:
        UserError: two runs cannot be pooled.
    """
    parts = []
    for data in test.data:
        evidence = pool(inputs, data, claim.networks)
        for other in test.than:
            absent = what_is_absent(claim, data, (test.network, other), evidence, inputs)
            if absent is not None or evidence is None:
                parts.append(absent or ClaimPart())
            else:
                parts.append(_gap_part(test, other, data, claim, evidence))
    return parts


def no_overfitting_parts(test: NoOverfitting, claim: Claim, inputs: ClaimInputs) -> list[ClaimPart]:
    """Whether the gap between training and test top-1 stays below the margin; chance is the seed, on this test set.

    Raises:
        UserError: two runs cannot be pooled.
    """

    def gaps(network: NetworkEvidence, evidence: DataEvidence) -> list[float]:
        return [test.margin_points / 100 - gap for gap in _gaps(network).values()]

    def words(found: MeanEstimate) -> str:
        gap, low, high = (test.margin_points / 100 - value for value in (found.estimate, found.high, found.low))
        return f"the gap of {test.network} from training to test top-1 is {_points(gap)} ({points_range(low, high)})"

    return [_of_seeds(test, claim, inputs, gaps, words)]


def poor_recall_parts(test: PoorRecall, claim: Claim, inputs: ClaimInputs) -> list[ClaimPart]:
    """Whether the recall of a class is below the mean of all; chance is the seed, on this test set.

    Raises:
        UserError: two runs cannot be pooled.
    """

    def behind(network: NetworkEvidence, evidence: DataEvidence) -> list[float]:
        names = [name.lower() for name in evidence.holdings[0].data.class_names]
        if test.class_name.lower() not in names:
            return []
        index = names.index(test.class_name.lower())
        recalls = [per_class_recall(confusion) for confusion in network.confusion]
        return [float(np.nanmean(recall) - recall[index]) for recall in recalls]

    def words(found: MeanEstimate) -> str:
        low, high = -found.high, -found.low
        return (
            f"{test.network} recalls {test.class_name} {_points(-found.estimate)} ({points_range(low, high)}) from the "
            "mean of the classes"
        )

    return [_of_seeds(test, claim, inputs, behind, words)]


def exceeds_parts(test: Exceeds, claim: Claim, inputs: ClaimInputs) -> list[ClaimPart]:
    """Whether the mean top-1 for new images is above a number; one part for each network and data set.

    Raises:
        UserError: two runs cannot be pooled.
    """
    parts = []
    for data in test.data:
        evidence = pool(inputs, data, claim.networks)
        for name in test.networks:
            absent = what_is_absent(claim, data, (name,), evidence, inputs)
            if absent is not None or evidence is None:
                parts.append(absent or ClaimPart())
                continue
            trainings = learned_trainings(evidence.networks[name])
            remarks = (*remarks_on(evidence, data), *trainings.remarks(data))
            lacks = [*trainings.lacks(data), *lack_of_seeds(claim, data, len(trainings.every.seeds))]
            short = lack_of_budget(claim, data, (name,), evidence, _MARGIN)
            estimates = [summarise(side.correct, clusters=side.clusters).new_images for side in trainings.sides]
            found = estimates[0]
            text = (
                f"{name} has {percent(found.estimate)} % on {data_words(data)} "
                f"({percent(found.low)} to {percent(found.high)} %, {plural(len(trainings.learned.seeds), 'seed')})"
            )
            if lacks or not is_testable(found):
                lacks += [short] if short else []
                parts.append(ClaimPart(text, None, None, tuple(lacks), remarks, not_yet=short is not None))
                continue
            answer = _all_say([_above(estimate, test.percent / 100) for estimate in estimates])
            part = ClaimPart(text, None, answer, (), remarks)
            parts.append(part if short is None or answer.supports else at_this_budget(part, short))
    return parts


def _all_say(answers: Sequence[StatementAnswer]) -> StatementAnswer:
    """What the trainings that learned say and, where some did not, all of them too."""
    return reduce(both_say, answers)


def _above(found: MeanEstimate, level: float) -> StatementAnswer:
    """Of "above this level", with no more certainty than the exact interval has."""
    low, high = found.interval(1 - 2 * LEVEL)
    p_for, p_against = found.p_at_most(level), found.p_at_least(level)
    p_for = p_for if low > level else max(p_for, LEVEL)
    return StatementAnswer(p_for < LEVEL, p_against if high < level else max(p_against, LEVEL), p_for)


def _of_seeds(
    test: NoOverfitting | PoorRecall,
    claim: Claim,
    inputs: ClaimInputs,
    values_of: Callable[[NetworkEvidence, DataEvidence], list[float]],
    words: Callable[[MeanEstimate], str],
) -> ClaimPart:
    """Of "the mean over seeds of these values is above 0", tested one-sided both ways."""
    evidence = pool(inputs, test.data, claim.networks)
    absent = what_is_absent(claim, test.data, (test.network,), evidence, inputs)
    if absent is not None or evidence is None:
        return absent or ClaimPart()
    trainings = learned_trainings(evidence.networks[test.network])
    remarks = (*remarks_on(evidence, test.data), *trainings.remarks(test.data))
    sides = [values_of(side, evidence) for side in trainings.sides]
    values = sides[0]
    lacks = [*trainings.lacks(test.data), *lack_of_seeds(claim, test.data, len(sides[-1]))]
    short = lack_of_budget(claim, test.data, (test.network,), evidence, test.margin_points / 100)
    if lacks or len(values) < 2:
        lacks = [*(lacks or [seeds_lack(test.data, 2, len(values))]), *([short] if short else [])]
        return ClaimPart("", None, None, tuple(lacks), remarks, not_yet=short is not None)
    step = 1 / trainings.every.correct.shape[1]
    found = over_seeds(values, step=step)
    answer = _all_say([_above_zero(over_seeds(side, step=step)) for side in sides])
    part = ClaimPart(
        f"{words(found)} on {data_words(test.data)}, {plural(len(values), 'seed')}", None, answer, (), remarks
    )
    return at_this_budget(part, short) if short else part


def _above_zero(found: MeanEstimate) -> StatementAnswer:
    p_for = found.p_at_most(0.0)
    return StatementAnswer(p_for < LEVEL, 1.0 if p_for < LEVEL else found.p_at_least(0.0), p_for)


def _points(value: float) -> str:
    return minus(f"{100 * value:+.1f} points")


def _gap_part(test: OverfitsLess, other: str, data: str, claim: Claim, evidence: DataEvidence) -> ClaimPart:
    names = (test.network, other)
    both = [learned_trainings(evidence.networks[name]) for name in names]
    learned, every = _PairedGaps.of(*(one.learned for one in both)), _PairedGaps.of(*(one.every for one in both))
    remarks = (*remarks_on(evidence, data), *(said for one in both for said in one.remarks(data)))
    lacks = [*(lack for one in both for lack in one.lacks(data)), *lack_of_seeds(claim, data, every.seeds)]
    short = lack_of_budget(claim, data, names, evidence, test.margin_points / 100)
    where, margin = f"than that of {other} on {data_words(data)}", test.margin_points / 100
    if learned.seeds < 2:
        lacks = [*(lacks or [seeds_lack(data, 2, learned.seeds)]), *([short] if short else [])]
        return ClaimPart("", None, None, tuple(lacks), remarks, not_yet=short is not None)
    step = 1 / evidence.networks[other].correct.shape[1]
    found = over_seeds(learned.smaller, step=step)
    size, direction = number(100 * abs(found.estimate), 1), "smaller" if found.estimate >= 0 else "larger"
    spread = f"difference {points_range(-found.high, -found.low)} points over {plural(learned.seeds, 'seed')}"
    text = f"the gap of {test.network} from training to test top-1 is {size} points {direction} {where} ({spread})"
    if not any(over_seeds(gaps, step=step).low > 0 for gaps in (learned.ours, learned.theirs)):
        lacks.append(MissingEvidence("over-fitting", data, names))
    if lacks:
        lacks += [short] if short else []
        return ClaimPart(text, None, None, tuple(lacks), remarks, not_yet=short is not None)
    answer = _all_say([says_better(over_seeds(one.smaller, step=step), margin) for one in (learned, every)])
    more = () if answer.supports else _more(learned.smaller, found, margin, data)
    part = ClaimPart(text, None, answer, more, remarks)
    return at_this_budget(part, short) if short else part


@dataclass(frozen=True)
class _PairedGaps:
    """Gaps of two networks, a value for each seed that both have."""

    ours: FloatVector
    theirs: FloatVector

    @classmethod
    def of(cls, ours: NetworkEvidence, theirs: NetworkEvidence) -> _PairedGaps:
        """Of the seeds in common."""
        both = _gaps(ours), _gaps(theirs)
        common = sorted(both[0].keys() & both[1].keys())
        return cls(*(np.array([gaps[seed] for seed in common], dtype=np.float64) for gaps in both))

    @property
    def seeds(self) -> int:
        """How many seeds both have."""
        return self.ours.size

    @property
    def smaller(self) -> FloatVector:
        """By how much ours is the smaller."""
        return self.theirs - self.ours


def _more(values: FloatVector, found: MeanEstimate, margin: float, data: str) -> tuple[MissingEvidence, ...]:
    """Seeds that would decide it; with one value per seed, the images have no part in the chance."""
    seeds_only = VarianceComponents(seed=float(values.var(ddof=1)), image=0.0, residual=0.0)
    more = values.size + 1
    needed = seeds_needed(seeds_only, _IMAGES_WITHOUT_CHANCE, found.estimate, margin, LEVEL, at_least=more).seeds
    return (seeds_lack(data, needed, values.size, "about "),) if needed else ()


def _gaps(network: NetworkEvidence) -> dict[int, float]:
    """Training top-1 at the chosen step less test top-1, by seed; a seed without either is left out."""
    found = {}
    for seed, record, measures, history in zip(
        network.seeds, network.records, network.measures, network.histories, strict=True
    ):
        chosen = [row.train_top1 for row in history if row.step == record.chosen_step]
        if chosen and math.isfinite(chosen[0]) and math.isfinite(measures.top1):
            found[seed] = chosen[0] - measures.top1
    return found


EVALUATORS: Final[Mapping[str, Callable[[Any, Claim, ClaimInputs], list[ClaimPart]]]] = {
    "overfits_less": overfitting_parts,
    "no_overfitting": no_overfitting_parts,
    "poor_recall": poor_recall_parts,
    "exceeds": exceeds_parts,
}
