"""Claims about accuracy: two networks on one data set, as differences for new images.

"More accurate" is supported where the difference is decided in favour, and contradicted where it is decided against or
certified to lie within the margin. "No less accurate" is supported where a loss of the margin is ruled out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from fbench.ablations.claim import Claim
from fbench.ablations.claim_tests import LessAccurate, MoreAccurate, NoLessAccurate, Ordered, data_words
from fbench.benchmark.records.interim_analyses import InterimAnalysis
from fbench.reports.findings.claims.budget import lack_of_budget
from fbench.reports.findings.claims.parts import ClaimPart, MissingEvidence, preset_words
from fbench.reports.findings.claims.pool import ClaimInputs, DataEvidence, pool
from fbench.reports.findings.comparisons.comparison import seeds_to_decide
from fbench.reports.findings.comparisons.learning import (
    LearnedComparison,
    collapsed_seeds,
    collapsed_words,
    compare_evidence,
    learned_comparison,
)
from fbench.reports.findings.origin.provenance import budget_words
from fbench.reports.formatting import count, listing, margin, minus, number, p_equals, plural, points_range
from fbench.statistics.comparison.networks import FEWEST_PAIRS, NetworkComparison
from fbench.statistics.comparison.verdict import LEVEL, Verdict, is_testable
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.seeds.power import SeedsNeeded
from fbench.statistics.statements import StatementAnswer, both_say, says_better, says_no_worse


@dataclass(frozen=True)
class ClaimPair:
    """Two networks that are compared on a data set; ``ours`` is claimed to be the better, ``margin`` is of 1."""

    ours: str
    theirs: str
    data: str
    margin: float


@dataclass(frozen=True)
class Question:
    """What is asked of a pair: how data answer it, which verdicts of an interim analysis support it, and words for an
    answer that is no difference."""

    judge: Callable[[MeanEstimate, float], StatementAnswer]
    in_favour: tuple[Verdict, ...]
    no_difference: str


BETTER: Final = Question(says_better, ("better",), "{ours} and {theirs} are within {margin}")
NO_LOSS: Final = Question(says_no_worse, ("better", "equivalent"), "{ours} loses less than {margin} against {theirs}")


def comparison_parts(
    test: MoreAccurate | LessAccurate | Ordered | NoLessAccurate, claim: Claim, inputs: ClaimInputs
) -> list[ClaimPart]:
    """The parts of a comparison of accuracies: one for each pair and data set.

    Raises:
        UserError: two runs cannot be pooled.
    """
    reading, parts = _READINGS[test.kind], []
    for data in test.data:
        evidence = pool(inputs, data, claim.networks)
        for ours, theirs in reading.pairs(test):
            pair = ClaimPair(ours, theirs, data, test.margin_points / 100)
            parts.append(_part(pair, claim, reading.asks, evidence, inputs))
    return parts


def what_is_absent(
    claim: Claim, data: str, networks: tuple[str, ...], evidence: DataEvidence | None, inputs: ClaimInputs
) -> ClaimPart | None:
    """The part that says which trainings there are none of, or none where both networks have some."""
    if evidence is None or any(holding.data.synthetic for holding in evidence.holdings):
        reason = f"at least {plural(claim.seeds, 'seed')} each, {_budget_words(claim, data)}"
        if any(one.data.synthetic and set(networks) & set(one.run.networks) for one in inputs.holdings):
            reason += "; those on synthetic faces, which say nothing of real ones, do not count"
        return ClaimPart(lacks=(MissingEvidence("data", data, networks, reason=reason),))
    if any(holding.evidence.split != "test" for holding in evidence.holdings):
        return ClaimPart(lacks=(MissingEvidence("test split", data),))
    absent = [name for name in networks if name not in evidence.networks]
    lacks = tuple(MissingEvidence("network", data, (name,), reason=evidence.failed.get(name, "")) for name in absent)
    return ClaimPart(lacks=lacks) if lacks else None


def _budget_words(claim: Claim, data: str) -> str:
    passes = claim.image_passes.get(data)
    return preset_words(claim.preset) if passes is None else f"{count(passes)} image passes on {data_words(data)}"


def lack_of_seeds(claim: Claim, data: str, seeds: int, *, analysed: bool = False) -> list[MissingEvidence]:
    """What the claim needs of seeds and does not have.

    ``seeds`` are the trainings a side; they are enough where an interim analysis (``analysed``) decided how many there
    are.
    """
    least = FEWEST_PAIRS if analysed else max(claim.seeds, FEWEST_PAIRS)
    return [seeds_lack(data, least, seeds)] if seeds < least else []


def seeds_lack(data: str, wanted: int, have: int, about: str = "") -> MissingEvidence:
    """That more trainings are wanted."""
    return MissingEvidence("seeds", data, amount=wanted, reason=f"{about}{plural(wanted, 'seed')} each ({have} so far)")


def remarks_on(evidence: DataEvidence, data: str) -> tuple[str, ...]:
    """What a reader must know of trials: protocol and budget, and whether the test set chose the epoch."""
    config = evidence.holdings[0].run.config
    own = (
        f"{data_words(data)} under the protocol {config.protocol.name}, {budget_words(config.budget, config.protocol)}"
    )
    return (own, *([f"selected on the test set of {data_words(data)}"] if evidence.selected_on_test else []))


def _before_others(test: MoreAccurate | NoLessAccurate) -> list[tuple[str, str]]:
    return [(test.network, other) for other in test.than]


def _behind_others(test: LessAccurate) -> list[tuple[str, str]]:
    return [(other, test.network) for other in test.than]


def _neighbours(test: Ordered) -> list[tuple[str, str]]:
    return list(zip(test.networks[:-1], test.networks[1:], strict=True))


def _part(
    pair: ClaimPair, claim: Claim, asks: Question, evidence: DataEvidence | None, inputs: ClaimInputs
) -> ClaimPart:
    absent = what_is_absent(claim, pair.data, (pair.ours, pair.theirs), evidence, inputs)
    if absent is not None or evidence is None:
        return absent or ClaimPart()
    ours, theirs = evidence.networks[pair.ours], evidence.networks[pair.theirs]
    analysis = _analyse(evidence, pair)
    used_seeds = {*ours.seeds, *theirs.seeds} if analysis is None else range(analysis[0].seeds)
    sides = ours.of_seeds(used_seeds), theirs.of_seeds(used_seeds)
    learned = None if analysis and analysis[0].learned_pairs is None else learned_comparison(*sides)
    found = learned.learned if learned else compare_evidence(*sides)
    collapsed = collapsed_seeds(sides) if learned else set()
    seeds = {seed for side in sides for seed in side.seeds} - collapsed
    remarks = (*remarks_on(evidence, pair.data), *_of_seeds(pair, found, seeds))
    if learned:
        remarks += (f"the means on {data_words(pair.data)} are {collapsed_words(learned, pair.ours, pair.theirs)}",)
    if analysis is None and evidence.has_analyses:
        remarks += (
            f"{pair.ours} and {pair.theirs} on {data_words(pair.data)} as if seeds had been fixed, though they "
            "were added until other comparisons were decided",
        )
    used = analysis[0].seeds if analysis else learned.every.seeds if learned else found.seeds
    lacks = lack_of_seeds(claim, pair.data, used, analysed=analysis is not None)
    short = lack_of_budget(claim, pair.data, (pair.ours, pair.theirs), evidence, pair.margin)
    if ours.collapsed and theirs.collapsed:
        lack = MissingEvidence("learning", pair.data, (pair.ours, pair.theirs))
        return ClaimPart(_open_words(pair, found), None, None, (*lacks, lack), remarks)
    if lacks or not is_testable(found.new_images):
        needed = _more(pair, found, evidence) if found.seeds < claim.seeds else ()
        lacks = [*lacks, *([short] if short else [])]
        return ClaimPart(_open_words(pair, found), None, None, (*lacks, *needed), remarks, not_yet=short is not None)
    if analysis:
        part = _of_analysis(pair, *analysis, _answer(pair, found, learned, asks))
    else:
        part = _of_all_seeds(pair, found, learned, asks, evidence)
    part = replace(part, remarks=remarks)
    return part if short is None else at_this_budget(part, short)


def at_this_budget(part: ClaimPart, short: MissingEvidence) -> ClaimPart:
    """What a part shows at a budget that does not decide it."""
    return ClaimPart(f"at this budget {part.text}", None, None, (short,), part.remarks, not_yet=True)


def _of_all_seeds(
    pair: ClaimPair,
    found: NetworkComparison,
    learned: LearnedComparison | None,
    asks: Question,
    evidence: DataEvidence,
) -> ClaimPart:
    answer = _answer(pair, found, learned, asks)
    decided = answer.supports or answer.p_against < LEVEL
    words = _decided_words(pair, found, asks, answer) if decided else _open_words(pair, found)
    return ClaimPart(words, None, answer, () if answer.supports else _more(pair, found, evidence))


def _answer(
    pair: ClaimPair, found: NetworkComparison, learned: LearnedComparison | None, asks: Question
) -> StatementAnswer:
    """Of the trainings that learned; where any collapsed, what the means with them say too."""
    answer = asks.judge(found.new_images, pair.margin)
    return both_say(answer, asks.judge(learned.every.new_images, pair.margin)) if learned else answer


def _of_seeds(pair: ClaimPair, found: NetworkComparison, seeds: set[int]) -> list[str]:
    if found.pairing == "unpaired":
        return [f"{pair.ours} and {pair.theirs} unpaired, as they have less than two thirds of their seeds in common"]
    left_out = sorted(seeds - set(found.our_seeds))
    if not left_out:
        return []
    which = listing([str(seed) for seed in left_out])
    return [f"seed {which} on {data_words(pair.data)} left out, as {pair.ours} or {pair.theirs} lacks it"]


def _analyse(evidence: DataEvidence, pair: ClaimPair) -> tuple[InterimAnalysis, bool] | None:
    """The interim analysis of this comparison, and whether its difference is the other way round."""
    if (analysis := evidence.analysis(pair.ours, pair.theirs)) is not None:
        return analysis, False
    analysis = evidence.analysis(pair.theirs, pair.ours)
    return None if analysis is None else (analysis, True)


def _of_analysis(pair: ClaimPair, analysis: InterimAnalysis, turned: bool, answer: StatementAnswer) -> ClaimPart:
    """Seeds were added until decided: what was seen at the interim analysis that stopped, at the level that it may
    spend.

    The claim's own margin decides, as the study's may be another. p-values are those of the analysis over its share of
    the level, so that they stand beside those of one analysis.
    """
    share = LEVEL / min(analysis.different_level, analysis.equivalent_level)
    against, p_for = (
        min(1.0, share * answer.p_against),
        min(1.0, share * (1.0 if answer.p_for is None else answer.p_for)),
    )
    answer = StatementAnswer(p_for < LEVEL, 1.0 if p_for < LEVEL else against, p_for)
    verdict = (
        {"better": "worse", "worse": "better"}.get(analysis.verdict, analysis.verdict) if turned else analysis.verdict
    )
    word = {"better": "more accurate than", "worse": "less accurate than", "equivalent": "equivalent to"}.get(
        verdict, "undecided against"
    )
    text = (
        f"{pair.ours} is {word} {pair.theirs} on {data_words(pair.data)} (interim analysis at {analysis.seeds} seeds)"
    )
    reason = f"more than the {plural(analysis.seeds, 'seed')} at which the interim analyses stopped"
    lacks = (MissingEvidence("seeds", pair.data, amount=analysis.seeds + 1, reason=reason),)
    return ClaimPart(text, None, answer, () if answer.supports else lacks)


def _decided_words(pair: ClaimPair, found: NetworkComparison, asks: Question, answer: StatementAnswer) -> str:
    images, within = found.new_images, margin(pair.margin)
    where = f"on {data_words(pair.data)} ({_evidence(found)}"
    if images.p_value >= LEVEL:
        return f"{asks.no_difference.format(ours=pair.ours, theirs=pair.theirs, margin=within)} {where})"
    direction = "more" if images.estimate > 0 else "less"
    small = f", certainly by less than {within}" if answer.supports and images.estimate < 0 else ""
    size = number(100 * abs(images.estimate), 1)
    p_value = f"{p_equals(images.p_value)} for itself"
    text = f"{pair.ours} is {size} points {direction} accurate than {pair.theirs} {where}; {p_value})"
    return text + small


def _open_words(pair: ClaimPair, found: NetworkComparison) -> str:
    if not is_testable(found.new_images):
        return f"{pair.ours} against {pair.theirs} on {data_words(pair.data)}: one training a side"
    return f"{pair.ours} against {pair.theirs} on {data_words(pair.data)}: {_evidence(found)}"


def _evidence(found: NetworkComparison) -> str:
    return minus(f"{points_range(found.new_images.low, found.new_images.high)} points, {plural(found.seeds, 'seed')}")


def _more(pair: ClaimPair, found: NetworkComparison, evidence: DataEvidence) -> tuple[MissingEvidence, ...]:
    """What would decide it, if the true difference is the one seen; known only of pairs of seeds."""
    ours, theirs = evidence.networks[pair.ours], evidence.networks[pair.theirs]
    needed = seeds_to_decide(ours, theirs, found, pair.margin, LEVEL)
    return (_lack_of(needed, pair.data, found.seeds),) if needed else ()


def _lack_of(needed: SeedsNeeded, data: str, have: int) -> MissingEvidence:
    if needed.seeds is None:
        return MissingEvidence("images", data, amount=needed.images or 0)
    return seeds_lack(data, needed.seeds, have, "about ")


@dataclass(frozen=True)
class _Reading:
    """A kind of test: the pairs that it compares, the better network first, and what it asks of each."""

    pairs: Callable[[Any], Sequence[tuple[str, str]]]
    asks: Question


_READINGS: Final[Mapping[str, _Reading]] = {
    "more_accurate": _Reading(_before_others, BETTER),
    "less_accurate": _Reading(_behind_others, BETTER),
    "ordered": _Reading(_neighbours, BETTER),
    "no_less_accurate": _Reading(_before_others, NO_LOSS),
}

EVALUATORS: Final = dict.fromkeys(_READINGS, comparison_parts)
