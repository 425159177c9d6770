"""Learning curves: a line per network, the median over seeds, above every seed as a faint one."""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import Final, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator

from fbench.reports.figures.canvas import PAGE_WIDTH_IN, SMALLEST_TYPE, percent_axis, set_margins
from fbench.reports.figures.drawing import Drawing
from fbench.reports.figures.legend import add_legend, legend_height_in
from fbench.reports.findings.comparisons.evidence import NetworkEvidence
from fbench.reports.formatting import number, percent, significant
from fbench.reports.palette import Style

Quantity = Literal["top1", "loss"]
SPLITS: Final = {"train": "training", "validation": "validation split"}
MOST_POINTS: Final = 2_000
"""Of all seeds in a figure; with more, a band from the lowest to the highest seed stands for them."""

_LABELS: Final[dict[Quantity, str]] = {"top1": "top-1, %", "loss": "cross-entropy, nats"}
_FAR: Final = 4.0
_FEW_TICKS: Final = 5
_SPARE: Final = 0.05
_COLUMNS: Final = ["network", "split", "seed", "at", "value"]


def learning_curves(
    networks: Mapping[str, NetworkEvidence], styles: Mapping[str, Style], quantity: Quantity
) -> Drawing:
    """Training (left) and validation split (right) over epochs, or over images where nobody saw all of them.

    Raises:
        ValueError: no network has an evaluation point.
    """
    seeds = _by_seed(networks, quantity)
    if seeds.empty:
        raise ValueError("No network has an evaluation point; leave the figure out.")
    table = over_seeds(seeds)
    names = list(dict.fromkeys(table["network"]))
    legend_in = legend_height_in(names)
    limits = _limits(table, quantity, max(found.confusion.shape[-1] for found in networks.values()))
    label = "epoch" if is_in_epochs(networks) else "image passes, thousands"

    def paint(figure: Figure) -> None:
        grid = figure.subplots(1, 2, sharey=True)
        set_margins(figure, left=0.52, right=0.1, top=0.3, bottom=0.5 + legend_in, gap=0.12)
        for axes, (split, title) in zip(grid, SPLITS.items(), strict=True):
            axes.set_title(title)
            draw_curves(axes, table[table["split"] == split], styles, seeds[seeds["split"] == split])
            axes.set_xlabel(label)
            axes.set_ylim(limits)
            _say_beyond(axes, float(table.loc[table["split"] == split, "max"].max()), limits[1], quantity)
        label_values(grid[0], quantity)
        add_legend(figure, grid[0].get_lines()[-len(names) :], names)

    return Drawing(PAGE_WIDTH_IN, 2.5 + legend_in, _alt(table, quantity, limits[1]), paint)


def is_in_epochs(networks: Mapping[str, NetworkEvidence]) -> bool:
    """Whether a training saw every image once; else its progress is counted in images."""
    return max((row.epoch for found in networks.values() for one in found.histories for row in one), default=1.0) >= 1


def draw_curves(
    axes: Axes, table: pd.DataFrame, styles: Mapping[str, Style], seeds: pd.DataFrame | None = None
) -> None:
    """The median of each network of ``network, at, median, min, max``; the lines of the networks are the last ones.

    Below them is each seed of ``network, seed, at, value``, or a band where there are too many or none are given.
    """
    each = seeds is not None and len(seeds) <= MOST_POINTS // 2  # the other half is in the other panel
    for name, rows in table.groupby("network", sort=False):
        if each and seeds is not None:
            _seeds(axes, seeds[seeds["network"] == name], styles[str(name)])
        else:
            ends = rows["min"].to_numpy(), rows["max"].to_numpy()
            axes.fill_between(rows["at"].to_numpy(), *ends, color=styles[str(name)].light, alpha=0.2, lw=0)
    for name, rows in table.groupby("network", sort=False):
        style, marker = styles[str(name)], styles[str(name)].marker if len(rows) <= 20 else ""
        axes.plot(rows["at"], rows["median"], color=style.light, marker=marker, markersize=4.5, linewidth=1.6)
    _ticks(axes, sorted(table["at"].unique()))


def label_values(axes: Axes, quantity: Quantity) -> None:
    """Say what the curves are of, accuracies in per cent."""
    axes.set_ylabel(_LABELS[quantity])
    if quantity == "top1":
        percent_axis(axes)


def over_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """``median, min, max`` of the ``value`` of each ``network, split, at``; what is not finite counts as missing."""
    values = table["value"].where(np.isfinite(table["value"]))
    grouped = table.assign(value=values).groupby(["network", "split", "at"], sort=False)["value"]
    return grouped.agg(["median", "min", "max"]).reset_index()


def _by_seed(networks: Mapping[str, NetworkEvidence], quantity: Quantity) -> pd.DataFrame:
    """One row per network, split, seed and evaluation: ``network, split, seed, at, value``."""
    in_epochs = is_in_epochs(networks)
    rows = [
        (name, split, seed, row.epoch if in_epochs else row.images_seen / 1e3, getattr(row, f"{split}_{quantity}"))
        for name, found in networks.items()
        for seed, history in enumerate(found.histories)
        for row in history
        for split in SPLITS
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _seeds(axes: Axes, rows: pd.DataFrame, style: Style) -> None:
    """All seeds as one line with gaps: a line for each would take three times the bytes."""
    parts = [rows.loc[rows["seed"] == seed, ["at", "value"]].to_numpy(float) for seed in rows["seed"].unique()]
    gap = np.full((1, 2), np.nan)
    points = np.concatenate([part for one in parts for part in (one, gap)])
    points[~np.isfinite(points[:, 1])] = np.nan
    axes.plot(points[:, 0], points[:, 1], color=style.light, linewidth=0.6, alpha=0.35)


def _ticks(axes: Axes, places: list[float]) -> None:
    """At the evaluations where there are few."""
    if len(places) <= _FEW_TICKS:
        axes.xaxis.set_major_locator(FixedLocator(places))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.3g}")
    else:
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=bool(places[-1] >= 2)))


def _limits(table: pd.DataFrame, quantity: Quantity, classes: int) -> tuple[float, float]:
    """Both ends of the axis of values; that of the loss begins at 0 and leaves out what diverged."""
    low, high = float(table["min"].min()), float(table["max"].max())
    if not np.isfinite([low, high]).all():
        return 0.0, 1.0
    if quantity == "top1":
        spare = _SPARE * max(high - low, 0.01)
        return max(0.0, low - spare), min(1.0, high + spare)
    # The median of the networks is one that learns, however far another goes.
    peaks = table.groupby("network", sort=False)["median"].max().dropna().sort_values().to_numpy()
    farthest = max(_FAR * float(peaks[(len(peaks) - 1) // 2]), 2 * log(max(classes, 2)))
    values = table[["median", "min", "max"]].to_numpy()
    shown = values[values <= farthest]
    top = float(shown.max()) if shown.size else farthest
    return 0.0, (1 + _SPARE) * top or 1.0


def _say_beyond(axes: Axes, reached: float, top: float, quantity: Quantity) -> None:
    """How far a seed went that leaves the axis."""
    if reached > top:
        axes.text(
            0.98,
            0.97,
            f"↑ {_value(reached, quantity)}",
            transform=axes.transAxes,
            ha="right",
            va="top",
            fontsize=SMALLEST_TYPE,
        )


def _alt(table: pd.DataFrame, quantity: Quantity, top: float) -> str:
    ends = table[table["split"] == "validation"].groupby("network", sort=False)["median"].last()
    what = "top-1" if quantity == "top1" else "cross-entropy in nats"
    text = [f"{name} {_value(value, quantity)}" for name, value in ends.items()]
    beyond = ""
    if table["max"].max() > top:
        farthest = table.iloc[int(table["max"].to_numpy().argmax())]
        reached = _value(float(farthest["max"]), quantity)
        beyond = f" Beyond the axis: a seed of {farthest['network']} reached {reached}."
    return (
        f"Learning curves, {what}. Median over seeds at the last evaluation on the validation split: "
        f"{', '.join(text)}.{beyond}"
    )


def _value(value: float, quantity: Quantity) -> str:
    if quantity == "top1":
        return f"{percent(value)} %"
    return number(value, 2) if abs(value) < 1e3 else significant(value)
