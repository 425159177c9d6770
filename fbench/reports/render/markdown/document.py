"""GitHub-flavoured Markdown, short enough for a comment on GitHub."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from fbench.reports.formatting import listing, plural
from fbench.reports.render.plain.model import Column, PlainReport, PlainSection, PlainTable

MOST_CHARACTERS: Final = 65_535
"""That GitHub takes in a comment."""

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>|~&$])")
_OPENS_A_LINK: Final = re.compile(r"([@#])(?=\w)")
_OPENS_A_BLOCK: Final = re.compile(r"^(\d*)([-+#.)=])")

_TO_THE_RIGHT: Final = ("number", "range")


class _Block(NamedTuple):
    text: str
    is_table: bool = False
    is_heading: bool = False


def to_markdown(report: PlainReport, most_characters: int = MOST_CHARACTERS, pages: Sequence[str] = ()) -> str:
    """The report as Markdown for a pull request: answers and ablations first, then where the whole report lies, then
    everything else, folded.

    Args:
        report: what it says.
        most_characters: of the text; tables at its end that do not fit are left out and counted in its last line.
        pages: where the whole report lies, in words: a link would lead nowhere from a comment.
    """
    blocks = [_Block(f"## {escape(report.title)}", is_heading=True)]
    shown = [section for section in report.sections if section.tables or section.cautions]
    for section in shown:
        blocks += _answer_blocks(section)
    if pages:
        blocks.append(_Block(f"The full report: {escape(listing(pages))}"))
    for section in report.sections:
        if section not in shown:
            blocks += _answer_blocks(section)
        blocks += _folded_blocks(section, several=len(shown) > 1)
    text = _join(blocks)
    if len(text) <= most_characters:
        return text
    kept = len(blocks)
    while kept and len(text) > most_characters:
        kept -= 1
        while kept and blocks[kept - 1].is_heading:
            kept -= 1
        tables = sum(block.is_table for block in blocks[kept:])
        text = _join([*blocks[:kept], _Block(_left_out(tables, most_characters))])
    return text


def escape(text: str) -> str:
    """A text of which no character means anything to Markdown, on one line; nobody is mentioned, no issue linked."""
    flat = " ".join(text.split())
    return _OPENS_A_LINK.sub(r"\1<!-- -->", _SPECIAL.sub(r"\\\1", flat))


def _answer_blocks(section: PlainSection) -> list[_Block]:
    blocks = [_Block(f"### {escape(section.heading)}", is_heading=True)]
    blocks += [
        _Block(f"**{_paragraph(text)}**" if section.tables and not place else _paragraph(text))
        for place, text in enumerate(section.paragraphs)
        if text
    ]
    if section.cautions:
        lines = "\n".join(f"> - {_paragraph(text)}" for text in section.cautions)
        blocks.append(_Block(f"> [!WARNING]\n{lines}"))
    blocks += [_Block(_table(table), is_table=True) for table in section.tables]
    return blocks


def _folded_blocks(section: PlainSection, *, several: bool) -> list[_Block]:
    """What GitHub shows closed; the name of the section says whose it is where there are several."""
    whose = f" of {section.heading}" if several else ""
    blocks = []
    if section.words:
        text = "\n\n".join(_paragraph(text) for text in section.words)
        blocks.append(_Block(_folded(f"In words{whose}", text)))
    blocks += [
        _Block(_folded(f"{table.title or table.caption}{whose}", _table(table)), is_table=True)
        for table in (*section.folded, *section.foldable)
    ]
    return blocks


def _folded(title: str, text: str) -> str:
    words = _OPENS_A_LINK.sub(r"\1<!-- -->", html.escape(" ".join(title.split()), quote=False))
    return f"<details>\n<summary>{words}</summary>\n\n{text}\n\n</details>"


def _paragraph(text: str) -> str:
    """A text that begins a line, where a hyphen or a number with a full stop would begin a list."""
    return _OPENS_A_BLOCK.sub(r"\1\\\2", escape(text))


def _table(table: PlainTable) -> str:
    columns, rows = _with_groups(table)
    headings = [escape(f"{column.heading}, {column.unit}" if column.unit else column.heading) for column in columns]
    cells = [headings, *([escape(cell) for cell in row] for row in rows)]
    widths = _widths(columns, cells)
    lines = [_line(row, columns, widths) for row in cells]
    lines.insert(1, _line([_rule(column, width) for column, width in zip(columns, widths, strict=True)]))
    note = f"\n\n{_paragraph(table.note)}" if table.note else ""
    return f"**{escape(table.caption)}**\n\n" + "\n".join(lines) + note


def _with_groups(table: PlainTable) -> tuple[Sequence[Column], Sequence[Sequence[str]]]:
    """Columns and rows; what rows stand under is a column of its own, as Markdown has no headings within a table."""
    if not table.groups:
        return table.columns, table.rows
    columns = (table.columns[0], Column(table.group_heading, kind="name"), *table.columns[1:])
    return columns, [(row[0], group, *row[1:]) for row, group in zip(table.rows, table.groups, strict=True)]


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> list[int]:
    """Of the columns in the text, so that it can be read as it is; a table of sentences is not filled up."""
    if any(column.kind == "prose" for column in columns):
        return [3] * len(columns)
    return [max(3, *(len(row[index]) for row in cells)) for index in range(len(columns))]


def _line(row: Sequence[str], columns: Sequence[Column] = (), widths: Sequence[int] = ()) -> str:
    if columns:
        row = [
            cell.rjust(width) if column.kind in _TO_THE_RIGHT else cell.ljust(width)
            for cell, column, width in zip(row, columns, widths, strict=True)
        ]
    return f"| {' | '.join(row)} |"


def _rule(column: Column, width: int) -> str:
    return "-" * (width - 1) + ":" if column.kind in _TO_THE_RIGHT else "-" * width


def _join(blocks: Sequence[_Block]) -> str:
    return "\n\n".join(block.text for block in blocks) + "\n"


def _left_out(tables: int, most_characters: int) -> str:
    what = f"the last {plural(tables, 'table')}" if tables > 1 else "the last table" if tables else "the rest"
    return f"_Left out, as a comment holds {most_characters:,} characters: {what}; the HTML report shows everything._"
