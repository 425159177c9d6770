"""Claims that print a number of single trainings: what one new training, or pair of them, may show.

Such a number has no spread, and was often picked on the test set. It is held against the prediction of a new training
(:mod:`fbench.statistics.prediction`), which it contradicts only where it lies above what 95 of 100 stay below.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from fbench.ablations.claim import Claim
from fbench.ablations.claim_tests import GainsUpTo, MeanReaches, Reaches, StopsAfter, data_words
from fbench.reports.findings.claims.accuracy import (
    at_this_budget,
    lack_of_seeds,
    remarks_on,
    seeds_lack,
    what_is_absent,
)
from fbench.reports.findings.claims.budget import lack_of_budget
from fbench.reports.findings.claims.learned import LearnedTrainings, learned_trainings
from fbench.reports.findings.claims.parts import ClaimPart, MissingEvidence
from fbench.reports.findings.claims.pool import ClaimInputs, DataEvidence, pool
from fbench.reports.findings.comparisons.evidence import NetworkEvidence
from fbench.reports.formatting import listing, minus, number, percent, plural
from fbench.statistics.classification import per_class_recall
from fbench.statistics.comparison.verdict import LEVEL
from fbench.statistics.prediction import FEWEST_TRAININGS, Prediction, predict_mean, predict_one
from fbench.statistics.statements import StatementAnswer

FloatVector = np.ndarray[tuple[int], np.dtype[np.float64]]

WHAT_IT_IS = "one number without a spread, as a rule picked on the test set"


def reaches_part(test: Reaches, claim: Claim, inputs: ClaimInputs) -> ClaimPart:
    """Whether a single new training would have the printed accuracy or recall.

    It is one on this test set, or, where the number was read on so many other images, on as many. A budget shorter than
    the claim's may support it, as more training would do so too, but not contradict it.

    Raises:
        UserError: two runs cannot be pooled.
    """
    evidence = pool(inputs, test.data, claim.networks)
    absent = what_is_absent(claim, test.data, (test.network,), evidence, inputs)
    if absent is not None or evidence is None:
        return absent or ClaimPart()
    trainings = learned_trainings(evidence.networks[test.network])
    read = _read(test, trainings.learned, evidence)
    if isinstance(read, ClaimPart):
        return read
    values, step = read
    what = f"recall of {test.class_name}" if test.class_name else "top-1"
    where = f"{test.network} on {data_words(test.data)}"
    remarks = (*remarks_on(evidence, test.data), *trainings.remarks(test.data))
    seeds = plural(values.size, "seed")
    short = lack_of_budget(claim, test.data, (test.network,), evidence, test.precision / 100)
    lacks = [*trainings.lacks(test.data), *_lack_of_trainings(claim, test.data, trainings)]
    if lacks:
        text = f"{where} has {percent(float(values.mean()))} % {what} in the mean of {seeds}"
        lacks = [*([short] if short else []), *lacks]
        return ClaimPart(text, None, None, tuple(lacks), remarks, not_yet=short is not None)
    found = predict_one(values, step=step)
    if test.images is not None:
        found = found.with_sampling(math.sqrt(test.percent / 100 * (1 - test.percent / 100) / test.images))
    part = _of_prediction(found, test, where, f"{what}, {seeds}", trainings.share)
    part = replace(part, remarks=remarks)
    return at_this_budget(part, short) if short and not _supports(part) else part


def mean_reaches_part(test: MeanReaches, claim: Claim, inputs: ClaimInputs) -> ClaimPart:
    """Whether the mean of one new training on each data set would be the printed one.

    Raises:
        UserError: two runs cannot be pooled.
    """
    found: list[Prediction] = []
    lacks: list[MissingEvidence] = []
    remarks: list[str] = []
    waits, share = False, 1.0
    for data in test.data:
        evidence = pool(inputs, data, claim.networks)
        absent = what_is_absent(claim, data, (test.network,), evidence, inputs)
        if absent is not None or evidence is None:
            lacks += absent.lacks if absent else ()
            continue
        trainings = learned_trainings(evidence.networks[test.network])
        correct = trainings.learned.correct
        remarks += (*remarks_on(evidence, data), *trainings.remarks(data))
        if wanting := [*trainings.lacks(data), *_lack_of_trainings(claim, data, trainings)]:
            lacks += wanting
            continue
        if short := lack_of_budget(claim, data, (test.network,), evidence, test.precision / 100):
            lacks.append(short)
            waits = True
        found.append(predict_one(correct.mean(axis=1), step=1 / correct.shape[1]))
        share *= trainings.share
    if len(found) < len(test.data):
        return ClaimPart(lacks=tuple(lacks), remarks=tuple(remarks), not_yet=waits)
    where = f"{test.network}, mean over {listing([data_words(data) for data in test.data])}"
    part = replace(_of_prediction(predict_mean(found), test, where, "top-1", share), remarks=tuple(remarks))
    return replace(part, answer=None, lacks=tuple(lacks), not_yet=True) if waits and not _supports(part) else part


def stops_after_part(test: StopsAfter, claim: Claim, inputs: ClaimInputs) -> ClaimPart:
    """Whether a new training would stop after so many epochs; only protocols that stop early can say so.

    Raises:
        UserError: two runs cannot be pooled.
    """
    evidence = pool(inputs, test.data, claim.networks)
    absent = what_is_absent(claim, test.data, (test.network,), evidence, inputs)
    if absent is not None or evidence is None:
        return absent or ClaimPart()
    remarks = remarks_on(evidence, test.data)
    if evidence.holdings[0].run.config.protocol.stopping is None:
        lack = MissingEvidence("early stopping", test.data)
        return ClaimPart(lacks=(lack,), remarks=remarks)
    trainings = learned_trainings(evidence.networks[test.network])
    remarks += trainings.remarks(test.data)
    if lacks := [*trainings.lacks(test.data), *_lack_of_trainings(claim, test.data, trainings)]:
        return ClaimPart(lacks=tuple(lacks), remarks=remarks)
    ended = [histories[-1].epoch for histories in trainings.learned.histories if histories]
    if len(ended) < FEWEST_TRAININGS:  # a record whose history was lost
        return ClaimPart(lacks=(seeds_lack(test.data, FEWEST_TRAININGS, len(ended)),), remarks=remarks)
    found = predict_one(ended, step=1.0)
    text = (
        f"a new training of {test.network} on {data_words(test.data)} stops after {number(found.low, 0)} to "
        f"{number(found.high, 0)} epochs in 95 of 100 cases (mean {number(found.mean, 0)}, "
        f"{plural(len(ended), 'seed')})"
    )
    beyond = min(1.0, 2 * min(found.chance_to_reach(test.epochs - 0.5), 1 - found.chance_to_reach(test.epochs + 0.5)))
    return ClaimPart(text, None, StatementAnswer(supports=beyond >= LEVEL, p_against=beyond), (), remarks)


def _read(test: Reaches, network: NetworkEvidence, evidence: DataEvidence) -> tuple[FloatVector, float] | ClaimPart:
    """The measure of each training, and the least by which it can differ."""
    if test.class_name is None:
        return network.correct.mean(axis=1), 1 / network.correct.shape[1]
    names = [name.lower() for name in evidence.holdings[0].data.class_names]
    if test.class_name.lower() not in names:
        return ClaimPart(lacks=(MissingEvidence("class", test.data, (test.class_name,)),))
    index = names.index(test.class_name.lower())
    of_class = int(network.confusion[0][index].sum())
    values = np.array([per_class_recall(confusion)[index] for confusion in network.confusion])
    return values, 1 / max(1, of_class)


def _lack_of_trainings(claim: Claim, data: str, trainings: LearnedTrainings) -> list[MissingEvidence]:
    """So many must be there as the claim wants, and so many of them have learned as predict another one."""
    every, learned = len(trainings.every.seeds), len(trainings.learned.seeds)
    if every < (least := max(claim.seeds, FEWEST_TRAININGS)):
        return [seeds_lack(data, least, every)]
    reason = f"{FEWEST_TRAININGS} trainings that learn ({learned} so far)"
    lack = MissingEvidence("seeds", data, amount=FEWEST_TRAININGS, reason=reason)
    return [lack] if learned < FEWEST_TRAININGS else []


def _of_prediction(
    found: Prediction, test: Reaches | MeanReaches, where: str, of_what: str, learned: float
) -> ClaimPart:
    """Of trainings that learned, which a new one does with the chance ``learned``; one that collapses reaches
    nothing."""
    printed = test.percent
    chance = learned * found.chance_to_reach((printed - test.precision / 2) / 100)
    mean = f"mean {percent(found.mean)} % {of_what}"
    if chance >= LEVEL:
        share = f"in {number(100 * chance, 0)} of 100 cases"
        text = f"a new training of {where} has {printed:g} % or more {share} ({mean}); {printed:g} % is {WHAT_IT_IS}"
        return ClaimPart(text, None, StatementAnswer(supports=True, p_against=1.0))
    bound = f"stays below {percent(found.upper)} % in 95 of 100 cases"
    text = f"a new training of {where} {bound} ({mean}); {printed:g} % is {WHAT_IT_IS}"
    return ClaimPart(text, None, StatementAnswer(supports=False, p_against=chance))


def _supports(part: ClaimPart) -> bool:
    return part.answer is not None and part.answer.supports


def gains_part(test: GainsUpTo, claim: Claim, inputs: ClaimInputs) -> ClaimPart:
    """Whether any new pair of trainings would show a gain so large.

    The chance that one of several pairs does is at most the sum of their chances. It needs one pair to be supported and
    all of them to be contradicted.

    Raises:
        UserError: two runs cannot be pooled.
    """
    target = (test.points - test.precision / 2) / 100
    lacks: list[MissingEvidence] = []
    remarks: list[str] = []
    chances: dict[str, float] = {}
    waits = False
    for data in test.data:
        evidence = pool(inputs, data, claim.networks)
        for other in test.than:
            absent = what_is_absent(claim, data, (test.network, other), evidence, inputs)
            if absent is not None or evidence is None:
                lacks += absent.lacks if absent else ()
                continue
            sides = [learned_trainings(evidence.networks[name]) for name in (test.network, other)]
            pairs = len(set(sides[0].every.seeds) & set(sides[1].every.seeds))
            gains = _gains(sides[0].learned, sides[1].learned, relative=test.relative)
            wanting = [*lack_of_seeds(claim, data, pairs), *(lack for side in sides for lack in side.lacks(data))]
            if claim.seeds <= pairs and gains.size < FEWEST_TRAININGS:
                wanting.append(seeds_lack(data, FEWEST_TRAININGS, gains.size))
            if short := lack_of_budget(claim, data, (test.network, other), evidence, test.precision / 100):
                wanting.append(short)
                waits = True
            lacks += wanting
            remarks += (*remarks_on(evidence, data), *(said for side in sides for said in side.remarks(data)))
            if not wanting:
                pair = (
                    f"{test.network} over {other} on {data_words(data)} (mean gain {_gain(float(gains.mean()), test)})"
                )
                step = 1 / evidence.networks[other].correct.shape[1]
                chances[pair] = gains.size / pairs * predict_one(gains, step=step).chance_to_reach(target)
    unit = "%" if test.relative else "points"
    part = _of_chances(f"{test.points:g} {unit}", chances, lacks, remarks)
    return replace(part, not_yet=waits and part.answer is None)


def _of_chances(
    printed: str, chances: dict[str, float], lacks: list[MissingEvidence], remarks: Iterable[str]
) -> ClaimPart:
    if not chances:
        return ClaimPart(lacks=tuple(lacks), remarks=tuple(remarks))
    likeliest = max(chances, key=lambda pair: chances[pair])
    together = min(1.0, sum(chances.values()))
    text = (
        f"the likeliest to gain {printed} in a new pair of trainings is {likeliest}, "
        f"in {number(100 * chances[likeliest], 0)} of 100 cases"
    )
    if chances[likeliest] >= LEVEL:
        return ClaimPart(text, None, StatementAnswer(supports=True, p_against=1.0), (), tuple(remarks))
    answer = None if lacks else StatementAnswer(supports=False, p_against=together)
    return ClaimPart(text, None, answer, tuple(lacks), tuple(remarks))


def _gains(
    ours: NetworkEvidence, theirs: NetworkEvidence, *, relative: bool
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Top-1 of ours less theirs, or as a share of theirs, a value for each seed that both have."""
    common = [seed for seed in ours.seeds if seed in theirs.seeds]
    rows = [side.correct[[side.seeds.index(seed) for seed in common]] for side in (ours, theirs)]
    pairs = [(float(a.mean()), float(b.mean())) for a, b in zip(*rows, strict=True)]
    return np.asarray([(a - b) / max(b, 1e-9) if relative else a - b for a, b in pairs])


def _gain(value: float, test: GainsUpTo) -> str:
    return minus(f"{100 * value:+.1f} {'%' if test.relative else 'points'}")


def _single(
    evaluate: Callable[[Any, Claim, ClaimInputs], ClaimPart],
) -> Callable[[Any, Claim, ClaimInputs], list[ClaimPart]]:
    return lambda test, claim, inputs: [evaluate(test, claim, inputs)]


EVALUATORS: Final[Mapping[str, Callable[[Any, Claim, ClaimInputs], list[ClaimPart]]]] = {
    "reaches": _single(reaches_part),
    "mean_reaches": _single(mean_reaches_part),
    "stops_after": _single(stops_after_part),
    "gains_up_to": _single(gains_part),
}
