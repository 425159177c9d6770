"""The columns of a table: names in a type of their own, numbers in columns of siunitx, one decimal point below the
other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from fbench.reports.render.latex.text import escape
from fbench.reports.render.plain.model import Column, ColumnKind

NAME: Final = "\\fbenchname"
"""The command that sets a network's name: a document that defines it first has its own names in every table."""

_SHARES: Final[dict[ColumnKind, float]] = {"name": 0.16, "text": 0.16, "number": 0.08, "range": 0.14}
"""Of the line, beside columns of sentences, which have the rest."""
_BETWEEN: Final = 0.02  # of the line, two columns with 3 pt on either side
_NAME_WIDTH: Final = 0.3
_LONGEST_NAME: Final = 32
"""Letters of a name that still stands on one line."""

_NUMBER: Final = re.compile(r"([−+]?)([\d,]+)(?:\.(\d+))?")
_PARAGRAPH: Final = ">{{\\raggedright\\arraybackslash}}p{{{}\\linewidth}}"


def shapes(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """The head of a ``tabular``; where a column is of sentences, words beside it are broken too."""
    prose = prose_share(columns)
    cells = [[row[place] for row in rows] for place in range(len(columns))]
    return "".join(_shape(*one, prose) for one in zip(columns, cells, strict=True))


def prose_share(columns: Sequence[Column]) -> float:
    """The part of the line that each column of sentences takes; 0 where there is none."""
    others = sum(_SHARES[column.kind] for column in columns if column.kind != "prose")
    amount = sum(column.kind == "prose" for column in columns)
    return (1 - others - _BETWEEN * (len(columns) - 1)) / amount if amount else 0


def _shape(column: Column, cells: Sequence[str], prose: float) -> str:
    if column.kind == "number":
        return f"S[table-format={_number_format(cells)}]"
    if column.kind == "prose":
        return _PARAGRAPH.format(f"{prose:.3f}")
    if column.kind == "name" and not prose and max(map(len, cells), default=0) > _LONGEST_NAME:
        return _PARAGRAPH.format(_NAME_WIDTH)
    if column.kind in ("name", "text") and prose:
        return _PARAGRAPH.format(_SHARES[column.kind])
    return "r" if column.kind == "range" else "l"


def heading(text: str, column: Column) -> str:
    """A heading; above numbers in braces, so that siunitx reads none in it."""
    words = escape(text)
    return f"{{{words}}}" if column.kind == "number" else words


def cell(text: str, column: Column) -> str:
    """A cell as LaTeX."""
    if column.kind == "name":
        return set_name(text)
    if column.kind == "number":
        found = _NUMBER.fullmatch(text)
        return text.replace("−", "-").replace(",", "") if found else f"{{{escape(text)}}}"
    return escape(text.replace(" – ", "–")) if column.kind == "range" else escape(text)


def set_name(name: str) -> str:
    """The name of a network."""
    return f"{NAME}{{{escape(name)}}}"


def _number_format(cells: Sequence[str]) -> str:
    """Room for the longest number on either side of the decimal point, and for a sign where one has it."""
    found = [match for text in cells if (match := _NUMBER.fullmatch(text))]
    sign = "+" if any(match[1] for match in found) else ""
    before = max((len(match[2].replace(",", "")) for match in found), default=1)
    after = max((len(match[3] or "") for match in found), default=0)
    return f"{sign}{before}.{after}"
