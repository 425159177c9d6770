"""One forest plot of all ablations: a row for each comparison, on one scale, with the margin that matters as a band."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isnan
from typing import Final, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fbench.reports.figures.canvas import (
    BAND,
    FAINT,
    INK,
    PAGE_WIDTH_IN,
    VERDICT_COLOURS,
    WIDE_PAGE_IN,
    set_margins,
)
from fbench.reports.figures.drawing import Drawing, Hotspot
from fbench.reports.figures.lettering import fitted, text_width_in, wrapped_name
from fbench.reports.findings.comparisons.units import NEW_UNITS
from fbench.reports.findings.overview.ablations import Ablation
from fbench.reports.findings.overview.without_result import NetworkWithoutResult
from fbench.reports.formatting import points, points_range
from fbench.statistics.comparison.verdict import Verdict

MARKERS: Final[dict[Verdict, str]] = {"better": "^", "worse": "v", "equivalent": "D", "undecided": "o"}

NamePlace = Literal["beside", "above"]
"""Of the names: beside the rows where the page is wide, above them on a telephone, so that the plot has its width."""

_WIDTH_IN: Final[dict[NamePlace, float]] = {"beside": WIDE_PAGE_IN, "above": PAGE_WIDTH_IN}
_NAME_IN: Final[dict[NamePlace, float]] = {"beside": 2.1, "above": PAGE_WIDTH_IN - 0.24}
_MARKS_IN: Final = 0.25
"""Of a row, without names above it."""
_LINE_IN: Final = 0.15
_FONT: Final = 9.0
_BOLD: Final = 1.1
"""Times the width of a name that is not bold."""
_MOST_LINES: Final = 3
_EDGE_IN: Final = 0.12
_TOP_IN: Final = 0.3
_BOTTOM_IN: Final = 0.5
_DOTS_IN: Final = -0.07
"""From the middle of a row, where the corrected interval is, downwards."""
_PLAIN_IN: Final = 0.055


@dataclass(frozen=True)
class _Line:
    """A row of the figure: a comparison, a network without one, or what the next ones are held against.

    ``top`` is where it begins and ``middle`` where its interval lies, in inches from the top of the axes; ``words``
    stand in the place of an interval.
    """

    texts: tuple[str, ...]
    ablation: Ablation | None
    words: str
    top: float
    middle: float
    bottom: float


def ablations_forest(
    rows: Sequence[Ablation], without_result: Sequence[NetworkWithoutResult] = (), names: NamePlace = "beside"
) -> Drawing:
    """Top-1 of each network minus its baseline's, in percentage points; at least one row.

    The thick line is the interval at the level at which the comparison was tested among all, the thin one that of 95 %
    for itself; a dot is one pair of seeds on this test set; the band is the margin that matters. Colour and marker say
    the verdict. Networks ``without_result`` are named at the end with the reason.
    """
    lines = list(_lines(rows, without_result, names))
    height = lines[-1].bottom
    name_width = text_width_in([text for line in lines for text in line.texts], _FONT)
    room = _EDGE_IN if names == "above" else _BOLD * name_width + _EDGE_IN

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        set_margins(figure, left=room, right=_EDGE_IN, top=_TOP_IN, bottom=_BOTTOM_IN)
        _draw_bands(axes, lines)
        for place, line in enumerate(lines):
            if line.ablation is not None:
                _draw_row(axes, line, line.ablation, place)
        _finish(axes, height)
        plot_in = _WIDTH_IN[names] - room - _EDGE_IN
        for place, line in enumerate(lines):
            _write(axes, line, place, names, plot_in)
        verdicts = dict.fromkeys(row.comparison.verdict for row in rows)
        for verdict in verdicts:
            axes.plot([], [], linestyle="", marker=MARKERS[verdict], color=VERDICT_COLOURS[verdict], label=verdict)
        figure.legend(loc="upper right", ncols=4, borderaxespad=0, handletextpad=0.2, columnspacing=1.0)

    spots = tuple(
        Hotspot(_gid(place), _words(line.ablation)) for place, line in enumerate(lines) if line.ablation is not None
    )
    return Drawing(_WIDTH_IN[names], _TOP_IN + height + _BOTTOM_IN, _alt(rows, without_result), paint, spots)


def _lines(
    rows: Sequence[Ablation], without_result: Sequence[NetworkWithoutResult], names: NamePlace
) -> Iterator[_Line]:
    """The rows from top to bottom; names stand whole, in as many lines as they need, but for endless ones."""
    room, top = _NAME_IN[names], 0.0
    wanted: list[tuple[tuple[str, ...], Ablation | None, str]] = []
    for baseline, members in groupby(rows, key=lambda row: row.comparison.baseline):
        wanted.append((tuple(wrapped_name(f"against {baseline}", room / _BOLD, _FONT, _MOST_LINES)), None, ""))
        wanted += [(tuple(wrapped_name(row.comparison.network, room, _FONT, _MOST_LINES)), row, "") for row in members]
    if without_result:
        wanted.append((("without a result",), None, ""))
        wanted += [
            (tuple(wrapped_name(one.network, room, _FONT, _MOST_LINES)), None, one.reason) for one in without_result
        ]
    for texts, ablation, words in wanted:
        lettering, has_marks = _LINE_IN * len(texts), ablation is not None or bool(words)
        if names == "above":
            bottom = top + lettering + (_MARKS_IN if has_marks else 0.08)
            middle = bottom - _MARKS_IN / 2
        else:
            bottom = top + max(_MARKS_IN, lettering + 0.06)
            middle = (top + bottom) / 2
        yield _Line(texts, ablation, words, top, middle, bottom)
        top = bottom


def _draw_bands(axes: Axes, lines: Sequence[_Line]) -> None:
    """The margin of each row; neighbours of one margin share a bar, without a seam."""
    for margin, members in groupby(lines, key=lambda line: line.ablation.margin if line.ablation else None):
        if margin is not None:
            found = list(members)
            middle, height = (found[0].top + found[-1].bottom) / 2, found[-1].bottom - found[0].top
            axes.barh(middle, 200 * margin, left=-100 * margin, height=height, color=BAND, linewidth=0, zorder=0)


def _draw_row(axes: Axes, line: _Line, ablation: Ablation, place: int) -> None:
    row, colour = ablation.comparison, VERDICT_COLOURS[ablation.comparison.verdict]
    axes.plot(
        [100 * one for one in ablation.by_seed],
        [line.middle + _DOTS_IN] * len(ablation.by_seed),
        linestyle="",
        marker=".",
        markersize=3.6,
        color=colour,
        alpha=0.75,
        zorder=2,
    )
    for (low, high), below, width in ((row.plain_interval, _PLAIN_IN, 1.1), (row.interval, 0.0, 3.0)):
        if row.is_tested and not isnan(low):
            ends, heights = [100 * low, 100 * high], [line.middle + below] * 2
            axes.plot(ends, heights, color=colour, linewidth=width, zorder=3, solid_capstyle="butt")
    axes.plot(
        100 * row.estimate,
        line.middle,
        marker=MARKERS[row.verdict],
        markersize=6,
        color=colour,
        markeredgecolor=FAINT,
        zorder=4,
        gid=_gid(place),
    )


def _finish(axes: Axes, height: float) -> None:
    axes.axvline(0, color=INK, linewidth=1, zorder=1)
    axes.set_ylim(height, 0)
    axes.set_yticks([])
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.04)
    axes.set_xlabel("top-1 minus the baseline’s, points", loc="right")


def _write(axes: Axes, line: _Line, place: int, names: NamePlace, plot_in: float) -> None:
    """The name of a row, beside or above its marks, and what stands in their place."""
    inches = axes.get_yaxis_transform()
    is_heading = line.ablation is None and not line.words
    first = line.top + 0.04 + _LINE_IN / 2 if names == "above" else _first_line(line)
    for index, text in enumerate(line.texts):
        axes.text(
            0.0 if names == "above" else -0.06 / plot_in,
            first + _LINE_IN * index,
            text,
            transform=inches,
            ha="left" if names == "above" else "right",
            va="center",
            fontsize=_FONT,
            fontweight="bold" if is_heading else "normal",
            gid=f"label-{place}-{index}",  # the page draws a rim around it, over what is below
        )
    if line.words:
        words = fitted(line.words, plot_in, _FONT)
        axes.text(0.0, line.middle, words, transform=inches, va="center", fontsize=_FONT, gid=f"label-{place}-words")


def _first_line(line: _Line) -> float:
    return line.middle - _LINE_IN * (len(line.texts) - 1) / 2


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


def _alt(rows: Sequence[Ablation], without_result: Sequence[NetworkWithoutResult]) -> str:
    found = [
        f"{row.network} against {row.baseline} {points(row.estimate)} ({points_range(*row.interval)}), {row.verdict}"
        if row.is_tested
        else f"{row.network} against {row.baseline} {points(row.estimate)}, not tested"
        for row in (one.comparison for one in rows)
    ]
    found += [f"{one.network}: {one.reason}" for one in without_result]
    return f"All ablations on one scale, top-1 differences in percentage points: {'; '.join(found)}."
