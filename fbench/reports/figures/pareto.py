"""Accuracy against one cost on a log scale, with the networks that no other beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fbench.reports.figures.canvas import INK, PAGE_WIDTH_IN, percent_axis, set_margins
from fbench.reports.figures.drawing import Drawing, Hotspot
from fbench.reports.figures.labels import place_labels
from fbench.reports.figures.log_axis import plain_log_ticks
from fbench.reports.formatting import listing, shorten
from fbench.reports.palette import Style
from fbench.statistics.many.pareto import pareto_front


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
    front = _front(points)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        set_margins(figure, left=0.58, right=0.12, top=0.12, bottom=0.52)
        axes.set_xscale("log")
        _draw_front(axes, front)
        for number, point in enumerate(points):
            style = styles[point.network]
            bar = [point.low, point.high]
            axes.plot([point.cost] * 2, bar, color=style.light, linewidth=1.1, alpha=0.55, solid_capstyle="butt")
            (dot,) = axes.plot(
                point.cost, point.accuracy, marker=style.marker, markersize=7.5, color=style.light, linestyle=""
            )
            dot.set_gid(f"point-{number}")
        axes.set_xlabel(f"{cost_label} (log scale)")
        axes.set_ylabel("top-1, %")
        axes.margins(x=0.14, y=0.08)
        axes.autoscale_view()
        plain_log_ticks(axes.xaxis)
        percent_axis(axes)
        place_labels(axes, [(p.cost, p.accuracy, shorten(p.network, 22)) for p in points])

    spots = tuple(Hotspot(f"point-{number}", point.words) for number, point in enumerate(points))
    return Drawing(PAGE_WIDTH_IN, 3.6, _alt(front, cost_label), paint, spots)


def _front(points: Sequence[ParetoPoint]) -> list[ParetoPoint]:
    kept = pareto_front([p.cost for p in points], [p.accuracy for p in points])
    return sorted((p for p, keep in zip(points, kept, strict=True) if keep), key=lambda p: p.cost)


def _draw_front(axes: Axes, front: Sequence[ParetoPoint]) -> None:
    costs, accuracies = [p.cost for p in front], [p.accuracy for p in front]
    axes.step(costs, accuracies, where="post", color=INK, linewidth=1, linestyle=(0, (4, 3)), alpha=0.6)


def _alt(front: Sequence[ParetoPoint], cost_label: str) -> str:
    names = listing([p.network for p in front])
    return f"Top-1 against {cost_label}. No other network is both cheaper and more accurate than: {names}."
