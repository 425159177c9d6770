"""Training time of a trial: a dot for each network with its interval, the fastest at the top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Final

from matplotlib.figure import Figure

from fbench.reports.figures.canvas import PAGE_WIDTH_IN, set_margins
from fbench.reports.figures.drawing import Drawing
from fbench.reports.palette import Appearance
from fbench.reports.training_time import TrainingTimeRow
from fbench.reports.wording import listing, shorten, significant

_ROW_IN: Final = 0.36
_MOST_NAMED: Final = 3


def training_time_chart(rows: Sequence[TrainingTimeRow], looks: Mapping[str, Appearance]) -> Drawing:
    """Draw at least one network; seconds from zero, so that lengths can be compared."""
    ordered = sorted(rows, key=lambda row: row.trial_s.estimate)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        set_margins(figure, left=0.12, right=0.15, top=0.08, bottom=0.52)
        for place, row in enumerate(ordered):
            look, time = looks[row.network], row.trial_s
            axes.plot([0, time.estimate], [place + 0.15] * 2, color=look.light, linewidth=1.2, alpha=0.5)
            if not isnan(time.low):
                axes.plot([time.low, time.high], [place + 0.15] * 2, color=look.light, linewidth=3)
            axes.plot(time.estimate, place + 0.15, marker=look.marker, markersize=6.5, color=look.light)
            axes.text(
                0.0,
                place - 0.24,
                f"{shorten(row.network, 34)}  {significant(time.estimate)} s",
                transform=axes.get_yaxis_transform(),
                va="center",
                fontsize=9.5,
                gid=f"label-{place}",
            )
        axes.set_yticks([])
        axes.set_ylim(len(ordered) - 0.5, -0.6)
        axes.set_xlim(left=0)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("training time of a trial, s")

    return Drawing(PAGE_WIDTH_IN, 0.62 + _ROW_IN * len(ordered), _alt(ordered), paint)


def _alt(ordered: Sequence[TrainingTimeRow]) -> str:
    named = ordered if len(ordered) <= 2 * _MOST_NAMED else [*ordered[:_MOST_NAMED], *ordered[-_MOST_NAMED:]]
    words = listing([f"{row.network} {significant(row.trial_s.estimate)} s" for row in named])
    which = "" if len(named) == len(ordered) else ", the three fastest and the three slowest"
    return f"Training time of a trial, the fastest first{which}: {words}."
