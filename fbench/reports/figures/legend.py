"""The legend of networks below a drawing: two columns, as high as the names need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.artist import Artist
from matplotlib.figure import Figure

from fbench.reports.formatting import shorten

_COLUMNS: Final = 2
_ROW_IN: Final = 0.2
_LONGEST: Final = 24


def legend_height_in(names: Sequence[str]) -> float:
    """The height in inches that the legend takes of the bottom margin."""
    return _ROW_IN * -(-len(names) // _COLUMNS) + 0.06


def add_legend(figure: Figure, handles: Sequence[Artist], names: Sequence[str]) -> None:
    """Write the names below everything else, one for each artist."""
    labels = [shorten(name, _LONGEST) for name in names]
    figure.legend(handles, labels, loc="lower center", ncols=_COLUMNS, borderaxespad=0.1)
