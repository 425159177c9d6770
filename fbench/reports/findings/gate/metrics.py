"""A metric: something that two networks are held against each other by, and how its change is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from fbench.reports.findings.gate.change import MeasuredChange, Unknown
from fbench.reports.findings.gate.subjects import ComparedPair

Better = Literal["more", "less"]
RestsOn = Literal["counts", "measurements", "trials"]
"""What a change is read from: counts of the networks, measurements of cost, or trained networks."""


@dataclass(frozen=True)
class Asked:
    """How a change is wanted: at one batch size where that is said, with an interval of this confidence, and whether
    measurements of different machines may be held against each other."""

    confidence: float
    batch_size: int | None = None
    other_machine: bool = False


ReadChange = Callable[[ComparedPair, Asked], Sequence[tuple[str, MeasuredChange | Unknown]]]
"""The change of a pair; of what is trained one for each data set in common, with its name (else an empty one)."""


@dataclass(frozen=True)
class GateMetric:
    """What a gate can hold.

    Attributes:
        name: as it is given on the command line.
        says: what it is, in words.
        read: how a change of it is read.
        rests_on: what it is read from.
        better: more of it, or less.
        unit: of changes: ``%`` for shares of the base, ``pt`` for fractions of 1 (0.01 is a point).
        by_batch: whether a batch size may be asked for.
    """

    name: str
    says: str
    read: ReadChange
    rests_on: RestsOn
    better: Better = "less"
    unit: Literal["%", "pt"] = "%"
    by_batch: bool = False
