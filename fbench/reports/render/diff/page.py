"""The page of two sides: one offline HTML file, by the report's templates and style sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from fbench.core.errors import UserError
from fbench.core.paths import expanded
from fbench.reports.figures.drawing import Illustration
from fbench.reports.figures.forest import forest_plot
from fbench.reports.findings.diff.answer import accuracy_sentences, interval_words, share_words
from fbench.reports.findings.diff.choice import RULE
from fbench.reports.findings.diff.model import SIDES, DataAccuracy, Difference
from fbench.reports.palette import Style, assign_styles
from fbench.reports.render.html.files import write_html
from fbench.reports.render.html.html import content_hash, draw, page_environment, page_script, with_unbroken_percents
from fbench.statistics.comparison.verdict import LEVEL


def check_page_name(output: Path) -> Path:
    """The path of a page, ``~`` resolved.

    Raises:
        UserError: it does not end in .html.
    """
    target = expanded(output)
    if target.suffix.lower() not in {".html", ".htm"}:
        raise UserError(f"--output {target} is no HTML file; give a name that ends in .html.")
    return target


def render_difference(difference: Difference) -> str:
    """The HTML text; equal sides give equal text."""
    styles = assign_styles(SIDES)
    return with_unbroken_percents(
        page_environment()
        .get_template("diff.html.j2")
        .render(
            page=difference,
            styles=styles,
            forests={data.key: _forest(data, styles) for data in difference.accuracy},
            script=page_script(),
            script_hash=content_hash(page_script()),
            alpha=LEVEL,
            rule=RULE,
            accuracy_sentences=accuracy_sentences,
            draw=partial(draw, styles=styles),
            interval_words=interval_words,
            share_words=share_words,
        )
    )


def write_difference(difference: Difference, output: Path) -> Path:
    """Write the page to ``output`` and return its path.

    Raises:
        UserError: ``output`` cannot be written.
    """
    write_html(render_difference(difference), output)
    return output


def _forest(data: DataAccuracy, styles: Mapping[str, Style]) -> Illustration | None:
    """None where no difference is left to draw."""
    if all(row.same_answers for row in data.rows):
        return None
    named = [replace(row.comparison, network=row.label) for row in data.rows]
    drawing = forest_plot(named, dict.fromkeys((row.label for row in data.rows), styles[SIDES[1]]), "that of A")
    return Illustration(f"{data.key}-forest", f"Top-1 on {data.data}, B minus A", drawing)
