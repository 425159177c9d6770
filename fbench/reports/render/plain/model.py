"""A report without a page: sentences and tables of finished texts, which every plain format writes in its own way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnKind = Literal["name", "text", "number", "range", "prose"]
"""The name of a network; a word; a number, perhaps missing; an interval, which stands to the right like a number but is
none; or sentences, which need lines of their own."""


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
        group_heading: what the names of ``groups`` are, such as ``Against``; empty where rows are in no groups.
        groups: for each row the name that it stands under, rows of one name together.
        title: a word or two for a table that is folded away; empty: its caption.

    Raises:
        ValueError: a row that has not one cell for each column, or groups that are not one for each row.
    """

    caption: str
    label: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    group_heading: str = ""
    groups: tuple[str, ...] = ()
    title: str = ""

    def __post_init__(self) -> None:
        wrong = next((row for row in self.rows if len(row) != len(self.columns)), None)
        if wrong is not None:
            raise ValueError(
                f"A row of the table {self.label} has {len(wrong)} cells; give one for each of its "
                f"{len(self.columns)} columns."
            )
        if self.groups and len(self.groups) != len(self.rows):
            raise ValueError(
                f"The table {self.label} has {len(self.groups)} groups for {len(self.rows)} rows; give one for each."
            )


@dataclass(frozen=True)
class PlainSection:
    """A part of a report, the answer first.

    Attributes:
        heading: of the part.
        paragraphs: the answer, in sentences.
        cautions: what a reader must know before believing a number of it.
        tables: what shows the answer.
        words: sentences for who wants to know more.
        folded: tables for who wants to know more, which a form that can fold them shows closed.
        foldable: tables that are long and settle nothing: only a form that can fold them has them.
    """

    heading: str
    paragraphs: tuple[str, ...]
    cautions: tuple[str, ...]
    tables: tuple[PlainTable, ...]
    words: tuple[str, ...] = ()
    folded: tuple[PlainTable, ...] = ()
    foldable: tuple[PlainTable, ...] = ()


@dataclass(frozen=True)
class PlainReport:
    """A whole report: what a plain format writes, and nothing else."""

    title: str
    sections: tuple[PlainSection, ...]
