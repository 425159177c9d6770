"""The forest plot: every comparison of a study with both intervals around the line of no difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isnan

from matplotlib.axes import Axes

from fbench.reports.figures.canvas import FAINT, INK, new_figure, set_margins, text_width_in, to_svg
from fbench.reports.palette import Appearance
from fbench.reports.studies import Comparison
from fbench.reports.wording import points, points_range, shorten
from fbench.statistics.estimands import MeanEstimate

_OFFSET = 0.13  # of a row: the two intervals of a comparison lie above and below its middle


def forest_plot(rows: Sequence[Comparison], looks: Mapping[str, Appearance], key: str) -> str:
    """Differences from the baseline in percentage points, one row per comparison, as SVG.

    The upper, thick line of a row is the interval for this test set, the lower, thin one that for new images.
    """
    names = [shorten(row.network) for row in rows]
    with new_figure(6.6, 1.0 + 0.5 * len(rows)) as figure:
        axes = figure.subplots()
        set_margins(figure, left=0.2 + text_width_in(names, 9), right=0.15, top=0.35, bottom=0.5)
        axes.axvline(0, color=INK, linewidth=1)
        for place, row in enumerate(rows):
            look = looks[row.network]
            _interval(axes, row.difference.this_test_set, place - _OFFSET, look, thick=3.4)
            low, high = row.interval
            new_images = replace(row.difference.new_images, low=low, high=high)
            _interval(axes, new_images, place + _OFFSET, look, thick=1.3)
        axes.set_yticks(range(len(rows)), names)
        axes.set_ylim(len(rows) - 0.45, -0.55)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"top-1 minus {shorten(rows[0].baseline)}, percentage points")
        axes.margins(x=0.06)
        axes.plot([], [], color=INK, linewidth=3.4, label="this test set")
        axes.plot([], [], color=INK, linewidth=1.3, label="new images")
        figure.legend(loc="upper right", ncols=2, borderaxespad=0)
        return to_svg(figure, key, _alt(rows))


def _interval(axes: Axes, estimate: MeanEstimate, height: float, look: Appearance, thick: float) -> None:
    middle = 100 * estimate.estimate
    if not isnan(estimate.low):
        ends = [100 * estimate.low, 100 * estimate.high]
        axes.plot(ends, [height, height], color=look.light, linewidth=thick, solid_capstyle="butt")
    axes.plot(middle, height, marker="o", markersize=5.5, color=look.light, markeredgecolor=FAINT)


def _alt(rows: Sequence[Comparison]) -> str:
    found = [
        f"{row.network} {points(row.difference.new_images.estimate)} "
        f"(new images {points_range(*row.interval)}), {row.verdict}"
        for row in rows
    ]
    return f"Forest plot, top-1 minus {rows[0].baseline} in percentage points: {'; '.join(found)}."
