"""LaTeX tables for ``\\input``: booktabs, a caption and a label each, numbers in columns of siunitx."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from fbench.reports.formatting import plural
from fbench.reports.render.latex.columns import NAME, cell, heading, prose_share, set_name, shapes
from fbench.reports.render.latex.text import escape
from fbench.reports.render.plain.model import Column, PlainReport, PlainSection, PlainTable

PACKAGES: Final = ("array", "booktabs", "graphicx", "siunitx")
LINES_OF_A_TABLE: Final = 40
"""That fit a page beside the caption; a longer table goes on in another."""

_LONGEST_TOPIC: Final = 30
_CHARACTERS: Final = 86  # of a line in the narrow text of the class article, at the size of a table
_FITTED: Final = "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%"  # long names shrink a table
_NUMBERS: Final = (
    "\\sisetup{group-digits=integer,group-minimum-digits=4,group-separator={,},input-symbols={},retain-explicit-plus}"
)


def to_latex(report: PlainReport) -> str:
    """The report's sentences and tables for ``\\input`` in a document of any class."""
    body = "\n\n".join(_section(section) for section in report.sections)
    head = [
        f"% {_comment(report.title)}",
        f"% Made with fbench; the preamble needs \\usepackage{{{','.join(PACKAGES)}}}.",
        "% Any LaTeX sets it; names in other scripts than Latin want lualatex or xelatex.",
        f"% Define {NAME} before to set the names of networks otherwise.",
        f"\\providecommand*{{{NAME}}}[1]{{\\texttt{{#1}}}}",
    ]
    return "\n".join(head) + f"\n\n{body}\n"


def _section(section: PlainSection) -> str:
    heading = f"\\par\\medskip\\noindent\\textbf{{{escape(section.heading)}}}\\par"
    paragraphs = [escape(text) for text in section.paragraphs if text]
    lists = [_list(texts) for texts in (section.cautions, section.words) if texts]
    tables = [_table(part) for table in (*section.tables, *section.folded) for part in _pages(table)]
    elsewhere = [
        f"{escape(table.caption)}: {plural(len(table.rows), 'row')} in the page." for table in section.foldable
    ]
    return "\n\n".join([heading, *paragraphs, *lists, *elsewhere, *tables])


def _list(texts: Sequence[str]) -> str:
    """An item for each text, the topic before its colon in bold."""
    items = [f"\\item {_with_topic(text)}" for text in texts]
    return "\n".join(["\\begin{itemize}", *items, "\\end{itemize}"])


def _with_topic(text: str) -> str:
    topic, colon, rest = text.partition(": ")
    return f"\\textbf{{{escape(topic)}:}} {escape(rest)}" if colon and len(topic) <= _LONGEST_TOPIC else escape(text)


def _comment(text: str) -> str:
    return " ".join(text.split())


def _pages(table: PlainTable) -> Iterator[PlainTable]:
    """The table in parts that fit a page each."""
    starts, lines = [0], 0
    for place, row in enumerate(table.rows):
        needed = _lines(row, table.columns) + (1 if _opens_group(table, place) else 0)
        if place > starts[-1] and lines + needed > LINES_OF_A_TABLE:
            starts.append(place)
            lines = 0
        lines += needed
    ends = [*starts[1:], len(table.rows)]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        yield _part(table, start, end, number)


def _opens_group(table: PlainTable, place: int) -> bool:
    return bool(table.groups) and (place == 0 or table.groups[place] != table.groups[place - 1])


def _part(table: PlainTable, start: int, end: int, number: int) -> PlainTable:
    part = replace(
        table,
        rows=table.rows[start:end],
        groups=table.groups[start:end],
        note=table.note if end == len(table.rows) else "",
    )
    if not number:
        return part
    return replace(part, caption=f"{table.caption} (continued)", label=f"{table.label}-{number + 1}")


def _lines(row: Sequence[str], columns: Sequence[Column]) -> int:
    """That a row takes, at most."""
    characters = max(1, int(_CHARACTERS * prose_share(columns)))
    prose = [cell for cell, column in zip(row, columns, strict=True) if column.kind == "prose"]
    return max((math.ceil(len(cell) / characters) for cell in prose), default=1)


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
            _NUMBERS,
            *([] if is_prose else [_FITTED]),
            *_tabular(table),
            *([] if is_prose else ["}"]),
            *([f"\\par\\smallskip\\raggedright {escape(table.note)}\\par"] if table.note else []),
            "\\end{table}",
        ]
    )


def _tabular(table: PlainTable) -> list[str]:
    columns = table.columns
    headings = [
        [heading(text, column) for text, column in zip(texts, columns, strict=True)]
        for texts in ([column.heading for column in columns], [column.unit for column in columns])
        if any(texts)
    ]
    return [
        f"\\begin{{tabular}}{{@{{}}{shapes(columns, table.rows)}@{{}}}}",
        "\\toprule",
        *(_row(words) for words in headings),
        "\\midrule",
        *_body(table),
        "\\bottomrule",
        "\\end{tabular}%",
    ]


def _body(table: PlainTable) -> Iterator[str]:
    """The rows; where they are in groups, each group below the name that it stands under."""
    is_prose = any(column.kind == "prose" for column in table.columns)
    if not table.groups:
        for place, row in enumerate(table.rows):
            yield from ("\\addlinespace",) if is_prose and place else ()
            yield _cells(row, table.columns)
        return
    pairs = zip(table.groups, table.rows, strict=True)
    for number, (name, rows) in enumerate(groupby(pairs, key=lambda pair: pair[0])):
        yield from ("\\addlinespace",) if number else ()
        yield f"\\multicolumn{{{len(table.columns)}}}{{@{{}}l}}{{{escape(table.group_heading)} {set_name(name)}:}} \\\\"
        for _, row in rows:
            yield f"\\quad {_cells(row, table.columns)}"


def _cells(row: Sequence[str], columns: Sequence[Column]) -> str:
    return _row([cell(text, column) for text, column in zip(row, columns, strict=True)])


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + " \\\\"
