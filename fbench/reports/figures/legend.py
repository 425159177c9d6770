"""The legend of networks below a drawing: one or two columns, as high as the names need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.artist import Artist
from matplotlib.figure import Figure

from fbench.reports.figures.canvas import PAGE_WIDTH_IN, SMALLEST_TYPE
from fbench.reports.figures.lettering import fitted, text_width_in

_COLUMNS: Final = 2
_MOST_IN_A_COLUMN: Final = 6
_ROW_IN: Final = 0.2
_FONT: Final = SMALLEST_TYPE
_ROOM_IN: Final = {1: PAGE_WIDTH_IN - 0.5, 2: PAGE_WIDTH_IN / 2 - 0.48}
"""For a name, by the columns."""


def legend_columns(names: Sequence[str]) -> int:
    """Two where names are short or many, so that they fit the page; else one."""
    is_long = text_width_in(names, _FONT) > _ROOM_IN[_COLUMNS]
    return 1 if is_long and len(names) <= _MOST_IN_A_COLUMN else _COLUMNS


def legend_height_in(names: Sequence[str]) -> float:
    """The height in inches that the legend takes of the bottom margin."""
    return _ROW_IN * -(-len(names) // legend_columns(names)) + 0.06


def add_legend(figure: Figure, handles: Sequence[Artist], names: Sequence[str]) -> None:
    """Write the names below everything else, one for each artist."""
    columns = legend_columns(names)
    labels = [fitted(name, _ROOM_IN[columns], _FONT) for name in names]
    figure.legend(handles, labels, loc="lower center", ncols=columns, borderaxespad=0.1, columnspacing=1.2)
