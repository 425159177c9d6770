"""Reports whose figures are made and described but not painted: for tests of words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pytest

from fbench.benchmark.store.run_table import RunTable
from fbench.reports.figures.drawing import Drawing
from fbench.reports.render.html.build import build_report


def leave_unpainted(patch: pytest.MonkeyPatch) -> None:
    """Have an empty ``<svg>`` with the words of a drawing in place of each figure of a page."""
    patch.setattr("fbench.reports.figures.drawing.to_svg", _described)


def unpainted_report(runs: Sequence[RunTable]) -> str:
    """The page of some runs, for fixtures of a whole module, which are made before those of a test."""
    with pytest.MonkeyPatch.context() as patch:
        leave_unpainted(patch)
        return build_report(runs)


def _described(drawing: Drawing, key: str) -> str:
    return f'<svg role="img" aria-label="{escape(drawing.alt)}"></svg>'
