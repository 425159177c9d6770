"""Accuracy against one cost on a log scale, with the networks that no other beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fbench.reports.figures.canvas import GREY, INK, PAGE_WIDTH_IN, percent_axis, set_margins
from fbench.reports.figures.drawing import Drawing, Hotspot
from fbench.reports.figures.labels import Segment, place_labels
from fbench.reports.figures.log_axis import plain_log_ticks
from fbench.reports.formatting import listing, percent, significant
from fbench.reports.palette import Style
from fbench.statistics.many.pareto import pareto_front

COLUMNS: Final = ["network", "cost", "top1", "low", "high"]
"""Of a table of points: the accuracy is a fraction of 1, and so are the ends of its interval."""


@dataclass(frozen=True)
class ParetoPoint:
    """A network at its cost, with its accuracy (fraction of 1) and the interval for new images.

    ``words`` is what the point says when it is pointed at, a line for each fact.
    """

    network: str
    cost: float
    accuracy: float
    low: float
    high: float
    words: str


def pareto_chart(points: Sequence[ParetoPoint], styles: Mapping[str, Style], cost_label: str) -> Drawing:
    """Draw at least one point; a cost must be positive. Each point answers the pointer with its network's numbers."""
    table = pd.DataFrame([(p.network, p.cost, p.accuracy, p.low, p.high) for p in points], columns=COLUMNS)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        set_margins(figure, left=0.58, right=0.12, top=0.12, bottom=0.52)
        draw_pareto(axes, table, styles, cost_label)

    spots = tuple(Hotspot(f"point-{number}", point.words) for number, point in enumerate(points))
    return Drawing(PAGE_WIDTH_IN, 3.6, _alt(_front(table), cost_label), paint, spots)


def draw_pareto(axes: Axes, table: pd.DataFrame, styles: Mapping[str, Style], cost_label: str) -> None:
    """A point with its interval for each row of ``COLUMNS``, and a line through those that no other beats.

    These have their colour and their name; the others are grey.
    """
    axes.set_xscale("log")
    front = _front(table)
    axes.step(front["cost"], front["top1"], where="post", color=INK, linewidth=1, linestyle=(0, (4, 3)), alpha=0.6)
    named, others = [], []
    intervals: dict[bool, list[tuple[list[tuple[float, float]], str]]] = {False: [], True: []}
    rows = list(table[COLUMNS].itertuples(index=False, name=None))
    for number, (place, (network, cost, top1, low, high)) in enumerate(zip(table.index, rows, strict=True)):
        is_best = place in front.index
        colour, order = (styles[network].light, 3) if is_best else (GREY, 2)
        ends = [(cost, max(low, 0.0)), (cost, min(high, 1.0))]
        intervals[is_best].append((ends, colour))
        dot = Line2D(
            [cost],
            [top1],
            marker=styles[network].marker,
            markersize=7.5 if is_best else 6,
            color=colour,
            alpha=1 if is_best else 0.6,
            linestyle="",
            zorder=order + 0.5,
            gid=f"point-{number}",
        )
        axes.add_artist(dot)  # plot() takes twice as long for one of 300 points
        if is_best:
            named.append((cost, top1, network))
        else:
            others.append((cost, top1))
    # A collection's own limits go through the logarithm and back, and miss by the last digit.
    axes.update_datalim([end for drawn in intervals.values() for ends, _ in drawn for end in ends])
    for is_best, drawn in intervals.items():
        lines, colours = [line for line, _ in drawn], [colour for _, colour in drawn]
        axes.add_collection(
            LineCollection(
                lines, colors=colours, linewidths=1.1, alpha=0.55, capstyle="butt", zorder=3 if is_best else 2
            ),
            autolim=False,
        )
    axes.set_xlabel(f"{cost_label} (log scale)")
    axes.set_ylabel("top-1, %")
    axes.margins(x=0.14, y=0.12)
    axes.autoscale_view()
    plain_log_ticks(axes.xaxis)
    percent_axis(axes)
    bars = [((cost, low), (cost, high)) for _, cost, _, low, high in rows]
    place_labels(axes, named, others, [*bars, *_steps(front)])


def _steps(front: pd.DataFrame) -> list[Segment]:
    """The straight parts of the line through the front: level, then up."""
    points = list(front[["cost", "top1"]].itertuples(index=False, name=None))
    found: list[Segment] = []
    for (cost, top1), (dearer, better) in pairwise(points):
        found += [((cost, top1), (dearer, top1)), ((dearer, top1), (dearer, better))]
    return found


def _front(table: pd.DataFrame) -> pd.DataFrame:
    kept = pareto_front(table["cost"].tolist(), table["top1"].tolist())
    return table[kept].sort_values("cost", kind="stable")


def _alt(front: pd.DataFrame, cost_label: str) -> str:
    points = front[["network", "cost", "top1"]].itertuples(index=False, name=None)
    best = [f"{network} ({significant(cost)}; {percent(top1)} %)" for network, cost, top1 in points]
    return f"Top-1 against {cost_label}. No other network is both cheaper and more accurate than: {listing(best)}."
