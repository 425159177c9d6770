"""Logarithmic axes with few ticks at round numbers, written plainly."""

from __future__ import annotations

import math
from typing import Final

from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

_SMALLEST_SPAN: Final = 2.0
_LEADING_DIGITS: Final = (
    (1.0,),
    (1.0, 2.0, 5.0),
    (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0),
    (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0),
    tuple(k / 10 for k in range(10, 100)),
)


def plain_log_ticks(axis: Axis, unit: float = 1.0) -> None:
    """Round numbers on a log axis whose limits are set; matplotlib's own crowd a range of less than a decade.

    Args:
        axis: whose limits are widened if they are close to each other.
        unit: what a tick is divided by before it is written: 1e9 writes FLOP/s as GFLOP/s.
    """
    low, high = widen(*axis.get_view_interval())
    axes = axis.axes
    (axes.set_xlim if axis is axes.xaxis else axes.set_ylim)(low, high)
    axis.set_major_locator(FixedLocator(log_ticks(low, high)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / unit:,.6g}"))
    axis.set_minor_locator(NullLocator())


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
