"""Does NEW do worse than BASE by more than is allowed? Failed only where the interval excludes that it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from fbench.reports.findings.measures.table import metrics
from fbench.reports.gate.change import Change, Unknown
from fbench.reports.gate.conditions import Condition
from fbench.reports.gate.metrics import Asked
from fbench.reports.gate.subjects import Pair

ERROR: Final = 0.05
"""The probability at most that a gate fails, or passes a condition, though the truth is otherwise: of all its
conditions together, each interval having its share (Bonferroni)."""

ROUNDING: Final = 1e-12
"""105 / 100 - 1 is a little more than 0.05 in binary."""

Verdict = Literal["held", "failed", "undecided"]


@dataclass(frozen=True)
class Judged:
    """One condition on one pair of networks (and one data set, for accuracy); ``why`` says what leaves it undecided."""

    pair: Pair
    condition: Condition
    data: str
    change: Change | None
    verdict: Verdict
    why: str = ""


@dataclass(frozen=True)
class Gate:
    """All conditions, and the confidence of each of their intervals."""

    judged: tuple[Judged, ...]
    confidence: float

    @property
    def failed(self) -> bool:
        """Whether any condition failed."""
        return any(one.verdict == "failed" for one in self.judged)

    @property
    def summary(self) -> str:
        """How many conditions came out how, and what that means."""
        held, undecided, failed = (
            sum(one.verdict == verdict for one in self.judged) for verdict in ("held", "undecided", "failed")
        )
        return (
            f"{held} held, {undecided} undecided, {failed} failed; only what failed is beyond what is allowed by more "
            f"than chance ({100 * ERROR:g} % for all conditions together)."
        )


def judge_gate(pairs: Sequence[Pair], conditions: Sequence[Condition], *, other_machine: bool = False) -> Gate:
    """Judge every condition on every pair.

    Raises:
        UserError: records that cannot be compared; the field is named.
    """
    first = _read(pairs, conditions, 1 - ERROR, other_machine=other_machine)
    chance = sum(isinstance(found, Change) and not found.exact for *_, found in first)
    confidence = 1 - ERROR / max(1, chance)
    found = _read(pairs, conditions, confidence, other_machine=other_machine) if chance > 1 else first
    return Gate(tuple(_judged(*one) for one in found), confidence)


def changes_without_gate(pairs: Sequence[Pair], *, other_machine: bool = False) -> Gate:
    """Every metric with its change, where nothing is held: all that could be told, with 95 % intervals of their own."""
    conditions = [Condition(metric, 0.0) for metric in metrics().values()]
    found = _read(pairs, conditions, 1 - ERROR, other_machine=other_machine)
    return Gate(tuple(_judged(*one) for one in found), 1 - ERROR)


def _read(
    pairs: Sequence[Pair], conditions: Sequence[Condition], confidence: float, *, other_machine: bool
) -> list[tuple[Pair, Condition, str, Change | Unknown]]:
    return [
        (pair, condition, data, change)
        for pair in pairs
        for condition in conditions
        for data, change in condition.metric.read(pair, Asked(confidence, condition.batch_size, other_machine))
    ]


def _judged(pair: Pair, condition: Condition, data: str, found: Change | Unknown) -> Judged:
    if isinstance(found, Unknown):
        return Judged(pair, condition, data, None, "undecided", found.why)
    worst, best = sorted((condition.worsening(found.high), condition.worsening(found.low)), reverse=True)
    if best > condition.allowed + ROUNDING:
        return Judged(pair, condition, data, found, "failed")
    if worst <= condition.allowed + ROUNDING:
        return Judged(pair, condition, data, found, "held")
    reason = "both sides of the limit are possible" if found.bounded else "there are too few samples for an interval"
    return Judged(pair, condition, data, found, "undecided", f"{reason}; {found.decides}" if found.decides else reason)
