"""Claims about single trainings: a printed accuracy, the largest gain, and the gap between training and test."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np

from fbench.ablations.claim import Claim
from fbench.ablations.claim_tests import GainsUpTo, OverfitsLess, Reaches, data_words
from fbench.reports.findings.claims.accuracy import remarks_on, seeds_lack, shortfalls, what_is_absent
from fbench.reports.findings.claims.parts import ClaimPart, MissingEvidence
from fbench.reports.findings.claims.pool import ClaimInputs, DataEvidence, pool
from fbench.reports.findings.comparisons.evidence import NetworkEvidence
from fbench.reports.formatting import minus, number, percent, plural, points_range
from fbench.statistics.comparison.verdict import LEVEL
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.prediction import FEWEST_TRAININGS, predict_one
from fbench.statistics.seeds.power import VarianceComponents, seeds_needed
from fbench.statistics.statements import StatementAnswer, over_seeds, says_better

_IMAGES_WITHOUT_CHANCE: Final = 1_000_000_000
"""So many that none of the chance is theirs: a gap is one of these images."""

WHAT_IT_IS = "one number without a spread, as a rule picked on the test set"


def reaches_part(test: Reaches, claim: Claim, inputs: ClaimInputs) -> ClaimPart:
    """Whether a single new training on this test set would have the printed accuracy.

    Contradicted where the number lies above what 95 of 100 new trainings stay below. A budget shorter than the claim's
    may support it, as more training would do so too, but not contradict it.

    Raises:
        UserError: two runs cannot be pooled.
    """
    evidence = pool(inputs, test.data, claim.networks)
    absent = what_is_absent(claim, test.data, (test.network,), evidence, inputs)
    if absent is not None or evidence is None:
        return absent or ClaimPart()
    accuracies = evidence.networks[test.network].correct.mean(axis=1)
    remarks, where = remarks_on(evidence, test.data), f"{test.network} on {data_words(test.data)}"
    seeds = plural(accuracies.size, "seed")
    short = [lack for lack in shortfalls(claim, test.data, accuracies.size, evidence) if lack.kind == "preset"]
    least = max(claim.seeds, FEWEST_TRAININGS)
    too_few = [seeds_lack(test.data, least, accuracies.size)] if accuracies.size < least else []
    if too_few:
        text = f"{where} has {percent(float(accuracies.mean()))} % in the mean of {seeds}"
        return ClaimPart(text, None, None, (*short, *too_few), remarks)
    found = predict_one(accuracies, step=1 / evidence.networks[test.network].correct.shape[1])
    chance = found.chance_to_reach((test.percent - test.precision / 2) / 100)
    printed, mean = f"{test.percent:g} %", f"mean {percent(found.mean)} %, {seeds}"
    if chance >= LEVEL:
        share = f"in {number(100 * chance, 0)} of 100 cases"
        text = f"a new training of {where} has {printed} or more {share} ({mean}); {printed} is {WHAT_IT_IS}"
        return ClaimPart(text, None, StatementAnswer(supports=True, p_against=1.0), (), remarks)
    bound = f"stays below {percent(found.upper)} % in 95 of 100 cases"
    text = f"a new training of {where} {bound} ({mean}); {printed} is {WHAT_IT_IS}"
    return ClaimPart(
        text, None, None if short else StatementAnswer(supports=False, p_against=chance), tuple(short), remarks
    )


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
    for data in test.data:
        evidence = pool(inputs, data, claim.networks)
        for other in test.than:
            absent = what_is_absent(claim, data, (test.network, other), evidence, inputs)
            if absent is not None or evidence is None:
                lacks += absent.lacks if absent else ()
                continue
            gains = _gains(evidence.networks[test.network], evidence.networks[other])
            short = shortfalls(claim, data, gains.size, evidence)
            if claim.seeds <= gains.size < FEWEST_TRAININGS:
                short.append(seeds_lack(data, FEWEST_TRAININGS, gains.size))
            lacks += short
            remarks += remarks_on(evidence, data)
            if not short:
                pair = f"{test.network} over {other} on {data_words(data)} (mean gain {_points(gains.mean())})"
                step = 1 / evidence.networks[other].correct.shape[1]
                chances[pair] = predict_one(gains, step=step).chance_to_reach(target)
    return _of_chances(f"{test.points:g} points", chances, lacks, remarks)


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


def _gap_part(test: OverfitsLess, other: str, data: str, claim: Claim, evidence: DataEvidence) -> ClaimPart:
    ours, theirs = (_gaps(evidence.networks[name]) for name in (test.network, other))
    common = sorted(ours.keys() & theirs.keys())
    remarks = remarks_on(evidence, data)
    lacks = shortfalls(claim, data, len(common), evidence)
    where, margin = f"than that of {other} on {data_words(data)}", test.margin_points / 100
    if len(common) < 2:
        return ClaimPart("", None, None, tuple(lacks or [seeds_lack(data, 2, len(common))]), remarks)
    smaller = np.array([theirs[seed] - ours[seed] for seed in common])
    images = evidence.networks[other].correct.shape[1]
    found = over_seeds(smaller, step=1 / images)
    size, direction = number(100 * abs(found.estimate), 1), "smaller" if found.estimate >= 0 else "larger"
    spread = minus(f"{points_range(found.low, found.high)} points over {plural(len(common), 'seed')}")
    text = f"the gap of {test.network} from training to test top-1 is {size} points {direction} {where} ({spread})"
    if not any(over_seeds([gaps[seed] for seed in common], step=1 / images).low > 0 for gaps in (ours, theirs)):
        lacks.append(MissingEvidence("over-fitting", data, (test.network, other)))
    if lacks:
        return ClaimPart(text, None, None, tuple(lacks), remarks)
    answer = says_better(found, margin)
    more = () if answer.supports else _more(smaller, found, margin, data)
    return ClaimPart(text, None, answer, more, remarks)


def _more(
    values: np.ndarray[tuple[int], np.dtype[np.float64]], found: MeanEstimate, margin: float, data: str
) -> tuple[MissingEvidence, ...]:
    """Seeds that would decide it; with one value per seed, the images have no part in the chance."""
    seeds_only = VarianceComponents(seed=float(values.var(ddof=1)), image=0.0, residual=0.0)
    more = values.size + 1
    needed = seeds_needed(seeds_only, _IMAGES_WITHOUT_CHANCE, found.estimate, margin, LEVEL, at_least=more).seeds
    return (seeds_lack(data, needed, values.size, "about "),) if needed else ()


def _gains(ours: NetworkEvidence, theirs: NetworkEvidence) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Top-1 of ours less theirs, a value for each seed that both have."""
    common = [seed for seed in ours.seeds if seed in theirs.seeds]
    rows = [side.correct[[side.seeds.index(seed) for seed in common]] for side in (ours, theirs)]
    return np.asarray([float(a.mean()) - float(b.mean()) for a, b in zip(*rows, strict=True)])


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


def _points(value: float) -> str:
    return minus(f"{100 * value:+.1f} points")


def _reaches_parts(test: Reaches, claim: Claim, inputs: ClaimInputs) -> list[ClaimPart]:
    return [reaches_part(test, claim, inputs)]


def _gains_parts(test: GainsUpTo, claim: Claim, inputs: ClaimInputs) -> list[ClaimPart]:
    return [gains_part(test, claim, inputs)]


EVALUATORS: Final[Mapping[str, Callable[[Any, Claim, ClaimInputs], list[ClaimPart]]]] = {
    "reaches": _reaches_parts,
    "gains_up_to": _gains_parts,
    "overfits_less": overfitting_parts,
}
