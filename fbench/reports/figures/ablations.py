"""One forest plot of all ablations: a row for each comparison, on one scale, with the margin that matters as a band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isnan
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fbench.reports.figures.canvas import (
    BAND,
    FAINT,
    INK,
    PAGE_WIDTH_IN,
    VERDICT_COLOURS,
    set_margins,
)
from fbench.reports.figures.drawing import Drawing, Hotspot
from fbench.reports.figures.lettering import fitted, text_width_in
from fbench.reports.findings.comparisons.units import NEW_UNITS
from fbench.reports.findings.overview.ablations import Ablation
from fbench.reports.formatting import points, points_range
from fbench.statistics.comparison.verdict import Verdict

MARKERS: Final[dict[Verdict, str]] = {"better": "^", "worse": "v", "equivalent": "D", "undecided": "o"}

_ROW_IN: Final = 0.265
_FONT: Final = 9.0
_MOST_ROOM_IN: Final = 1.6
_DOTS: Final = -0.26  # of a row, above its middle, where the corrected interval is
_PLAIN: Final = 0.22


@dataclass(frozen=True)
class _Line:
    """A row of the figure: a comparison, or the name of the baseline that the next ones have."""

    ablation: Ablation | None
    text: str


def ablations_forest(rows: Sequence[Ablation]) -> Drawing:
    """Top-1 of each network minus its baseline's, in percentage points; at least one row.

    The thick line is the interval at the level at which the comparison was tested among all, the thin one that of 95 %
    for itself; a dot is one pair of seeds on this test set; the band is the margin that matters. Colour and marker say
    the verdict.
    """
    lines = _lines(rows)
    room = 1.1 * text_width_in([line.text for line in lines], _FONT) + 0.1  # the bold ones are wider

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        set_margins(figure, left=room, right=0.12, top=0.3, bottom=0.5)
        for place, line in enumerate(lines):
            if line.ablation is not None:
                _draw_row(axes, line.ablation, place)
        _finish(axes, lines)
        verdicts = dict.fromkeys(row.comparison.verdict for row in rows)
        for verdict in verdicts:
            axes.plot([], [], linestyle="", marker=MARKERS[verdict], color=VERDICT_COLOURS[verdict], label=verdict)
        figure.legend(loc="upper right", ncols=4, borderaxespad=0, handletextpad=0.2, columnspacing=1.0)

    spots = tuple(
        Hotspot(_gid(place), _words(line.ablation)) for place, line in enumerate(lines) if line.ablation is not None
    )
    return Drawing(PAGE_WIDTH_IN, 0.84 + _ROW_IN * len(lines), _alt(rows), paint, spots)


def _lines(rows: Sequence[Ablation]) -> list[_Line]:
    found = []
    for baseline, members in groupby(rows, key=lambda row: row.comparison.baseline):
        found.append(_Line(None, f"against {fitted(baseline, _MOST_ROOM_IN - 0.55, _FONT)}"))
        found += [_Line(row, fitted(row.comparison.network, _MOST_ROOM_IN, _FONT)) for row in members]
    return found


def _draw_row(axes: Axes, ablation: Ablation, place: int) -> None:
    row, colour = ablation.comparison, VERDICT_COLOURS[ablation.comparison.verdict]
    edge = 100 * ablation.margin
    axes.barh(place, 2 * edge, left=-edge, height=1.0, color=BAND, linewidth=0, zorder=0)
    axes.plot(
        [100 * one for one in ablation.by_seed],
        [place + _DOTS] * len(ablation.by_seed),
        linestyle="",
        marker=".",
        markersize=3.6,
        color=colour,
        alpha=0.55,
        zorder=2,
    )
    for (low, high), below, width in ((row.plain_interval, _PLAIN, 1.1), (row.interval, 0.0, 3.0)):
        if row.is_tested and not isnan(low):
            ends, height = [100 * low, 100 * high], [place + below] * 2
            axes.plot(ends, height, color=colour, linewidth=width, zorder=3, solid_capstyle="butt")
    axes.plot(
        100 * row.estimate,
        place,
        marker=MARKERS[row.verdict],
        markersize=6,
        color=colour,
        markeredgecolor=FAINT,
        zorder=4,
        gid=_gid(place),
    )


def _finish(axes: Axes, lines: Sequence[_Line]) -> None:
    axes.axvline(0, color=INK, linewidth=1, zorder=1)
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.set_yticks(range(len(lines)), [line.text for line in lines])
    for label, line in zip(axes.get_yticklabels(), lines, strict=True):
        label.set_fontsize(_FONT)
        label.set_fontweight("bold" if line.ablation is None else "normal")
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.04)
    axes.set_xlabel("top-1 minus the baseline’s, points", loc="right")


def _gid(place: int) -> str:
    return f"row-{place}"


def _words(ablation: Ablation) -> str:
    row = ablation.comparison
    interval = f"corrected interval for {NEW_UNITS[row.unit]}: {points_range(*row.interval)}"
    lines = [
        f"{row.network} against {row.baseline}: {row.verdict}",
        f"{points(row.estimate)} points",
        interval if row.is_tested else row.untested,
        f"{row.difference.seeds} seeds; study: {ablation.study}",
    ]
    return "\n".join(line for line in lines if line)


def _alt(rows: Sequence[Ablation]) -> str:
    found = [
        f"{row.network} against {row.baseline} {points(row.estimate)} ({points_range(*row.interval)}), {row.verdict}"
        if row.is_tested
        else f"{row.network} against {row.baseline} {points(row.estimate)}, not tested"
        for row in (one.comparison for one in rows)
    ]
    return f"All ablations on one scale, top-1 differences in percentage points: {'; '.join(found)}."
