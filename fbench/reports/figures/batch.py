"""Time of a call and images per second by batch size, a line per network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from fbench.reports.figures.canvas import GREY, INK, PAGE_WIDTH_IN, set_margins
from fbench.reports.figures.drawing import Drawing
from fbench.reports.figures.legend import add_legend, legend_height_in
from fbench.reports.figures.log_axis import plain_log_ticks
from fbench.reports.findings.costs.batches import BatchCurve
from fbench.reports.formatting import count, plural, significant
from fbench.reports.palette import Style

MOST_NAMED: Final = 8
"""Networks with a colour of their own; the lines of more cannot be told apart."""

_PANELS_IN: Final = 4.8


def latency_by_batch(curves: Sequence[BatchCurve], styles: Mapping[str, Style], first: Sequence[str] = ()) -> Drawing:
    """Time of a call in ms (above) and images per second (below), all axes logarithmic; at least one curve.

    The ``first`` networks, at most 8, have their colours and names where there are more; the others are grey.

    A large marker is a point with an interval, which is drawn as a bar; a small one has none. The dashed line is a
    time in proportion to the batch, through the quickest call of the smallest batch.
    """
    names = named_networks([curve.network for curve in curves], first)
    others = len(curves) - len(names)
    legend = [*names, *([plural(others, "other")] if others else [])]
    legend_in = legend_height_in(legend)

    def paint(figure: Figure) -> None:
        above, below = figure.subplots(2, 1, sharex=True)
        set_margins(figure, left=0.66, right=0.12, top=0.3, bottom=0.52 + legend_in)
        figure.subplots_adjust(hspace=0.22)
        for axes in (above, below):
            axes.set_xscale("log")
            axes.set_yscale("log")
        for curve in curves:
            for axes, rate in ((above, False), (below, True)):
                if curve.network in names:
                    _line(axes, curve, styles[curve.network], rate=rate)
        for axes, rate in ((above, False), (below, True)):
            _grey_lines(axes, [curve for curve in curves if curve.network not in names], rate=rate)
        _proportional(above, curves)
        for axes, title in ((above, "time of a call, ms"), (below, "images per second")):
            axes.set_title(title)
            plain_log_ticks(axes.yaxis)
        sizes = sorted({point.batch_size for curve in curves for point in curve.points})
        below.xaxis.set_major_locator(FixedLocator(_shown(sizes)))
        below.xaxis.set_minor_locator(NullLocator())
        below.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        below.set_xlabel("batch size")
        add_legend(figure, [*(_handle(styles[name]) for name in names), *([_GREY_HANDLE] if others else [])], legend)

    return Drawing(PAGE_WIDTH_IN, _PANELS_IN + legend_in, _alt(curves), paint)


def named_networks(networks: Sequence[str], first: Sequence[str]) -> list[str]:
    """Which have a name, in their order: those that come ``first``, and others while there is room."""
    chosen = list(dict.fromkeys(name for name in (*first, *networks) if name in networks))[:MOST_NAMED]
    return [name for name in networks if name in chosen]


def _values(curve: BatchCurve, *, rate: bool) -> list[float]:
    return [point.images_per_s if rate else point.milliseconds for point in curve.points]


def _grey_lines(axes: Axes, curves: Sequence[BatchCurve], *, rate: bool) -> None:
    lines = [
        list(zip([point.batch_size for point in curve.points], _values(curve, rate=rate), strict=True))
        for curve in curves
    ]
    drawn = LineCollection(lines, colors=GREY, linewidths=0.8, alpha=0.55, zorder=1.8)
    axes.add_collection(drawn, autolim=False)  # its own limits go through the logarithm and back
    axes.update_datalim([point for line in lines for point in line])


def _line(axes: Axes, curve: BatchCurve, style: Style, *, rate: bool) -> None:
    sizes, values = [point.batch_size for point in curve.points], _values(curve, rate=rate)
    axes.plot(sizes, values, color=style.light, linewidth=1.4, alpha=0.9)
    for point, value in zip(curve.points, values, strict=True):
        if point.low is not None and point.high is not None:
            ends = [1e3 * point.batch_size / end if rate else end for end in (point.low, point.high)]
            axes.plot([point.batch_size] * 2, ends, color=style.light, linewidth=1.1, alpha=0.55, solid_capstyle="butt")
        size = 3.0 if point.low is None else 6.0
        axes.plot(point.batch_size, value, marker=style.marker, markersize=size, color=style.light, linestyle="")


def _handle(style: Style) -> Line2D:
    return Line2D([], [], color=style.light, marker=style.marker, markersize=5.5, linewidth=1.4)


_GREY_HANDLE: Final = Line2D([], [], color=GREY, linewidth=0.8, alpha=0.55)


def _proportional(axes: Axes, curves: Sequence[BatchCurve]) -> None:
    first = min((curve.points[0] for curve in curves), key=lambda point: point.milliseconds / point.batch_size)
    last = max(curve.points[-1].batch_size for curve in curves)
    axes.autoscale_view()
    limits = axes.get_ylim()
    ends = [first.milliseconds, first.milliseconds * last / first.batch_size]
    axes.plot([first.batch_size, last], ends, color=INK, linewidth=1, linestyle=(0, (4, 3)), alpha=0.4, zorder=1)
    axes.set_ylim(limits)


def _shown(sizes: Sequence[int]) -> list[int]:
    """As many of the batch sizes as stand beside each other without touching."""
    return list(sizes[:: -(-len(sizes) // 8)])


def _alt(curves: Sequence[BatchCurve]) -> str:
    gains = [curve.gain for curve in curves]
    best = sorted({curve.best.batch_size for curve in curves})
    quickest = min(curves, key=lambda curve: curve.points[0].milliseconds / curve.points[0].batch_size)
    most = max(curves, key=lambda curve: curve.best.images_per_s)
    sizes = f"{best[0]}" if len(best) == 1 else f"{best[0]} to {best[-1]}"
    small = quickest.points[0]
    return (
        f"Time of a call and images per second by batch size. The best batches, {sizes}, make "
        f"{_range(min(gains), max(gains))} times as many images per second as the smallest. "
        f"{quickest.network} is the quickest at batch {small.batch_size}, {significant(small.milliseconds)} ms; "
        f"{most.network} makes the most images, {count(most.best.images_per_s)} per second at batch "
        f"{most.best.batch_size}."
    )


def _range(low: float, high: float) -> str:
    texts = [significant(low), significant(high)]
    return texts[0] if texts[0] == texts[1] else f"{texts[0]} to {texts[1]}"
