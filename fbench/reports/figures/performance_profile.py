"""Performance profiles: the share of runs that are more accurate than each threshold, a line per network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fbench.reports.figures.canvas import INK, PAGE_WIDTH_IN, percent_axis, set_margins
from fbench.reports.figures.drawing import Drawing
from fbench.reports.figures.legend import add_legend, legend_height_in
from fbench.reports.formatting import percent
from fbench.reports.palette import Style
from fbench.statistics.many.performance_profile import PerformanceProfile

_MOST_BANDS: Final = 4
"""More bands cover each other; all being equally wide, one is then drawn as a bar beside the lines."""

_MOST_NAMED: Final = 8


def performance_profiles(profiles: Mapping[str, PerformanceProfile], styles: Mapping[str, Style]) -> Drawing:
    """Draw profiles over the same thresholds (accuracies, fractions of 1) and runs."""
    names = list(profiles)
    legend_in = legend_height_in(names)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        set_margins(figure, left=0.58, right=0.3, top=0.12, bottom=0.52 + legend_in)
        lines = [_line(axes, profiles[name], styles[name]) for name in names]
        first = profiles[names[0]]
        if len(names) > _MOST_BANDS:
            _band_as_bar(axes, first)
        else:
            for name in names:
                _band(axes, profiles[name], styles[name])
        axes.set_ylim(-0.03, 1.03)
        axes.set_xlim(first.thresholds[0], first.thresholds[-1])
        axes.set_xlabel("top-1, %")
        axes.set_ylabel("runs above it, %")
        percent_axis(axes)
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")
        add_legend(figure, lines, names)

    return Drawing(PAGE_WIDTH_IN, 2.9 + legend_in, _alt(profiles), paint)


def _line(axes: Axes, profile: PerformanceProfile, style: Style) -> Line2D:
    (line,) = axes.step(
        profile.thresholds,
        profile.shares,
        where="post",
        color=style.light,
        marker=style.marker,
        markevery=max(1, len(profile.thresholds) // 6),
        markersize=4.5,
        linewidth=1.6,
    )
    return line


def _band(axes: Axes, profile: PerformanceProfile, style: Style) -> None:
    axes.fill_between(profile.thresholds, profile.low, profile.high, color=style.light, alpha=0.12, lw=0, step="post")


def _band_as_bar(axes: Axes, profile: PerformanceProfile) -> None:
    middle, half = 0.5, profile.half_width
    axes.annotate(
        "",
        (1.03, middle - half),
        xytext=(1.03, middle + half),
        xycoords=axes.get_yaxis_transform(),
        textcoords=axes.get_yaxis_transform(),
        arrowprops={"arrowstyle": "|-|,widthA=0.25,widthB=0.25", "color": INK, "linewidth": 1.0},
        annotation_clip=False,
    )


def _alt(profiles: Mapping[str, PerformanceProfile]) -> str:
    half = next(iter(profiles.values())).half_width
    medians = {name: _median(profile) for name, profile in profiles.items()}
    order = sorted(medians, key=lambda name: -medians[name])
    found = [f"{name} {percent(medians[name])} %" for name in order[:_MOST_NAMED]]
    more = "" if len(order) <= _MOST_NAMED else f" and {len(order) - _MOST_NAMED} lower ones"
    return (
        f"Performance profiles. Half of the runs are above: {', '.join(found)}{more}. "
        f"A line may be off by {percent(half, 0)} points of the share anywhere."
    )


def _median(profile: PerformanceProfile) -> float:
    """The greatest threshold that half of the runs are above."""
    above = np.flatnonzero(profile.shares >= 0.5)
    return float(profile.thresholds[above[-1]] if above.size else profile.thresholds[0])
