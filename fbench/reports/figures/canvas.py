"""What all drawings share: paper, ink and type, and margins in inches."""

from __future__ import annotations

from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fbench.statistics.comparison.verdict import Verdict

INK: Final = "#1c2128"
FAINT: Final = "#d5dae1"
GREY: Final = "#8b939e"
"""Of what is drawn for comparison and has no name: legible on light and dark paper."""
BAND: Final = "#dde4ec"
VERDICT_COLOURS: Final[dict[Verdict, str]] = {
    "better": "#0b66e0",
    "worse": "#b3400e",
    "equivalent": "#341159",
    "undecided": "#6b727b",
}
"""As on a light page: blue, orange, a dark and a middle tone, which all common colour blindnesses tell apart by 20 or
more in CIELAB; figures add a marker of its own to each."""
PAPER: Final = "#ffffff"
PAGE_WIDTH_IN: Final = 3.58
"""Of a drawing that stays legible on a telephone: at 360 px, with a bar for scrolling, 9 points are 11 px."""
WIDE_PAGE_IN: Final = 5.4
"""Of a drawing for wider pages, which needs another for a telephone."""
SMALLEST_TYPE: Final = 9.0
"""In points: no text of a drawing is smaller."""

_MARKER_ROOM: Final = 0.04
"""Of an axis, beyond the last value that can be."""

STYLE: Final[dict[Any, Any]] = {
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same layout everywhere
    "font.size": 10,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "image.composite_image": False,  # else several images on a pair of axes become one, of 72 dots an inch
    "legend.frameon": False,
    "legend.fontsize": 9,
    "svg.fonttype": "none",  # text stays text: it can be searched, read aloud and set in the page's font
    "text.color": INK,
    "text.parse_math": False,  # a name with $ or _ is a name
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}


def set_margins(figure: Figure, left: float, right: float, top: float, bottom: float, gap: float = 0.0) -> None:
    """Margins around the axes and the gap between two of them, in inches.

    Fixed margins halve the time of a figure: matplotlib's layout engines draw it several times over.
    """
    width, height = figure.get_size_inches()
    figure.subplots_adjust(
        left=left / width,
        right=1 - right / width,
        bottom=bottom / height,
        top=1 - top / height,
        wspace=2 * gap / max(width - left - right - gap, 0.1),
    )


def percent_axis(axes: Axes) -> None:
    """Label the y axis, of fractions of 1, in per cent, and end it at 0 and 100 but for the room of a marker."""
    low, high = axes.get_ylim()
    room = _MARKER_ROOM * (high - low)
    axes.set_ylim(max(low, -room), min(high, 1 + room))
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}" if -1e-9 <= value <= 1 + 1e-9 else "")
