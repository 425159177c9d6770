"""Renders one partial of the page by itself, as the report would include it."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

from fbench.reports.palette import assign_styles
from fbench.reports.render.html.html import draw, marks_of, page_environment
from tests.reports.read_page import Page


def partial_page(template: str, networks: tuple[str, ...], **parts: object) -> Page:
    styles = assign_styles(networks)
    text = '{% import "macros.html.j2" as m with context %}{% include template %}'
    found = page_environment().from_string(text)
    return Page(
        found.render(
            template=template,
            section=SimpleNamespace(**parts),
            synthetic=False,
            marks=marks_of(styles),
            draw=partial(draw, styles=styles),
        )
    )
