"""LaTeX tables for ``\\input``: booktabs, a caption and a label each, numbers one below the other."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Final

from fbench.reports.render.latex.text import escape
from fbench.reports.render.plain.model import Column, PlainReport, PlainSection, PlainTable

PACKAGES: Final = ("array", "booktabs", "graphicx")
LINES_OF_A_TABLE: Final = 40
"""That fit a page beside the caption; a longer table goes on in another."""

_PROSE_WIDTH: Final = 0.39  # of the line, two columns beside a column of verdicts
_PROSE_CHARACTERS: Final = 34  # of a line in such a column, in the narrow text of the class article
_FITTED: Final = "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%"  # long names shrink a table
_DECIMAL: Final = re.compile(r"[−+]?[\d,]+(?:\.(\d+))?")


def to_latex(report: PlainReport) -> str:
    """The report's sentences and tables for ``\\input`` in a document of any class."""
    body = "\n\n".join(_section(section) for section in report.sections)
    head = [
        f"% {_comment(report.title)}",
        f"% Made with fbench, for lualatex or xelatex; the preamble needs \\usepackage{{{','.join(PACKAGES)}}}.",
    ]
    return "\n".join(head) + f"\n\n{body}\n"


def _section(section: PlainSection) -> str:
    paragraphs = [escape(text) for text in section.paragraphs if text]
    cautions = [f"\\emph{{{escape(text)}}}" for text in section.cautions]
    tables = [_table(part) for table in section.tables for part in _pages(table)]
    return "\n\n".join([f"% {_comment(section.heading)}", *paragraphs, *cautions, *tables])


def _comment(text: str) -> str:
    return " ".join(text.split())


def _pages(table: PlainTable) -> Iterator[PlainTable]:
    """The table in parts that fit a page each."""
    part: list[tuple[str, ...]] = []
    lines = number = 0
    for row in table.rows:
        needed = _lines(row, table.columns)
        if part and lines + needed > LINES_OF_A_TABLE:
            yield _part(table, part, number, note="")
            part, lines, number = [], 0, number + 1
        part.append(row)
        lines += needed
    yield _part(table, part, number, note=table.note)


def _part(table: PlainTable, rows: Sequence[tuple[str, ...]], number: int, note: str) -> PlainTable:
    if not number:
        return PlainTable(table.caption, table.label, table.columns, tuple(rows), note)
    return PlainTable(f"{table.caption} (continued)", f"{table.label}-{number + 1}", table.columns, tuple(rows), note)


def _lines(row: Sequence[str], columns: Sequence[Column]) -> int:
    """That a row takes, at most."""
    prose = [cell for cell, column in zip(row, columns, strict=True) if column.kind == "prose"]
    return max((math.ceil(len(cell) / _PROSE_CHARACTERS) for cell in prose), default=1)


def _table(table: PlainTable) -> str:
    is_prose = any(column.kind == "prose" for column in table.columns)
    return "\n".join(
        [
            "\\begin{table}[htbp]",
            "\\centering",
            f"\\caption{{{escape(table.caption)}.}}",
            f"\\label{{tab:{table.label}}}",
            "\\smallskip",
            "\\footnotesize",
            "\\setlength{\\tabcolsep}{3pt}",
            *([] if is_prose else [_FITTED]),
            *_tabular(table),
            *([] if is_prose else ["}"]),
            *([f"\\par\\smallskip {escape(table.note)}"] if table.note else []),
            "\\end{table}",
        ]
    )


def _tabular(table: PlainTable) -> list[str]:
    headings = [[escape(column.heading), escape(column.unit)] for column in table.columns]
    filled = [_aligned([row[index] for row in table.rows], column) for index, column in enumerate(table.columns)]
    between = "\n\\addlinespace\n" if any(column.kind == "prose" for column in table.columns) else "\n"
    return [
        f"\\begin{{tabular}}{{@{{}}{''.join(_shape(column) for column in table.columns)}@{{}}}}",
        "\\toprule",
        *(_row(words) for words in zip(*headings, strict=True) if any(words)),
        "\\midrule",
        between.join(_row(cells) for cells in zip(*filled, strict=True)),
        "\\bottomrule",
        "\\end{tabular}%",
    ]


def _shape(column: Column) -> str:
    shapes = {"text": "l", "number": "r", "prose": f">{{\\raggedright\\arraybackslash}}p{{{_PROSE_WIDTH}\\linewidth}}"}
    return shapes[column.kind]


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + " \\\\"


def _aligned(cells: Sequence[str], column: Column) -> list[str]:
    """The cells as LaTeX; numbers of different precision end in space for the digits that they lack."""
    if column.kind != "number":
        return [escape(cell) for cell in cells]
    most = max((len(found[1] or "") for cell in cells if (found := _DECIMAL.fullmatch(cell))), default=0)
    return [escape(cell.replace(" – ", "–")) + _lacking(cell, most) for cell in cells]


def _lacking(cell: str, most: int) -> str:
    found = _DECIMAL.fullmatch(cell)
    digits = len(found[1] or "") if found else most
    point = "." if most and not digits else ""
    return f"\\phantom{{{point}{'0' * (most - digits)}}}" if digits < most else ""
