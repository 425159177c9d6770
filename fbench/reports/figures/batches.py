"""Latency and throughput of inference by batch size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from fbench.reports.batches import BatchCurve, BatchPoint
from fbench.reports.figures.canvas import PAGE_WIDTH_IN, set_margins
from fbench.reports.figures.drawing import Drawing
from fbench.reports.figures.pareto import log_ticks
from fbench.reports.palette import Appearance
from fbench.reports.wording import count, listing, shorten, significant

_LEGEND_COLUMNS: Final = 2
_MOST_NAMED: Final = 4


def latency_by_batch(curves: Sequence[BatchCurve], looks: Mapping[str, Appearance]) -> Drawing:
    """Time of a call in milliseconds against the batch, both on a log scale."""
    return _chart(curves, looks, lambda point: point.call_ms, "time of a call, ms", _latency_alt(curves))


def throughput_by_batch(curves: Sequence[BatchCurve], looks: Mapping[str, Appearance]) -> Drawing:
    """Images a second against the batch, both on a log scale."""
    return _chart(curves, looks, lambda point: point.images_per_s, "images a second", _throughput_alt(curves))


def _chart(
    curves: Sequence[BatchCurve],
    looks: Mapping[str, Appearance],
    value: Callable[[BatchPoint], float],
    label: str,
    alt: str,
) -> Drawing:
    legend_in = 0.2 * -(-len(curves) // _LEGEND_COLUMNS) + 0.06
    paint = partial(_paint, curves=curves, looks=looks, value=value, label=label, legend_in=legend_in)
    return Drawing(PAGE_WIDTH_IN, 2.9 + legend_in, alt, paint)


def _paint(
    figure: Figure,
    curves: Sequence[BatchCurve],
    looks: Mapping[str, Appearance],
    value: Callable[[BatchPoint], float],
    label: str,
    legend_in: float,
) -> None:
    axes = figure.subplots()
    set_margins(figure, left=0.72, right=0.12, top=0.1, bottom=0.52 + legend_in)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    lines = [_line(axes, curve, looks[curve.network], value) for curve in curves]
    sizes = sorted({point.batch_size for curve in curves for point in curve.points})
    axes.xaxis.set_major_locator(FixedLocator(sizes[:: -(-len(sizes) // 10)]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(FixedLocator(log_ticks(*axes.get_ylim())))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:,.6g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("images in a call")
    axes.set_ylabel(label)
    labels = [shorten(curve.network, 24) for curve in curves]
    figure.legend(lines, labels, loc="lower center", ncols=_LEGEND_COLUMNS, borderaxespad=0.1)


def _line(axes: Axes, curve: BatchCurve, look: Appearance, value: Callable[[BatchPoint], float]) -> Line2D:
    sizes, values = [point.batch_size for point in curve.points], [value(point) for point in curve.points]
    (line,) = axes.plot(sizes, values, color=look.light, marker=look.marker, markersize=4.5, linewidth=1.4)
    return line


def _latency_alt(curves: Sequence[BatchCurve]) -> str:
    ordered = sorted(curves, key=lambda curve: curve.points[0].call_ms)
    shown = [
        f"{curve.network} {significant(curve.points[0].call_ms)} ms for {count(curve.points[0].batch_size)} and "
        f"{significant(curve.points[-1].call_ms)} ms for {count(curve.points[-1].batch_size)} images"
        for curve in ordered[:_MOST_NAMED]
    ]
    return f"Time of a call by batch size, the fastest at the smallest batch first: {listing(shown)}."


def _throughput_alt(curves: Sequence[BatchCurve]) -> str:
    ordered = sorted(curves, key=lambda curve: -curve.best.images_per_s)
    shown = [
        f"{curve.network} {count(curve.best.images_per_s)} at {count(curve.best.batch_size)}"
        for curve in ordered[:_MOST_NAMED]
    ]
    return f"Images a second by batch size; the most, with its batch: {listing(shown)}."
