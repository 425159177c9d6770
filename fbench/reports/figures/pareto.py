"""Accuracy against one cost on a log scale, with the networks that no other beats."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from fbench.reports.figures.canvas import INK, PAGE_WIDTH_IN, percent_axis, set_margins
from fbench.reports.figures.drawing import Drawing, Hotspot
from fbench.reports.figures.labels import place_labels
from fbench.reports.palette import Appearance
from fbench.reports.wording import listing, shorten
from fbench.statistics.many.pareto import pareto_front

_SMALLEST_SPAN: Final = 2.0
_LEADING_DIGITS: Final = (
    (1.0,),
    (1.0, 2.0, 5.0),
    (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0),
    (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0),
    tuple(k / 10 for k in range(10, 100)),
)


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


def pareto_chart(points: Sequence[ParetoPoint], looks: Mapping[str, Appearance], cost_label: str) -> Drawing:
    """Draw at least one point; a cost must be positive. Each point answers the pointer with its network's numbers."""
    front = _front(points)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        set_margins(figure, left=0.58, right=0.12, top=0.12, bottom=0.52)
        axes.set_xscale("log")
        _draw_front(axes, front)
        for number, point in enumerate(points):
            look = looks[point.network]
            bar = [point.low, point.high]
            axes.plot([point.cost] * 2, bar, color=look.light, linewidth=1.1, alpha=0.55, solid_capstyle="butt")
            (dot,) = axes.plot(
                point.cost, point.accuracy, marker=look.marker, markersize=7.5, color=look.light, linestyle=""
            )
            dot.set_gid(f"point-{number}")
        axes.set_xlabel(f"{cost_label} (log scale)")
        axes.set_ylabel("top-1, %")
        axes.margins(x=0.14, y=0.08)
        _plain_log_ticks(axes)
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


def _plain_log_ticks(axes: Axes) -> None:
    """Few ticks at round numbers, written plainly; matplotlib's own crowd a range of less than a decade."""
    axes.autoscale_view()
    low, high = widen(*axes.get_xlim())
    axes.set_xlim(low, high)
    ticks = log_ticks(low, high)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def widen(low: float, high: float) -> tuple[float, float]:
    """Limits at least a factor of two apart around the same middle: nearly equal costs then look nearly equal."""
    middle = math.sqrt(low * high)
    return min(low, middle / _SMALLEST_SPAN**0.5), max(high, middle * _SMALLEST_SPAN**0.5)


def log_ticks(low: float, high: float) -> list[float]:
    """At least three round numbers from ``low`` to ``high``, both positive; fewer where they nearly agree."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: list[float] = []
    for leading in _LEADING_DIGITS:
        every = [digit * 10.0**decade for decade in decades for digit in leading]
        ticks = [tick for tick in every if low <= tick <= high]
        if len(ticks) >= 3:
            break
    return ticks[:: math.ceil(len(ticks) / 8)] if ticks else [math.sqrt(low * high)]


def _alt(front: Sequence[ParetoPoint], cost_label: str) -> str:
    names = listing([p.network for p in front])
    return f"Top-1 against {cost_label}. No other network is both cheaper and more accurate than: {names}."
