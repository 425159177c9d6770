"""The roofline: FLOP/s that networks achieve, below what their machine allows at their FLOPs a byte.

Williams, Waterman and Patterson 2009, Communications of the ACM 52(4), 65-76.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fbench.benchmark.machine.machine_roofline import MachineRoofline
from fbench.reports.figures.canvas import INK, PAGE_WIDTH_IN, set_margins
from fbench.reports.figures.drawing import Drawing, Hotspot
from fbench.reports.figures.legend import add_legend, legend_height_in
from fbench.reports.figures.log_axis import plain_log_ticks
from fbench.reports.findings.costs.rooflines import RooflinePoint
from fbench.reports.formatting import percent, significant
from fbench.reports.palette import Style

_LineStyle = str | tuple[float, tuple[float, ...]]
_SLOPES: Final[tuple[_LineStyle, ...]] = ("solid", (0, (4, 3)))
_GIGA: Final = 1e9
_AXES_IN: Final = 2.8
_MOST_WITH_FLOORS: Final = 12
_SPARE: Final = 1.8
"""The axes reach beyond the points and the roofline by this factor."""


def roofline_chart(roofline: MachineRoofline, points: Sequence[RooflinePoint], styles: Mapping[str, Style]) -> Drawing:
    """Draw at least one point; a line joins a network's batches, of which the smallest has the small marker.

    A short dash above or below a batch is the FLOP/s that its layers reach one after another at the roofline. Each
    point answers the pointer.
    """
    names = list(dict.fromkeys(point.network for point in points))
    legend_in = legend_height_in([*_bandwidths(roofline), *names])

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        set_margins(figure, left=0.66, right=0.12, top=0.12, bottom=0.52 + legend_in)
        axes.set_xscale("log")
        axes.set_yscale("log")
        _limits(axes, roofline, points)
        rooflines = _draw_roofline(axes, roofline)
        for name in names:
            mine = [(number, point) for number, point in enumerate(points) if point.network == name]
            _draw_network(axes, mine, styles[name], with_floors=len(names) <= _MOST_WITH_FLOORS)
        axes.set_xlabel("FLOPs a byte (log scale)")
        axes.set_ylabel("GFLOP/s (log scale)")
        plain_log_ticks(axes.xaxis)
        plain_log_ticks(axes.yaxis, unit=_GIGA)
        handles = [*rooflines.values(), *(_handle(styles[name]) for name in names)]
        add_legend(figure, handles, [*rooflines, *names])

    spots = tuple(Hotspot(f"point-{number}", _words(point)) for number, point in enumerate(points))
    return Drawing(PAGE_WIDTH_IN, 0.12 + _AXES_IN + 0.52 + legend_in, _alt(roofline, points), paint, spots)


def best_cache(roofline: MachineRoofline) -> tuple[float, int]:
    """The greatest bandwidth in bytes a second, and over how many bytes it was measured."""
    best = max(roofline.bandwidth, key=lambda rate: rate.bytes_per_s)
    return best.bytes_per_s, best.working_set_bytes


def cache_words(roofline: MachineRoofline) -> str:
    """Which cache is the quickest: of how many bytes."""
    return f"a cache of {_bytes(best_cache(roofline)[1])}"


def share_words(share: float) -> str:
    """A share of the roofline in per cent; a call that exceeds it says that the roofline was measured too low."""
    return percent(share) if share <= 1 else "over 100"


def _limits(axes: Axes, roofline: MachineRoofline, points: Sequence[RooflinePoint]) -> None:
    ridge = roofline.peak_flops_per_s / roofline.memory_bytes_per_s
    intensities = [point.intensity for point in points]
    achieved = [point.achieved_flops_per_s for point in points]
    axes.set_xlim(min(intensities) / _SPARE, max(*intensities, ridge, min(intensities) * 2) * _SPARE)
    axes.set_ylim(min(achieved) / _SPARE, max(roofline.peak_flops_per_s, *achieved) * _SPARE)


def _draw_roofline(axes: Axes, roofline: MachineRoofline) -> dict[str, Line2D]:
    """The lines that slope, by what the legend calls them."""
    peak = roofline.peak_flops_per_s
    lines = {
        name: _draw_bandwidth(axes, peak, bandwidth, style)
        for (name, bandwidth), style in zip(_bandwidths(roofline).items(), _SLOPES, strict=False)
    }
    right = axes.get_xlim()[1]
    axes.annotate(
        f"peak {_gigas(peak)} GFLOP/s", (right, peak), (-2, 3), textcoords="offset points", ha="right", fontsize=9
    )
    return lines


def _bandwidths(roofline: MachineRoofline) -> dict[str, float]:
    """Bytes a second of memory, and of the quickest cache where that is quicker, by what the legend calls them."""
    memory, (cache, _) = roofline.memory_bytes_per_s, best_cache(roofline)
    found = {f"memory {_gigas(memory)} GB/s": memory}
    return found | ({f"cache {_gigas(cache)} GB/s": cache} if cache > memory else {})


def _draw_bandwidth(axes: Axes, peak: float, bandwidth: float, style: _LineStyle) -> Line2D:
    left, right = axes.get_xlim()
    ridge = min(peak / bandwidth, right)
    bends = [left, ridge, right] if ridge > left else [left, right]
    heights = [min(peak, bandwidth * intensity) for intensity in bends]
    (line,) = axes.plot(bends, heights, color=INK, linewidth=1.2, linestyle=style, alpha=0.75, zorder=1.5)
    return line


def _draw_network(axes: Axes, mine: Sequence[tuple[int, RooflinePoint]], style: Style, *, with_floors: bool) -> None:
    ordered = sorted((point for _, point in mine), key=lambda point: point.batch_size)
    xs, ys = [point.intensity for point in ordered], [point.achieved_flops_per_s for point in ordered]
    axes.plot(xs, ys, color=style.light, linewidth=0.9, alpha=0.5)
    for number, point in mine:
        ends = [point.least_flops_per_s, point.most_flops_per_s]
        axes.plot([point.intensity] * 2, ends, color=style.light, linewidth=1.1, alpha=0.55, solid_capstyle="butt")
        if with_floors:
            axes.plot(point.intensity, point.reachable_flops_per_s, marker="_", markersize=8, color=style.light)
        size = (4.0 if point is ordered[0] and len(ordered) > 1 else 7.0) * (1.0 if with_floors else 0.7)
        (dot,) = axes.plot(
            point.intensity,
            point.achieved_flops_per_s,
            marker=style.marker,
            markersize=size,
            color=style.light,
            linestyle="",
        )
        dot.set_gid(f"point-{number}")


def _handle(style: Style) -> Line2D:
    return Line2D([], [], color=style.light, marker=style.marker, markersize=5.5, linewidth=0.9)


def _words(point: RooflinePoint) -> str:
    return "\n".join(
        (
            f"{point.network}, batch {point.batch_size}",
            f"{significant(point.intensity)} FLOPs a byte",
            f"{_gigas(point.achieved_flops_per_s)} GFLOP/s",
            f"{share_words(point.share)} % of the roofline, layer by layer",
            f"bound by {point.bound}",
        )
    )


def _gigas(value: float) -> str:
    return significant(value / _GIGA)


def _bytes(amount: int) -> str:
    mebi = amount / 2**20
    return f"{mebi:g} MiB" if mebi >= 1 else f"{amount / 2**10:g} KiB"


def _alt(roofline: MachineRoofline, points: Sequence[RooflinePoint]) -> str:
    lowest, highest = (f(points, key=lambda point: point.share) for f in (min, max))
    ends = [f"{share_words(one.share)} % ({one.network}, batch {one.batch_size})" for one in (lowest, highest)]
    spread = ends[0] if lowest is highest else " to ".join(ends)
    slopes = f"memory {_gigas(roofline.memory_bytes_per_s)} GB/s"
    if len(_bandwidths(roofline)) > 1:
        slopes += f", {cache_words(roofline)} {_gigas(best_cache(roofline)[0])} GB/s"
    return (
        f"Roofline: peak {_gigas(roofline.peak_flops_per_s)} GFLOP/s, {slopes}. Calls reach {spread} of what the "
        "machine allows their layers."
    )
