"""Every training as a point: a row per network, so that the chance of a seed is seen before it is summed up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fbench.reports.figures.canvas import INK, PAGE_WIDTH_IN, set_margins
from fbench.reports.figures.drawing import Drawing, Hotspot
from fbench.reports.figures.lettering import fitted, text_width_in
from fbench.reports.findings.comparisons.evidence import NetworkEvidence
from fbench.reports.formatting import number, percent, percent_range, plural, shorten
from fbench.reports.palette import Style

_ROW_IN: Final = 0.235
_FONT: Final = 9.0
_MOST_NAMED: Final = 8
_ROOM: Final = 0.42
"""Of the width, that names have at most."""
_MOST_LETTERS: Final = 24


def single_seeds(
    networks: Sequence[NetworkEvidence], styles: Mapping[str, Style], width_in: float = PAGE_WIDTH_IN
) -> Drawing:
    """Top-1 of each seed on the headline split: at least one network, a row each, the first at the top.

    The upright bar is the mean. The points of a row answer the pointer together. Names have less than half the width.
    """
    table = accuracy_by_seed(networks)
    ends = table.groupby("network", sort=False)["top1"].agg(["mean", "min", "max"])
    names = list(ends.index)
    labels = [fitted(name, _ROOM * width_in, _FONT) for name in names]
    room = text_width_in(labels, _FONT) + 0.15

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        set_margins(figure, left=room, right=0.2, top=0.08, bottom=0.52)
        draw_seeds(axes, table, styles, labels)

    spots = tuple(Hotspot(_gid(row), _words(table[table["network"] == name])) for row, name in enumerate(names))
    return Drawing(width_in, 0.6 + _ROW_IN * len(names), _alt(ends), paint, spots)


def draw_seeds(
    axes: Axes, table: pd.DataFrame, styles: Mapping[str, Style], labels: Sequence[str] | None = None
) -> None:
    """A row for each network of ``network, seed, top1`` (a fraction of 1), the first at the top; ``labels`` in the
    place of long names."""
    means = table.groupby("network", sort=False)["top1"].mean()
    names = list(means.index)
    _strips(axes, table, {name: styles[name].light for name in names})
    rows = range(len(names))
    axes.plot(means, rows, linestyle="", marker="|", markersize=11, markeredgewidth=1.4, color=INK, zorder=4)
    axes.set_yticks(rows, labels or [shorten(name, _MOST_LETTERS) for name in names])
    axes.tick_params(axis="y", length=0, labelsize=_FONT)
    axes.yaxis.grid(visible=True)
    axes.spines["left"].set_visible(False)
    axes.set(xlabel="top-1, %", ylabel="")
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")


def accuracy_by_seed(networks: Sequence[NetworkEvidence]) -> pd.DataFrame:
    """One row per training: ``network, seed, top1`` (a fraction of 1)."""
    rows = [
        (found.network, seed, top1)
        for found in networks
        for seed, top1 in zip(found.seeds, found.correct.mean(axis=1).tolist(), strict=True)
    ]
    return pd.DataFrame(rows, columns=["network", "seed", "top1"])


def _strips(axes: Axes, table: pd.DataFrame, colours: Mapping[str, str]) -> None:
    """The points of each network in its row and colour, in the order of the colours."""
    values = dict(list(table.groupby("network")["top1"]))
    for row, (name, colour) in enumerate(colours.items()):
        points = values[name]
        axes.scatter(
            points,
            [row] * len(points),
            s=5.5**2,
            color=colour,
            alpha=0.6,
            linewidths=0,
            clip_on=False,  # all are inside; a clip for each point would be a sixth of the figure's bytes
            zorder=2,
            gid=_gid(row),
        )
    axes.set_ylim(len(colours) - 0.5, -0.5)


def _gid(row: int) -> str:
    return f"network-{row}"


def _words(trainings: pd.DataFrame) -> str:
    """What is known of one network, a line for each fact."""
    top1, seeds = trainings["top1"].to_numpy(), trainings["seed"].to_numpy()
    lines = [
        str(trainings["network"].iloc[0]),
        f"top-1 {percent(float(top1.mean()))} %, the mean of {plural(len(top1), 'seed')}",
    ]
    if top1.min() < top1.max():
        lines += [
            f"{word} {percent(float(top1[index]))} %, seed {seeds[index]}"
            for word, index in (("highest", top1.argmax()), ("lowest", top1.argmin()))
        ]
    return "\n".join(lines)


def _alt(ends: pd.DataFrame) -> str:
    ranges = zip(ends.index, ends["min"].tolist(), ends["max"].tolist(), strict=True)
    shown = [f"{name} {percent_range(low, high)} %" for name, low, high in ranges][:_MOST_NAMED]
    more = f"; and {plural(len(ends) - _MOST_NAMED, 'more network')}" if len(ends) > _MOST_NAMED else ""
    spread = ends["max"] - ends["min"]
    return (
        f"Top-1 of every seed, from the lowest to the highest: {'; '.join(shown)}{more}. "
        f"The seeds of {spread.idxmax()} lie farthest apart, by {number(100 * float(spread.max()))} points."
    )
