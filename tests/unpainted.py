"""Reports whose figures are made and described but not painted: for tests of words and numbers."""

from __future__ import annotations

from html import escape

import pytest

from fbench.reports.figures.drawing import Drawing


def leave_unpainted(patch: pytest.MonkeyPatch) -> None:
    """Have an empty ``<svg>`` with the words of a drawing in place of each figure of a page."""
    patch.setattr("fbench.reports.figures.drawing.to_svg", _described)


def _described(drawing: Drawing, key: str) -> str:
    return f'<svg role="img" aria-label="{escape(drawing.alt)}"></svg>'
