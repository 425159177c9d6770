"""Changes that are judged together: all conditions on all pairs, with intervals that hold for all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fbench.reports.findings.gate.change import MeasuredChange, Unknown
from fbench.reports.findings.gate.conditions import Condition
from fbench.reports.findings.gate.metrics import Asked
from fbench.reports.findings.gate.subjects import ComparedPair

ERROR: Final = 0.05
"""The probability at most that anything said of a family is otherwise in truth: each interval has its share
(Bonferroni)."""

ROUNDING: Final = 1e-12
"""105 / 100 - 1 is a little more than 0.05 in binary."""


@dataclass(frozen=True)
class Judgement:
    """What a change says of a condition: worse than allowed, better by more than that, or no worse; perhaps nothing."""

    is_worse: bool
    is_better: bool
    is_no_worse: bool


@dataclass(frozen=True)
class Reading:
    """The change of one pair in a condition's metric (on one data set, for what is trained), or why there is none.

    ``alone`` has a 95 % interval of its own, ``together`` one that holds with all others of the family.
    """

    pair: ComparedPair
    condition: Condition
    data: str
    alone: MeasuredChange | Unknown
    together: MeasuredChange | Unknown


@dataclass(frozen=True)
class GateFamily:
    """All readings, and the confidence of the intervals that hold together."""

    readings: tuple[Reading, ...]
    confidence: float


def read_alone(
    wanted: Iterable[tuple[ComparedPair, Condition]], *, other_machine: bool = False
) -> list[tuple[ComparedPair, Condition, str, MeasuredChange | Unknown]]:
    """Read every change, by data set where it has some, with a 95 % interval of its own.

    Raises:
        UserError: records that cannot be compared; the field is named.
    """
    return [
        (pair, condition, data, change)
        for pair, condition in wanted
        for data, change in condition.metric.read(pair, Asked(1 - ERROR, condition.batch_size, other_machine))
    ]


def read_family(wanted: Iterable[tuple[ComparedPair, Condition]], *, other_machine: bool = False) -> GateFamily:
    """Read every change alone and together; what has no chance in it takes no share of the error.

    Raises:
        UserError: records that cannot be compared; the field is named.
    """
    alone = read_alone(wanted, other_machine=other_machine)
    chance = sum(isinstance(change, MeasuredChange) and not change.exact for *_, change in alone)
    confidence = 1 - ERROR / max(1, chance)
    readings = []
    for pair, condition, data, change in alone:
        together = change
        if chance > 1 and isinstance(change, MeasuredChange) and not change.exact:
            asked = Asked(confidence, condition.batch_size, other_machine)
            together = dict(condition.metric.read(pair, asked))[data]
        readings.append(Reading(pair, condition, data, change, together))
    return GateFamily(tuple(readings), confidence)


def judge(change: MeasuredChange, condition: Condition) -> Judgement:
    """Hold the whole interval of a change against what the condition allows, and that of all trainings where some
    collapsed."""
    found = _judge_interval(change, condition)
    if change.with_collapsed is None:
        return found
    every = _judge_interval(change.with_collapsed, condition)
    return Judgement(
        is_worse=found.is_worse and every.is_worse,
        is_better=found.is_better and every.is_better,
        is_no_worse=found.is_no_worse and every.is_no_worse,
    )


def _judge_interval(change: MeasuredChange, condition: Condition) -> Judgement:
    least, most = sorted((condition.worsening(change.low), condition.worsening(change.high)))
    limit = condition.allowed + ROUNDING
    return Judgement(is_worse=least > limit, is_better=most < -limit, is_no_worse=most <= limit)
