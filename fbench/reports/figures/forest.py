"""The forest plot: every comparison of a study with its intervals around the line of no difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fbench.reports.figures.canvas import FAINT, INK, PAGE_WIDTH_IN, set_margins
from fbench.reports.figures.drawing import Drawing
from fbench.reports.findings.comparisons.comparison import Comparison
from fbench.reports.findings.comparisons.units import NEW_UNITS
from fbench.reports.formatting import points, points_range, shorten
from fbench.reports.palette import Style

LineStyle = str | tuple[int, tuple[float, float]]
DOTS: Final[LineStyle] = (0, (1, 1.2))

_ROW_IN: Final = 0.52
_CORRECTED: Final = 0.04  # of a row, below its middle; the name stands above
_PLAIN: Final = 0.2
_THIS_TEST_SET: Final = 0.33
_BRACKET: Final = 0.1  # of a row, half its height


def forest_plot(rows: Sequence[Comparison], styles: Mapping[str, Style], against: str | None = None) -> Drawing:
    """Differences from the baseline in percentage points, one row per comparison.

    The thick line of a row is the interval for new images, or what else is drawn anew, at the level at which the
    comparison was tested in its family; the thin one that of 95 % for itself; the dotted one that for this test set.
    Where two are equivalent, brackets mark the interval that lies within the margin. ``against`` is what all are
    compared with, by default the first row's baseline.
    """
    against = rows[0].baseline if against is None else against

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        set_margins(figure, left=0.12, right=0.12, top=0.34, bottom=0.52)
        axes.axvline(0, color=INK, linewidth=1)
        for index, row in enumerate(rows):
            style = styles[row.network]
            if row.is_tested:
                _line(axes, row.interval, index + _CORRECTED, style, linewidth=3.4)
            _line(axes, row.plain_interval, index + _PLAIN, style, linewidth=1.3)
            here = row.difference.this_test_set
            _line(axes, (here.low, here.high), index + _THIS_TEST_SET, style, linewidth=1.3, linestyle=DOTS)
            if row.verdict == "equivalent":
                _brackets(axes, row.equivalence_interval, index + _CORRECTED)
            middle = 100 * row.estimate
            axes.plot(middle, index + _CORRECTED, marker="o", markersize=5.5, color=style.light, markeredgecolor=FAINT)
            name = f"{shorten(row.network, 34)}: {row.verdict}"
            axes.text(
                0.0,
                index - 0.24,
                name,
                transform=axes.get_yaxis_transform(),
                va="center",
                fontsize=9.5,
                gid=f"label-{index}",  # the page draws a rim around it, over the line of no difference
            )
        axes.set_yticks([])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"top-1 minus {shorten(against)}, points")
        axes.margins(x=0.06)
        new_units = NEW_UNITS[rows[0].unit]
        axes.plot([], [], color=INK, linewidth=3.4, label=f"{new_units}, corrected")
        axes.plot([], [], color=INK, linewidth=1.3, label=f"{new_units}, 95 %")
        axes.plot([], [], color=INK, linewidth=1.3, linestyle=DOTS, label="this test set, 95 %")
        figure.legend(loc="upper right", ncols=3, borderaxespad=0)

    return Drawing(PAGE_WIDTH_IN, 0.92 + _ROW_IN * len(rows), _alt(rows, against), paint)


def _line(
    axes: Axes,
    interval: tuple[float, float],
    height: float,
    style: Style,
    linewidth: float,
    linestyle: LineStyle = "-",
) -> None:
    """An interval, a fraction of 1, in points; nothing where there is none."""
    if isnan(interval[0]):
        return
    ends = [100 * end for end in interval]
    axes.plot(
        ends, [height, height], color=style.light, linewidth=linewidth, linestyle=linestyle, solid_capstyle="butt"
    )


def _brackets(axes: Axes, interval: tuple[float, float], height: float) -> None:
    """The ends of an interval as upright strokes."""
    ends = [100 * end for end in interval]
    axes.vlines(ends, height - _BRACKET, height + _BRACKET, color=INK, linewidth=1.3)


def _alt(rows: Sequence[Comparison], against: str) -> str:
    found = [
        f"{row.network} {points(row.difference.new_images.estimate)} "
        f"({NEW_UNITS[row.unit]} {points_range(*row.interval)} corrected), {row.verdict}"
        for row in rows
    ]
    return f"Forest plot, top-1 minus {against} in percentage points: {'; '.join(found)}."
