"""Claims about accuracy: two networks on one data set, as differences for new images.

"More accurate" is supported where the difference is decided in favour, and contradicted where it is decided against or
certified to lie within the margin. "No less accurate" is supported where a loss of the margin is ruled out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fbench.ablations.claim import Claim
from fbench.ablations.claim_tests import LessAccurate, MoreAccurate, NoLessAccurate, Ordered, data_words
from fbench.benchmark.records.interim_analyses import Look
from fbench.reports.findings.claims.parts import MissingEvidence, Part, preset_words
from fbench.reports.findings.claims.pool import ClaimInputs, DataEvidence, pool
from fbench.reports.findings.comparisons.studies import seeds_to_decide
from fbench.reports.findings.origin.provenance import budget_words
from fbench.reports.formatting import listing, margin, minus, number, p_equals, plural, points_range
from fbench.statistics.comparison.networks import FEWEST_PAIRS, NetworkComparison, compare_networks
from fbench.statistics.comparison.verdict import LEVEL, Verdict, is_testable
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.seeds.power import SeedsNeeded
from fbench.statistics.statements import Answer, says_better, says_no_worse


@dataclass(frozen=True)
class Pair:
    """Two networks that are compared on a data set; ``ours`` is claimed to be the better, ``margin`` is of 1."""

    ours: str
    theirs: str
    data: str
    margin: float


@dataclass(frozen=True)
class Question:
    """What is asked of a pair: how data answer it, which verdicts of a look support it, and words for an answer that
    is no difference."""

    judge: Callable[[MeanEstimate, float], Answer]
    in_favour: tuple[Verdict, ...]
    no_difference: str


BETTER: Final = Question(says_better, ("better",), "{ours} and {theirs} are within {margin}")
NO_LOSS: Final = Question(says_no_worse, ("better", "equivalent"), "{ours} loses less than {margin} against {theirs}")


def comparison_parts(
    test: MoreAccurate | LessAccurate | Ordered | NoLessAccurate, claim: Claim, inputs: ClaimInputs
) -> list[Part]:
    """The parts of a comparison of accuracies: one for each pair and data set.

    Raises:
        UserError: two runs cannot be pooled.
    """
    reading, parts = _READINGS[test.kind], []
    for data in test.data:
        evidence = pool(inputs, data, claim.networks)
        for ours, theirs in reading.pairs(test):
            pair = Pair(ours, theirs, data, test.margin_points / 100)
            parts.append(_part(pair, claim, reading.asks, evidence, inputs))
    return parts


def what_is_absent(
    claim: Claim, data: str, networks: tuple[str, ...], evidence: DataEvidence | None, inputs: ClaimInputs
) -> Part | None:
    """The part that says which trainings there are none of, or none where both networks have some."""
    if evidence is None or any(holding.data.synthetic for holding in evidence.holdings):
        reason = f"at least {plural(claim.seeds, 'seed')} each, {preset_words(claim.preset)}"
        if any(one.data.synthetic and set(networks) & set(one.run.networks) for one in inputs.holdings):
            reason += "; those on synthetic faces, which say nothing of real ones, do not count"
        return Part(lacks=(MissingEvidence("data", data, networks, reason=reason),))
    if any(holding.evidence.split != "test" for holding in evidence.holdings):
        return Part(lacks=(MissingEvidence("test split", data),))
    absent = [name for name in networks if name not in evidence.networks]
    lacks = tuple(MissingEvidence("network", data, (name,), reason=evidence.failed.get(name, "")) for name in absent)
    return Part(lacks=lacks) if lacks else None


def shortfalls(
    claim: Claim, data: str, seeds: int, evidence: DataEvidence, *, looked: bool = False
) -> list[MissingEvidence]:
    """What the claim needs of budget and seeds and does not have.

    ``seeds`` are the trainings a side; they are enough where a look (``looked``) decided how many there are.
    """
    found = []
    if not evidence.is_long_enough(claim.preset):
        found.append(MissingEvidence("preset", data, reason=claim.preset))
    least = FEWEST_PAIRS if looked else max(claim.seeds, FEWEST_PAIRS)
    if seeds < least:
        found.append(seeds_lack(data, least, seeds))
    return found


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


def _part(pair: Pair, claim: Claim, asks: Question, evidence: DataEvidence | None, inputs: ClaimInputs) -> Part:
    absent = what_is_absent(claim, pair.data, (pair.ours, pair.theirs), evidence, inputs)
    if absent is not None or evidence is None:
        return absent or Part()
    ours, theirs = evidence.networks[pair.ours], evidence.networks[pair.theirs]
    found = compare_networks(ours.correct, theirs.correct, ours.seeds, theirs.seeds, clusters=ours.clusters)
    look = _look(evidence, pair)
    remarks = (*remarks_on(evidence, pair.data), *_of_seeds(pair, found, {*ours.seeds, *theirs.seeds}))
    if look is None and evidence.has_looks:
        remarks += (
            f"{pair.ours} and {pair.theirs} on {data_words(pair.data)} as if seeds had been fixed, though they "
            "were added until other comparisons were decided",
        )
    lacks = shortfalls(claim, pair.data, look[0].seeds if look else found.seeds, evidence, looked=look is not None)
    if ours.collapsed and theirs.collapsed:
        lack = MissingEvidence("learning", pair.data, (pair.ours, pair.theirs))
        return Part(_open_words(pair, found), None, None, (*lacks, lack), remarks)
    if lacks or not is_testable(found.new_images):
        needed = _more(pair, found, evidence) if found.seeds < claim.seeds else ()
        return Part(_open_words(pair, found), None, None, (*lacks, *needed), remarks)
    if look:
        return _of_look(pair, *look, asks, remarks)
    answer = asks.judge(found.new_images, pair.margin)
    decided = answer.supports or answer.p_against < LEVEL
    words = _decided_words(pair, found, asks, answer) if decided else _open_words(pair, found)
    more = () if answer.supports else _more(pair, found, evidence)
    return Part(words, None, answer, more, remarks)


def _of_seeds(pair: Pair, found: NetworkComparison, seeds: set[int]) -> list[str]:
    if found.pairing == "unpaired":
        return [f"{pair.ours} and {pair.theirs} unpaired, as they have fewer than two seeds in common"]
    left_out = sorted(seeds - set(found.our_seeds))
    if not left_out:
        return []
    which = listing([str(seed) for seed in left_out])
    return [f"seed {which} on {data_words(pair.data)} left out, as {pair.ours} or {pair.theirs} lacks it"]


def _look(evidence: DataEvidence, pair: Pair) -> tuple[Look, bool] | None:
    """The look at this comparison, and whether its difference is the other way round."""
    if (look := evidence.look(pair.ours, pair.theirs)) is not None:
        return look, False
    look = evidence.look(pair.theirs, pair.ours)
    return None if look is None else (look, True)


def _of_look(pair: Pair, look: Look, turned: bool, asks: Question, remarks: tuple[str, ...]) -> Part:
    """Seeds were added until decided: the verdict is the look's, as a p-value after looking would promise too much."""
    opposite = {"better": "worse", "worse": "better"}
    verdict = opposite.get(look.verdict, look.verdict) if turned else look.verdict
    word = {"better": "more accurate than", "worse": "less accurate than", "equivalent": "equivalent to"}.get(
        verdict, "undecided against"
    )
    text = f"{pair.ours} is {word} {pair.theirs} on {data_words(pair.data)} (look at {look.seeds} seeds)"
    supports = verdict in asks.in_favour
    against = 1.0 if supports or verdict == "undecided" else 0.0
    reason = f"more than the {plural(look.seeds, 'seed')} at which the looks stopped"
    lacks = (MissingEvidence("seeds", pair.data, amount=look.seeds + 1, reason=reason),)
    return Part(text, None, Answer(supports, against), () if supports else lacks, remarks)


def _decided_words(pair: Pair, found: NetworkComparison, asks: Question, answer: Answer) -> str:
    images, within = found.new_images, margin(pair.margin)
    where = f"on {data_words(pair.data)} ({_evidence(found)}"
    if images.p_value >= LEVEL:
        return f"{asks.no_difference.format(ours=pair.ours, theirs=pair.theirs, margin=within)} {where})"
    direction = "more" if images.estimate > 0 else "less"
    small = f", certainly by less than {within}" if answer.supports and images.estimate < 0 else ""
    size = number(100 * abs(images.estimate), 1)
    text = f"{pair.ours} is {size} points {direction} accurate than {pair.theirs} {where}; {p_equals(images.p_value)})"
    return text + small


def _open_words(pair: Pair, found: NetworkComparison) -> str:
    if not is_testable(found.new_images):
        return f"{pair.ours} against {pair.theirs} on {data_words(pair.data)}: one training a side"
    return f"{pair.ours} against {pair.theirs} on {data_words(pair.data)}: {_evidence(found)}"


def _evidence(found: NetworkComparison) -> str:
    return minus(f"{points_range(found.new_images.low, found.new_images.high)} points, {plural(found.seeds, 'seed')}")


def _more(pair: Pair, found: NetworkComparison, evidence: DataEvidence) -> tuple[MissingEvidence, ...]:
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
