"""The roofline: what a machine can do at most for each byte, and what each network does of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from fbench.reports.figures.canvas import INK, PAGE_WIDTH_IN, set_margins
from fbench.reports.figures.drawing import Drawing, Hotspot
from fbench.reports.figures.pareto import log_ticks, widen
from fbench.reports.palette import Appearance
from fbench.reports.roofs import Roofline, RoofPoint
from fbench.reports.wording import count, listing, percent, significant

_GIGA: Final = 1e9
_MOST_NAMED: Final = 4


def roofline_chart(found: Roofline, looks: Mapping[str, Appearance]) -> Drawing:
    """Billions of operations a second against operations a byte; small marks are of batch 1, large ones of more."""
    compute = found.roof.peak_flops_per_s / _GIGA
    memory = found.roof.memory_bytes_per_s / _GIGA
    cache = max(rate.bytes_per_s for rate in found.roof.bandwidth) / _GIGA

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        set_margins(figure, left=0.72, right=0.12, top=0.12, bottom=0.52)
        axes.set_xscale("log")
        axes.set_yscale("log")
        places = [point.intensity for point in found.points]
        low, high = widen(min([*places, 0.8 * compute / cache]) / 1.6, max([*places, compute / memory]) * 1.6)
        across = np.geomspace(low, high, 200)
        axes.plot(across, np.minimum(compute, memory * across), color=INK, linewidth=1.4, label="from main memory")
        axes.plot(
            across, np.minimum(compute, cache * across), color=INK, linewidth=1.0, linestyle=(0, (4, 3)),
            label="from the fastest cache",
        )  # fmt: skip
        for number, point in enumerate(found.points):
            look = looks[point.network]
            size = 5.5 if point.batch_size == 1 else 8.0
            (dot,) = axes.plot(
                point.intensity, point.flops_per_s / _GIGA, marker=look.marker, markersize=size, color=look.light,
                linestyle="",
            )  # fmt: skip
            dot.set_gid(f"point-{number}")
        axes.set_xlim(low, high)
        for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            axis.set_major_locator(FixedLocator(log_ticks(*limits)))
            axis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:,.6g}"))
            axis.set_minor_locator(NullLocator())
        axes.set_xlabel("operations for each byte moved")
        axes.set_ylabel("10⁹ operations a second")
        axes.legend(loc="lower right")

    spots = tuple(Hotspot(f"point-{number}", _words(point)) for number, point in enumerate(found.points))
    return Drawing(PAGE_WIDTH_IN, 3.5, _alt(found), paint, spots)


def _words(point: RoofPoint) -> str:
    return "\n".join(
        [
            point.network,
            f"{count(point.batch_size)} {'image' if point.batch_size == 1 else 'images'} in a call",
            f"{significant(point.intensity)} operations a byte",
            f"{significant(point.flops_per_s / _GIGA)} billion operations a second",
            f"{percent(point.share, 0)} % of what its layers could reach one after another",
            f"bound by {'arithmetic' if point.bound == 'compute' else 'memory'}",
        ]
    )


def _alt(found: Roofline) -> str:
    ordered = sorted(found.points, key=lambda point: -point.share)
    shown = [
        f"{point.network} {percent(point.share, 0)} % in calls of {count(point.batch_size)}"
        for point in ordered[:_MOST_NAMED]
    ]
    return (
        f"Roofline of a machine of {significant(found.roof.peak_flops_per_s / _GIGA)} billion operations a second. "
        f"Nearest to what their layers could reach: {listing(shown)}."
    )
