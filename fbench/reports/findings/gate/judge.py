"""Does NEW do worse than BASE by more than is allowed? Failed only where the interval excludes that it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from fbench.core.errors import UserError
from fbench.reports.findings.gate.change import MeasuredChange, Unknown, Unmeasured
from fbench.reports.findings.gate.conditions import Condition
from fbench.reports.findings.gate.family import ERROR, judge, read_alone, read_family
from fbench.reports.findings.gate.subjects import ComparedPair
from fbench.reports.findings.measures.table import metrics

GateVerdict = Literal["held", "failed", "undecided"]


@dataclass(frozen=True)
class Judged:
    """One condition on one pair of networks (and one data set, for accuracy); ``why`` says what leaves it undecided."""

    pair: ComparedPair
    condition: Condition
    data: str
    change: MeasuredChange | None
    verdict: GateVerdict
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
    def undecided(self) -> bool:
        """Whether any condition is open."""
        return any(one.verdict == "undecided" for one in self.judged)

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


def judge_gate(pairs: Sequence[ComparedPair], conditions: Sequence[Condition], *, other_machine: bool = False) -> Gate:
    """Judge every condition on every pair.

    Raises:
        UserError: a condition on what one of the sides never measured, or records that cannot be compared; the field is
            named.
    """
    family = read_family([(pair, condition) for pair in pairs for condition in conditions], other_machine=other_machine)
    for one in family.readings:
        if isinstance(one.alone, Unmeasured):
            raise UserError(
                f"--fail-on {one.condition.text} cannot be held for {one.pair.label}: {one.alone.why}; measure it on "
                "both sides, leave the condition out, or name the networks that have it as PATH:NETWORK."
            )
    return Gate(
        tuple(_judged(one.pair, one.condition, one.data, one.together) for one in family.readings), family.confidence
    )


def changes_without_gate(pairs: Sequence[ComparedPair], *, other_machine: bool = False) -> Gate:
    """Every metric with its change, where nothing is held: all that could be told, with 95 % intervals of their own."""
    wanted = [(pair, Condition(metric, 0.0)) for pair in pairs for metric in metrics().values()]
    return Gate(tuple(_judged(*one) for one in read_alone(wanted, other_machine=other_machine)), 1 - ERROR)


def _judged(pair: ComparedPair, condition: Condition, data: str, found: MeasuredChange | Unknown) -> Judged:
    if isinstance(found, Unknown):
        return Judged(pair, condition, data, None, "undecided", found.why)
    judgement = judge(found, condition)
    if judgement.is_worse or judgement.is_no_worse:
        return Judged(pair, condition, data, found, "failed" if judgement.is_worse else "held")
    reason = _why_open(found, condition)
    return Judged(pair, condition, data, found, "undecided", f"{reason}; {found.decides}" if found.decides else reason)


def _why_open(found: MeasuredChange, condition: Condition) -> str:
    if not found.bounded:
        return "there are too few samples for an interval"
    alone = judge(replace(found, with_collapsed=None), condition)
    if alone.is_worse or alone.is_no_worse:
        said = "failed" if alone.is_worse else "held"
        return f"of trainings that learned it is {said}, of all trainings that is not so"
    return "both sides of the limit are possible"
