"""The leaderboard as a page: one offline HTML file, by the report's templates and style sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from fbench.reports.figures.drawing import Illustration
from fbench.reports.figures.single_seeds import single_seeds
from fbench.reports.findings.leaderboard.model import MARGIN, Board, Leaderboard
from fbench.reports.findings.leaderboard.words import STATISTICS
from fbench.reports.palette import Style, assign_styles
from fbench.reports.render.html.files import write_html
from fbench.reports.render.html.html import (
    content_hash,
    draw,
    marks_of,
    network_colours,
    page_environment,
    page_script,
    with_unbroken_percents,
)
from fbench.statistics.comparison.verdict import LEVEL


def render_leaderboard(found: Leaderboard) -> str:
    """The HTML text; equal leaderboards give equal text."""
    styles = assign_styles(dict.fromkeys(row.label for board in found.boards for row in board.rows))
    return with_unbroken_percents(
        page_environment()
        .get_template("leaderboard.html.j2")
        .render(
            page=found,
            marks=marks_of(styles),
            network_colours=network_colours(styles),
            seeds={board.key: _seeds(board, styles) for board in found.boards},
            script=page_script(),
            script_hash=content_hash(page_script()),
            draw=partial(draw, styles=styles),
            alpha=LEVEL,
            margin_of_boards=MARGIN,
            statistics=STATISTICS,
        )
    )


def write_leaderboard(found: Leaderboard, output: Path) -> Path:
    """Write the page to ``output`` and return its path.

    Raises:
        UserError: ``output`` cannot be written.
    """
    write_html(render_leaderboard(found), output)
    return output


def _seeds(board: Board, styles: Mapping[str, Style]) -> Illustration:
    networks = [replace(row.trained, network=row.label) for row in board.rows]
    return Illustration(
        f"{board.key}-seeds", f"Top-1 of every seed on {board.data.name}, %", single_seeds(networks, styles)
    )
