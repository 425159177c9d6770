"""Training time: a row per network, trials as they ran above the same images at the speed of a step by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Final, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fbench.reports.figures.canvas import INK, PAGE_WIDTH_IN, set_margins
from fbench.reports.figures.drawing import Drawing
from fbench.reports.figures.log_axis import plain_log_ticks
from fbench.reports.findings.tradeoffs.training_time import TrainingTimeRow
from fbench.reports.formatting import shorten, significant
from fbench.reports.palette import Style
from fbench.statistics.intervals import Interval

_ROW_IN: Final = 0.4
_AS_THEY_RAN: Final = 0.06  # of a row, below its middle; the name stands above
_ALONE: Final = 0.28
_MOST_NAMED: Final = 8


class _Style(NamedTuple):
    linewidth: float
    marker: str
    markersize: float


_TRIALS: Final = _Style(3.2, "o", 6.0)
_STEP: Final = _Style(1.3, "D", 3.6)


def training_time_chart(rows: Sequence[TrainingTimeRow], styles: Mapping[str, Style]) -> Drawing:
    """Seconds of a trial, at least one row, the quickest first: by the step alone where that was timed for all.

    The upper, thick line of a row is the mean trial, the lower, thin one the same images with nothing beside them.
    """
    ordered = sorted(rows, key=_alone if all(row.alone_s for row in rows) else _as_run)
    has_steps = any(row.alone_s for row in rows)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        set_margins(figure, left=0.2, right=0.2, top=0.34 if has_steps else 0.12, bottom=0.52)
        axes.set_xscale("log")
        for index, row in enumerate(ordered):
            style = styles[row.network]
            _interval(axes, row.trial_s, index + _AS_THEY_RAN, style, _TRIALS)
            if row.alone_s is not None:
                _interval(axes, row.alone_s, index + _ALONE, style, _STEP)
            name = shorten(row.network, 40)
            where = axes.get_yaxis_transform()
            axes.text(0.004, index - 0.27, name, transform=where, va="center", fontsize=9, gid=f"label-{index}")
        axes.set_yticks([])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("seconds of training (log scale)")
        axes.margins(x=0.06)
        axes.autoscale_view(scaley=False)
        plain_log_ticks(axes.xaxis)
        if has_steps:
            _legend(figure, axes)

    return Drawing(PAGE_WIDTH_IN, (0.92 if has_steps else 0.7) + _ROW_IN * len(rows), _alt(ordered), paint)


def _interval(axes: Axes, found: Interval, height: float, style: Style, stroke: _Style) -> None:
    if isfinite(found.low) and isfinite(found.high):
        ends = [found.low, found.high]
        axes.plot(ends, [height] * 2, color=style.light, linewidth=stroke.linewidth, solid_capstyle="butt")
    axes.plot(found.estimate, height, marker=stroke.marker, markersize=stroke.markersize, color=style.light)


def _legend(figure: Figure, axes: Axes) -> None:
    for label, stroke in (("trials as they ran", _TRIALS), ("the step alone", _STEP)):
        axes.plot([], [], color=INK, label=label, **stroke._asdict())
    figure.legend(loc="upper right", ncols=2, borderaxespad=0)


def _as_run(row: TrainingTimeRow) -> float:
    return row.trial_s.estimate


def _alone(row: TrainingTimeRow) -> float:
    return row.alone_s.estimate if row.alone_s else float("inf")


def _alt(ordered: Sequence[TrainingTimeRow]) -> str:
    found = [f"{row.network} {_seconds(row)}" for row in ordered[:_MOST_NAMED]]
    more = f"; {len(ordered) - _MOST_NAMED} take longer" if len(ordered) > _MOST_NAMED else ""
    return f"Seconds of training a trial, the quickest first: {'; '.join(found)}{more}."


def _seconds(row: TrainingTimeRow) -> str:
    alone = f", by the step alone {significant(row.alone_s.estimate)}" if row.alone_s else ""
    trial = row.trial_s
    between = f" ({significant(trial.low)} – {significant(trial.high)})" if isfinite(trial.low) else ""
    return f"{significant(trial.estimate)}{between}{alone}"
