"""A report without a page: sentences and tables of finished texts, which every plain format writes in its own way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnKind = Literal["text", "number", "prose"]
"""A name or a word; a number or an interval, which stands to the right; or sentences, which need lines of their own."""


@dataclass(frozen=True)
class Column:
    """A column's heading; ``unit`` is what else a reader must know of its numbers."""

    heading: str
    unit: str = ""
    kind: ColumnKind = "number"


@dataclass(frozen=True)
class PlainTable:
    """A table whose cells are texts, already rounded.

    Attributes:
        caption: what the table shows, without its full stop.
        label: unique in a report and made of letters, digits and ``-``.
        columns: from the left.
        rows: a cell for each column.
        note: what is said below the table; perhaps empty.

    Raises:
        ValueError: a row that has not one cell for each column.
    """

    caption: str
    label: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        wrong = next((row for row in self.rows if len(row) != len(self.columns)), None)
        if wrong is not None:
            raise ValueError(
                f"A row of the table {self.label} has {len(wrong)} cells; give one for each of its "
                f"{len(self.columns)} columns."
            )


@dataclass(frozen=True)
class PlainSection:
    """A part of a report; ``cautions`` are what a reader must know before believing a number of it."""

    heading: str
    paragraphs: tuple[str, ...]
    cautions: tuple[str, ...]
    tables: tuple[PlainTable, ...]


@dataclass(frozen=True)
class PlainReport:
    """A whole report: what a plain format writes, and nothing else."""

    title: str
    sections: tuple[PlainSection, ...]
