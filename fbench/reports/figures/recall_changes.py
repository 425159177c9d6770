"""Recall by class against a baseline: a dot with its interval for each network, the classes below each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fbench.reports.figures.canvas import FAINT, INK, PAGE_WIDTH_IN, SMALLEST_TYPE, set_margins
from fbench.reports.figures.drawing import Drawing
from fbench.reports.figures.legend import add_legend, legend_height_in
from fbench.reports.figures.lettering import text_width_in
from fbench.reports.formatting import points, points_range, shorten
from fbench.reports.palette import Style
from fbench.statistics.estimands import MeanEstimate

_ROW_IN: Final = 0.13
_BETWEEN_IN: Final = 0.12
_TOP_IN: Final = 0.06
_BOTTOM_IN: Final = 0.5
_SPARE: Final = 0.04  # of the scale, at both ends


@dataclass(frozen=True)
class RecallChanges:
    """Recall minus the baseline's, fractions of 1, by network and class; none where a class has too few images.

    ``scale`` is the lowest and the highest end of an interval in all figures that are compared.
    """

    baseline: str
    class_names: tuple[str, ...]
    changes: Mapping[str, Sequence[MeanEstimate | None]]
    scale: tuple[float, float]


def recall_changes(found: RecallChanges, styles: Mapping[str, Style]) -> Drawing:
    """A row for each class with a line for each network, at least one; full dots have intervals without zero."""
    names, networks = [shorten(name, 14) for name in found.class_names], list(found.changes)
    legend_in = legend_height_in(networks)
    step = len(networks) * _ROW_IN + _BETWEEN_IN
    room = text_width_in(names, SMALLEST_TYPE) + 0.12

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        set_margins(figure, left=room, right=0.1, top=_TOP_IN, bottom=_BOTTOM_IN + legend_in)
        axes.axvline(0, color=INK, linewidth=1)
        for index in range(1, len(names)):
            axes.axhline(index * step, color=FAINT, linewidth=0.7)
        for place, (network, changes) in enumerate(found.changes.items()):
            first = _BETWEEN_IN / 2 + (place + 0.5) * _ROW_IN
            known = [(first + index * step, change) for index, change in enumerate(changes) if change is not None]
            _draw(axes, known, styles[network])
        _finish(axes, found, names, step)
        add_legend(figure, [_handle(styles[network]) for network in networks], networks)

    height = _TOP_IN + step * len(names) + _BOTTOM_IN + legend_in
    return Drawing(PAGE_WIDTH_IN, height, _alt(found), paint)


def leaves_out_zero(change: MeanEstimate) -> bool:
    """Whether the interval holds no difference."""
    return change.low > 0 or change.high < 0


def _draw(axes: Axes, known: Sequence[tuple[float, MeanEstimate]], style: Style) -> None:
    """The intervals of a network, changes at their heights, as one line with gaps; then its dots, full ones last."""
    across = [100 * end for _, change in known for end in (change.low, change.high, nan)]
    axes.plot(
        across,
        [height for height, _ in known for _ in range(3)],
        color=style.light,
        linewidth=1.4,
        solid_capstyle="butt",
    )
    for full in (False, True):
        dots = [(100 * change.estimate, height) for height, change in known if leaves_out_zero(change) is full]
        axes.plot(
            [x for x, _ in dots],
            [y for _, y in dots],
            linestyle="",
            marker=style.marker,
            markersize=5.5,
            color=style.light,
            markerfacecolor=style.light if full else FAINT,
        )


def _finish(axes: Axes, found: RecallChanges, names: Sequence[str], step: float) -> None:
    low, high = min(0.0, 100 * found.scale[0]), max(0.0, 100 * found.scale[1])
    spare = _SPARE * max(high - low, 1.0)
    axes.set_xlim(low - spare, high + spare)
    axes.set_ylim(step * len(names), 0)
    axes.set_yticks([(index + 0.5) * step for index in range(len(names))], names)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"recall minus that of {shorten(found.baseline, 18)}, points", loc="right")


def _handle(style: Style) -> Line2D:
    return Line2D([], [], color=style.light, marker=style.marker, markersize=5.5, linewidth=1.4)


def _alt(found: RecallChanges) -> str:
    beyond = [
        f"{network} {name} {points(change.estimate)} ({points_range(change.low, change.high)})"
        for network, changes in found.changes.items()
        for name, change in zip(found.class_names, changes, strict=True)
        if change is not None and leaves_out_zero(change)
    ]
    said = f"Intervals without zero: {'; '.join(beyond)}." if beyond else "Every interval holds zero."
    return f"Recall by class minus that of {found.baseline}, in percentage points. {said}"
