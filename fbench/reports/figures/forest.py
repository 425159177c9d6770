"""The forest plot: every comparison of a study with both intervals around the line of no difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isnan
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fbench.reports.figures.canvas import FAINT, INK, PAGE_WIDTH_IN, set_margins
from fbench.reports.figures.drawing import Drawing
from fbench.reports.findings.comparisons.studies import Comparison
from fbench.reports.findings.comparisons.units import NEW_UNITS
from fbench.reports.formatting import points, points_range, shorten
from fbench.reports.palette import Style
from fbench.statistics.estimands import MeanEstimate

_ROW_IN: Final = 0.52
_THIS_TEST_SET: Final = 0.02  # of a row, below its middle; the name stands above
_NEW_IMAGES: Final = 0.24


def forest_plot(rows: Sequence[Comparison], styles: Mapping[str, Style], against: str | None = None) -> Drawing:
    """Differences from the baseline in percentage points, one row per comparison.

    The upper, thick line of a row is the interval for this test set, the lower, thin one that for new images, or
    what else is drawn anew.
    ``against`` is what all are compared with, by default the first row's baseline.
    """
    against = rows[0].baseline if against is None else against

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        set_margins(figure, left=0.12, right=0.12, top=0.34, bottom=0.52)
        axes.axvline(0, color=INK, linewidth=1)
        for index, row in enumerate(rows):
            style = styles[row.network]
            _interval(axes, row.difference.this_test_set, index + _THIS_TEST_SET, style, thick=3.4)
            low, high = row.interval
            new_images = replace(row.difference.new_images, low=low, high=high)
            _interval(axes, new_images, index + _NEW_IMAGES, style, thick=1.3)
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
        axes.plot([], [], color=INK, linewidth=3.4, label="this test set")
        axes.plot([], [], color=INK, linewidth=1.3, label=NEW_UNITS[rows[0].unit])
        figure.legend(loc="upper right", ncols=2, borderaxespad=0)

    return Drawing(PAGE_WIDTH_IN, 0.92 + _ROW_IN * len(rows), _alt(rows, against), paint)


def _interval(axes: Axes, estimate: MeanEstimate, height: float, style: Style, thick: float) -> None:
    middle = 100 * estimate.estimate
    if not isnan(estimate.low):
        ends = [100 * estimate.low, 100 * estimate.high]
        axes.plot(ends, [height, height], color=style.light, linewidth=thick, solid_capstyle="butt")
    axes.plot(middle, height, marker="o", markersize=5.5, color=style.light, markeredgecolor=FAINT)


def _alt(rows: Sequence[Comparison], against: str) -> str:
    found = [
        f"{row.network} {points(row.difference.new_images.estimate)} "
        f"({NEW_UNITS[row.unit]} {points_range(*row.interval)}), {row.verdict}"
        for row in rows
    ]
    return f"Forest plot, top-1 minus {against} in percentage points: {'; '.join(found)}."
