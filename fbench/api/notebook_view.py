"""A run as a table in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from fbench.reports.findings.comparisons.summary import by_accuracy
from fbench.reports.findings.measures.table import shown_in
from fbench.reports.formatting import plural

if TYPE_CHECKING:
    from fbench.reports.findings.model import DataFindings, Findings


def run_view(name: str, line: str, findings: Findings, most_rows: int) -> str:
    """The networks of the first data set with a finished trial, the most accurate first, as an HTML table.

    Without one it is the run in a ``line``; ``name`` is its own.
    """
    sections = [section for section in findings.data_sections if section.summary]
    if not sections:
        return f"<p>{escape(line)}</p>"
    section = sections[0]
    more = f", and {plural(len(sections) - 1, 'more data set')}" if len(sections) > 1 else ""
    title = f"{name}: {section.data.name}, {section.split_words}{more}"
    return f"<p>{escape(title)}</p>{_table(section, most_rows)}"


def _table(section: DataFindings, most_rows: int) -> str:
    measures = shown_in("terminal")
    heads = ["network", *(one.form("terminal").title for one in measures)]
    rows = [[row.network, *(one.text(row, "terminal") for one in measures)] for row in by_accuracy(section.summary)]
    hidden = len(rows) - most_rows
    body = [_line("td", row) for row in rows[:most_rows]]
    if hidden > 0:
        body.append(f'<tr><td colspan="{len(heads)}">{plural(hidden, "more network")}: summary_frame()</td></tr>')
    return f"<table>{_line('th', heads)}{''.join(body)}</table>"


def _line(tag: str, cells: list[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"
