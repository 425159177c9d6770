"""The critical-difference diagram: networks on an axis of average ranks, and bars over those that do not differ.

As in Demsar 2006 (Journal of Machine Learning Research 7, figure 1), but with bars from the matrix of p-values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes

from fbench.reports.figures.canvas import FAINT, INK, new_figure, set_margins, text_width_in, to_svg
from fbench.reports.palette import Appearance
from fbench.reports.wording import listing, number, shorten

_ROW_IN: Final = 0.235
_BAR_IN: Final = 0.1
_FONT_SIZE: Final = 9.0
_AXIS_IN: Final = 4.2
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


def critical_difference_diagram(ranked: RankedNetworks, looks: Mapping[str, Appearance], key: str) -> str:
    """Draw at least two networks as SVG, the better half named on the left, the best at the top."""
    order = sorted(range(len(ranked.networks)), key=lambda place: ranked.average_ranks[place])
    left, right = order[: math.ceil(len(order) / 2)], order[math.ceil(len(order) / 2) :]
    levels = stack_bars([_ends(ranked, group) for group in ranked.groups])
    bars = 0.1 + _BAR_IN * (max(levels, default=-1) + 1)
    depth = bars + _ROW_IN * (len(left) + 0.2)
    names = [_label(ranked, place) for place in order]
    room = text_width_in(names, _FONT_SIZE) + 0.25
    ruler = 0.4 if math.isfinite(ranked.critical_difference) else 0.05
    with new_figure(_AXIS_IN + 2 * room, ruler + 0.3 + depth) as figure:
        axes = figure.subplots()
        set_margins(figure, left=room, right=room, top=ruler + 0.3, bottom=0.0)
        _axis(axes, len(order), depth)
        for side, places in (("left", left), ("right", right[::-1])):
            for row, place in enumerate(places):
                _name(axes, ranked, place, bars + _ROW_IN * (row + 0.5), side, looks)
        for level, group in zip(levels, ranked.groups, strict=True):
            low, high = _ends(ranked, group)
            height = 0.1 + _BAR_IN * level
            axes.plot([low - 0.04, high + 0.04], [height] * 2, color=INK, linewidth=3.2, solid_capstyle="butt")
        if math.isfinite(ranked.critical_difference):
            _ruler(axes, ranked.critical_difference, len(order))
        return to_svg(figure, key, _alt(ranked, order))


def stack_bars(ends: Sequence[tuple[float, float]]) -> list[int]:
    """For each bar (low, high) the first level on which it meets no earlier one."""
    taken: list[float] = []
    levels = []
    for low, high in ends:
        level = next((place for place, end in enumerate(taken) if end < low - 0.1), len(taken))
        taken[level : level + 1] = [high]
        levels.append(level)
    return levels


def _axis(axes: Axes, count: int, depth: float) -> None:
    """Ranks along the top, in inches downwards."""
    axes.set_xlim(0.9, count + 0.1)
    axes.set_ylim(depth, 0)
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.spines["top"].set_visible(True)
    axes.spines["top"].set_bounds(1, count)
    axes.yaxis.set_visible(False)
    axes.xaxis.tick_top()
    axes.set_xticks(_ticks(count))


def _ticks(count: int) -> list[int]:
    """At most 13 ranks, the first and the last among them."""
    step = math.ceil(count / 12)
    return [*(rank for rank in range(1, count, step) if count - rank > step / 2), count]


def _name(
    axes: Axes, ranked: RankedNetworks, place: int, height: float, side: str, looks: Mapping[str, Appearance]
) -> None:
    """A line from the axis down to the row of the name, then out to its side."""
    rank, look = ranked.average_ranks[place], looks[ranked.networks[place]]
    low, high = axes.get_xlim()
    edge = low if side == "left" else high
    axes.plot([rank, rank, edge], [0, height, height], color=look.light, linewidth=1.1, clip_on=False)
    axes.plot(rank, 0, marker=look.marker, markersize=5.5, color=look.light, clip_on=False, zorder=3)
    axes.annotate(
        _label(ranked, place, side),
        (edge, height),
        xytext=(-5 if side == "left" else 5, 0),
        textcoords="offset points",
        ha="right" if side == "left" else "left",
        va="center",
        fontsize=_FONT_SIZE,
        annotation_clip=False,
    )


def _label(ranked: RankedNetworks, place: int, side: str = "left") -> str:
    name, rank = shorten(ranked.networks[place], 24), number(ranked.average_ranks[place], 2)
    return f"{name}  {rank}" if side == "left" else f"{rank}  {name}"


def _ruler(axes: Axes, difference: float, count: int) -> None:
    """How far apart two average ranks must be, above the axis; cut where it is longer than the axis."""
    height, end = -0.46, min(1 + difference, count)
    axes.plot([1, end], [height] * 2, color=INK, linewidth=1.4, clip_on=False)
    for edge in (1, end) if end == 1 + difference else (1,):
        axes.plot([edge] * 2, [height - 0.04, height + 0.04], color=INK, linewidth=1.4, clip_on=False)
    longer = "" if end == 1 + difference else ", longer than the axis"
    axes.text(1, height - 0.06, f"critical difference {number(difference, 2)}{longer}", va="bottom", fontsize=8.5)
    axes.plot([end] * 2, [height + 0.04, 0], color=FAINT, linewidth=0.7, clip_on=False, zorder=0)


def _ends(ranked: RankedNetworks, group: tuple[int, ...]) -> tuple[float, float]:
    found = [ranked.average_ranks[place] for place in group]
    return min(found), max(found)


def _alt(ranked: RankedNetworks, order: Sequence[int]) -> str:
    names = [f"{ranked.networks[place]} {number(ranked.average_ranks[place], 2)}" for place in order]
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
    others = [ranked.networks[place] for place in alike[0] if place != best]
    if len(others) > _MOST_NAMED:
        return f"The first, {ranked.networks[best]}, does not differ from the next {len(others)}."
    return f"The first, {ranked.networks[best]}, does not differ from {listing(others)}."
