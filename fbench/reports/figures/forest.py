"""The forest plot: every comparison of a study with its intervals around the line of no difference."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import isnan, nan
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fbench.benchmark.records.specs import DataUnit
from fbench.reports.figures.canvas import FAINT, INK, PAGE_WIDTH_IN, set_margins
from fbench.reports.figures.drawing import Drawing
from fbench.reports.findings.comparisons.comparison import Comparison
from fbench.reports.findings.comparisons.units import NEW_UNITS
from fbench.reports.formatting import points, points_range, shorten
from fbench.reports.palette import Style

LineStyle = str | tuple[int, tuple[float, float]]
DOTS: Final[LineStyle] = (0, (1, 1.2))

SIDES: Final = ("low", "high")

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

    table = forest_table(rows)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        set_margins(figure, left=0.12, right=0.12, top=0.52, bottom=0.52)
        draw_forest(axes, table, styles, against)
        figure.legend(loc="upper right", ncols=2, borderaxespad=0, columnspacing=1.2)

    return Drawing(PAGE_WIDTH_IN, 1.1 + _ROW_IN * len(rows), _alt(rows, against), paint)


def forest_table(rows: Sequence[Comparison]) -> pd.DataFrame:
    """What is drawn of comparisons, by the names that tables have; differences and ends are fractions of 1."""
    columns = ["network", "verdict", "unit", "top1_difference"]
    ends = ["corrected", "new_units", "this_test_set", "equivalence"]
    cells = [
        (
            *(row.network, row.verdict, row.unit, row.estimate),
            *(row.interval if row.is_tested else (nan, nan)),
            *row.plain_interval,
            *(row.difference.this_test_set.low, row.difference.this_test_set.high),
            *row.equivalence_interval,
        )
        for row in rows
    ]
    return pd.DataFrame(cells, columns=[*columns, *(f"top1_difference_{end}_{at}" for end in ends for at in SIDES)])


def draw_forest(axes: Axes, table: pd.DataFrame, styles: Mapping[str, Style], against: str) -> None:
    """A row for each comparison of a table as :func:`forest_table` makes it, the first at the top, with a legend's
    entries."""
    axes.axvline(0, color=INK, linewidth=1)
    for index, row in enumerate(table.to_dict("records")):
        network, style = str(row["network"]), styles[str(row["network"])]
        _line(axes, _ends(row, "corrected"), index + _CORRECTED, style, linewidth=3.4)
        _line(axes, _ends(row, "new_units"), index + _PLAIN, style, linewidth=1.3)
        _line(axes, _ends(row, "this_test_set"), index + _THIS_TEST_SET, style, linewidth=1.3, linestyle=DOTS)
        if row["verdict"] == "equivalent":
            _brackets(axes, _ends(row, "equivalence"), index + _CORRECTED)
        middle = 100 * row["top1_difference"]
        axes.plot(middle, index + _CORRECTED, marker="o", markersize=5.5, color=style.light, markeredgecolor=FAINT)
        axes.text(
            0.0,
            index - 0.24,
            f"{shorten(network, 30)}: {row['verdict']}",
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=9.5,
            gid=f"label-{index}",  # the page draws a rim around it, over the line of no difference
        )
    axes.set_yticks([])
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"top-1 minus {shorten(against)}, points")
    axes.margins(x=0.06)
    unit: DataUnit = table["unit"].iloc[0]
    axes.plot([], [], color=INK, linewidth=3.4, label=f"{NEW_UNITS[unit]}, corrected")
    axes.plot([], [], color=INK, linewidth=1.3, label=f"{NEW_UNITS[unit]}, 95 %")
    axes.plot([], [], color=INK, linewidth=1.3, linestyle=DOTS, label="this test set, 95 %")


def _ends(row: Mapping[Hashable, Any], name: str) -> tuple[float, float]:
    low, high = (row[f"top1_difference_{name}_{at}"] for at in SIDES)
    return float(low), float(high)


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
