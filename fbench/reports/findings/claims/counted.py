"""Claims about sizes: exact counts decide them, and no training is needed.

The counts are those of the contract, at 1x48x48 and 7 classes, as in the papers; for a network that no contract has,
those of a run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from fbench.ablations.claim import Claim
from fbench.ablations.claim_tests import COUNT_WORDS, Count, CountIs, CountRatio, CountReduction, CountTest, Fewer
from fbench.architectures.contract import Counts
from fbench.reports.findings.claims.parts import ClaimPart, MissingEvidence
from fbench.reports.findings.claims.pool import ClaimInputs
from fbench.reports.formatting import count, listing, number


def count_parts(test: CountTest, claim: Claim, inputs: ClaimInputs) -> list[ClaimPart]:
    """The one part of a test of counts."""
    return [count_part(test, inputs.counts)]


def count_part(test: CountTest, counts: Mapping[str, Counts]) -> ClaimPart:
    """The outcome of a test of counts; undecided where a count is not known and those known do not contradict it.

    Args:
        test: what is claimed.
        counts: by network.
    """
    named = test.networks_named
    unknown = tuple(name for name in named if name not in counts)
    lacking = ClaimPart(lacks=(MissingEvidence("counts", networks=unknown),))
    if test.network in unknown or len(unknown) == len(named) - 1 > 0:
        return lacking
    values = {name: _value(counts[name], test.count) for name in named if name in counts}
    found = _READINGS[test.kind](test, values.pop(test.network), values)
    return lacking if unknown and found.settled == "supported" else found


def _as_printed(test: CountIs, ours: int, others: Mapping[str, int]) -> ClaimPart:
    text = f"{test.network} has {count(ours)} {COUNT_WORDS[test.count]}"
    return _settled(text, holds=_rounds_to(ours, test.value, test.precision))


def _reductions(test: CountReduction, ours: int, others: Mapping[str, int]) -> ClaimPart:
    words, reductions = COUNT_WORDS[test.count], {name: 100 * (1 - ours / value) for name, value in others.items()}
    low, high = test.low_percent - test.precision / 2, test.high_percent + test.precision / 2
    changes = [
        f"{number(abs(share), 1)} % {_direction(share)} {words} than {name}" for name, share in reductions.items()
    ]
    text = f"{test.network} has {listing([changes[0], *(change.replace(f' {words}', '') for change in changes[1:])])}"
    return _settled(text, holds=all(low <= share <= high for share in reductions.values()))


def _fewer(test: Fewer, ours: int, others: Mapping[str, int]) -> ClaimPart:
    nearest = min(others, key=lambda name: others[name])
    rival = nearest if len(test.than) == 1 else f"the smallest of the others, {nearest},"
    text = f"{test.network} has {count(ours)} {COUNT_WORDS[test.count]}; {rival} has {count(others[nearest])}"
    return _settled(text, holds=ours < others[nearest])


def _ratios(test: CountRatio, ours: int, others: Mapping[str, int]) -> ClaimPart:
    ratios = {name: value / ours for name, value in others.items()}
    if test.reading == "up_to":
        largest = max(ratios, key=lambda name: ratios[name])
        ratios = {f"{largest}, the largest,": ratios[largest]}
    shown = listing([f"{name} has {number(ratio, 2)} times" for name, ratio in ratios.items()])
    text = f"{shown} the {COUNT_WORDS[test.count]} of {test.network}"
    return _settled(text, holds=all(_rounds_to(ratio, test.times, test.precision) for ratio in ratios.values()))


def _settled(text: str, *, holds: bool) -> ClaimPart:
    return ClaimPart(text=text, settled="supported" if holds else "contradicted")


def _direction(reduction: float) -> str:
    return "fewer" if reduction >= 0 else "more"


def _value(counts: Counts, what: Count) -> int:
    return int(getattr(counts, what))


def _rounds_to(value: float, printed: float, precision: float) -> bool:
    """Whether the value, at the printed precision, is the printed one."""
    return abs(value - printed) <= precision / 2


_READINGS: Final[Mapping[str, Callable[[Any, int, Mapping[str, int]], ClaimPart]]] = {
    "fewer": _fewer,
    "count_is": _as_printed,
    "count_ratio": _ratios,
    "count_reduction": _reductions,
}
"""By kind of test: what the network's count, and those of the known others by name, say."""

EVALUATORS: Final = dict.fromkeys(_READINGS, count_parts)
