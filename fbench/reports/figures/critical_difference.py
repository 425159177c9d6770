"""The critical-difference diagram: networks by average rank, and bars beside those that do not differ.

As in Demsar 2006 (Journal of Machine Learning Research 7, figure 1), turned upright: a row for each network, so that
names of any length and many networks fit a narrow page; and with bars from the matrix of p-values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fbench.reports.figures.canvas import INK, PAGE_WIDTH_IN, set_margins
from fbench.reports.figures.drawing import Drawing
from fbench.reports.figures.lettering import fitted, text_width_in
from fbench.reports.formatting import listing, number
from fbench.reports.palette import Style

_ROW_IN: Final = 0.235
_BAR_IN: Final = 0.11
_MOST_BAR_ROOM_IN: Final = 0.6
_MOST_NAME_IN: Final = 1.4
_NUMBER_IN: Final = 0.48  # right of the last rank, for its number
_TICK_IN: Final = 0.26
_FONT_SIZE: Final = 9.0
_MOST_NAMED: Final = 6


@dataclass(frozen=True)
class RankedNetworks:
    """What the diagram shows: average ranks (1 is best), groups that do not differ, and Nemenyi's difference.

    ``groups`` are tuples of positions in ``networks``, as :func:`fbench.statistics.many.cliques.cliques` gives them;
    ``critical_difference`` is drawn as a ruler and may be NaN.
    """

    networks: tuple[str, ...]
    average_ranks: tuple[float, ...]
    groups: tuple[tuple[int, ...], ...]
    critical_difference: float


def critical_difference_diagram(ranked: RankedNetworks, styles: Mapping[str, Style]) -> Drawing:
    """Draw at least two networks, the best at the top."""
    order = sorted(range(len(ranked.networks)), key=lambda index: ranked.average_ranks[index])
    row_of = {index: row for row, index in enumerate(order)}
    ends = [_ends(group, row_of) for group in ranked.groups]
    levels = stack_bars(ends)
    bars = min(_MOST_BAR_ROOM_IN, _BAR_IN * (max(levels, default=-1) + 1))
    names = [fitted(ranked.networks[index], _MOST_NAME_IN, _FONT_SIZE) for index in order]
    room = text_width_in(names, _FONT_SIZE) + 0.15
    width = PAGE_WIDTH_IN - room - bars - 0.2
    ruled = math.isfinite(ranked.critical_difference)
    top = 0.62 if ruled else 0.4

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        set_margins(figure, left=room, right=bars + 0.2, top=top, bottom=0.05)
        _axis(axes, len(order), width)
        axes.set_yticks(range(len(order)), names)
        for row, index in enumerate(order):
            style, rank = styles[ranked.networks[index]], ranked.average_ranks[index]
            axes.plot([0.8, rank], [row, row], color=style.light, linewidth=1.2, alpha=0.6)
            axes.plot(rank, row, marker=style.marker, markersize=6.5, color=style.light)
            axes.annotate(
                number(rank, 2), (rank, row), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9
            )
        step = bars / max(1, max(levels, default=0) + 1) / width
        for level, (first, last) in zip(levels, ends, strict=True):
            axes.plot(
                [1 + 0.1 / width + step * (level + 0.5)] * 2,
                [first - 0.3, last + 0.3],
                transform=axes.get_yaxis_transform(),
                color=INK,
                linewidth=3.0,
                solid_capstyle="butt",
                clip_on=False,
            )
        if ruled:
            _ruler(axes, ranked.critical_difference, len(order), 1 + 0.42 / (_ROW_IN * (len(order) + 0.2)))

    height = top + 0.05 + _ROW_IN * (len(order) + 0.2)
    return Drawing(PAGE_WIDTH_IN, height, _alt(ranked, order), paint)


def stack_bars(ends: Sequence[tuple[float, float]]) -> list[int]:
    """For each bar (low, high) the first level on which it meets no earlier one."""
    taken: list[float] = []
    levels = []
    for low, high in ends:
        level = next((index for index, end in enumerate(taken) if end < low - 0.1), len(taken))
        taken[level : level + 1] = [high]
        levels.append(level)
    return levels


def _axis(axes: Axes, count: int, width_in: float) -> None:
    """Ranks along the top, the best network's row first."""
    axes.set_xlim(0.8, count + _NUMBER_IN * (count - 0.8) / (width_in - _NUMBER_IN))
    axes.set_ylim(count - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.spines["top"].set_visible(True)
    axes.tick_params(axis="y", length=0, labelsize=_FONT_SIZE)
    axes.xaxis.tick_top()
    axes.set_xticks(_ticks(count, int((width_in - _NUMBER_IN) / _TICK_IN)))


def _ticks(count: int, most: int) -> list[int]:
    """At most so many ranks and one more, the first and the last among them."""
    step = math.ceil(count / most)
    return [*(rank for rank in range(1, count, step) if count - rank > step / 2), count]


def _ruler(axes: Axes, difference: float, count: int, height: float) -> None:
    """How far apart two average ranks must be, above the axis; cut where it is longer than the axis."""
    end = min(1 + difference, count)
    whole = end == 1 + difference
    transform = axes.get_xaxis_transform()
    axes.plot([1, end], [height] * 2, transform=transform, color=INK, linewidth=1.4, clip_on=False)
    for edge in (1, end) if whole else (1,):
        axes.plot([edge], [height], marker="|", markersize=7, transform=transform, color=INK, clip_on=False)
    longer = "" if whole else ", longer than the axis"
    axes.annotate(
        f"critical difference {number(difference, 2)}{longer}",
        (1, height),
        xycoords=transform,
        xytext=(0, 4),
        textcoords="offset points",
        va="bottom",
        fontsize=9,
        annotation_clip=False,
    )


def _ends(group: Sequence[int], row_of: Mapping[int, int]) -> tuple[int, int]:
    rows = [row_of[index] for index in group]
    return min(rows), max(rows)


def _alt(ranked: RankedNetworks, order: Sequence[int]) -> str:
    names = [f"{ranked.networks[index]} {number(ranked.average_ranks[index], 2)}" for index in order]
    shown = names if len(names) <= 2 * _MOST_NAMED else [*names[:_MOST_NAMED], "…", *names[-_MOST_NAMED:]]
    return f"Average ranks, 1 is best: {', '.join(shown)}. {_groups_sentence(ranked, order)}"


def _groups_sentence(ranked: RankedNetworks, order: Sequence[int]) -> str:
    if not ranked.groups:
        return "All pairs differ."
    if len(ranked.groups) == 1 and len(ranked.groups[0]) == len(order):
        return "No two networks differ."
    best = order[0]
    alike = [group for group in ranked.groups if best in group]
    if not alike:
        return f"{ranked.networks[best]} differs from all others."
    others = [ranked.networks[index] for index in alike[0] if index != best]
    if len(others) > _MOST_NAMED:
        return f"The first, {ranked.networks[best]}, does not differ from the next {len(others)}."
    return f"The first, {ranked.networks[best]}, does not differ from {listing(others)}."
