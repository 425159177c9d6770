"""A measure: what is known of a network on one data set, how it is written, and what a gate can hold of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from fbench.reports.findings.comparisons.summary import NetworkSummary
from fbench.reports.findings.gate.metrics import Better, GateMetric
from fbench.reports.formatting import MISSING, count, percent_range, significant

Medium = Literal["csv", "page", "table", "terminal"]
"""Where a measure stands: summary.csv, the page's tables, the table of plain formats, what a run prints at its end."""

EVERYWHERE: Final[tuple[Medium, ...]] = ("csv", "page", "table", "terminal")


class Range(NamedTuple):
    """An interval; NaN where it is not defined."""

    low: float
    high: float


Value = str | int | float | Range | None


def written(value: Any) -> str:
    """A value as text: whole numbers in full, others with three significant digits, intervals in per cent."""
    if isinstance(value, Range):
        return percent_range(*value)
    return value if isinstance(value, str) else count(value) if isinstance(value, int) else significant(value)


def is_missing(value: Value) -> bool:
    """Whether there is nothing to write."""
    return value is None or (isinstance(value, float) and math.isnan(value))


@dataclass(frozen=True)
class Form:
    """How a measure is headed and written in one place."""

    heading: str
    unit: str
    write: Callable[[Any], str]

    @property
    def title(self) -> str:
        """Heading and unit, where a column has one line."""
        return f"{self.heading} {self.unit}".strip()


@dataclass(frozen=True)
class Measure:
    """One quantity of a network on one data set.

    Attributes:
        name: the column of ``summary.csv``, with the unit in it; of an interval its ends have ``_low`` and ``_high``
            added.
        unit: that its numbers are written in, for a reader; empty for a count.
        heading: of its column.
        better: more of it, or less; none for what is neither.
        compute: from all that is known of the network; none where it was not measured.
        about: what trained networks do, or what they cost.
        write: the value as text, in the unit.
        shown: where it stands.
        on_terminal: its form there, if that is another one.
        if_measured: whether plain tables leave its column out where no network has a value.
        metrics: what a gate can hold of it.
    """

    name: str
    unit: str
    heading: str
    better: Better | None
    compute: Callable[[NetworkSummary], Value]
    about: Literal["quality", "cost"] = "quality"
    write: Callable[[Any], str] = written
    shown: tuple[Medium, ...] = EVERYWHERE
    on_terminal: Form | None = None
    if_measured: bool = False
    metrics: tuple[GateMetric, ...] = ()

    def form(self, medium: Medium) -> Form:
        """Heading, unit and way of writing in a place; a terminal and the page begin a heading that is no abbreviation
        in lower case."""
        if medium == "terminal" and self.on_terminal is not None:
            return self.on_terminal
        heading = self.heading
        if medium in ("page", "terminal") and heading[1:2].islower():
            heading = heading[0].lower() + heading[1:]
        return Form(heading, self.unit, self.write)

    def text(self, row: NetworkSummary, medium: Medium) -> str:
        """The value of a network as it is written in a place; a terminal leaves the cell of a missing one empty."""
        value = self.compute(row)
        if is_missing(value):
            return "" if medium == "terminal" else MISSING
        return self.form(medium).write(value)
