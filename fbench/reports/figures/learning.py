"""Learning curves: a line per network, the mean over seeds, in a band from the lowest to the highest seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fbench.reports.figures.canvas import PAGE_WIDTH_IN, percent_axis, set_margins
from fbench.reports.figures.drawing import Drawing
from fbench.reports.findings.comparisons.evidence import NetworkEvidence
from fbench.reports.formatting import number, percent, shorten
from fbench.reports.palette import Style

Quantity = Literal["top1", "loss"]
_LABELS: dict[Quantity, str] = {"top1": "top-1, %", "loss": "cross-entropy, nats"}
_LEGEND_COLUMNS = 2
_FAR = 4.0


def learning_curves(
    networks: Mapping[str, NetworkEvidence], styles: Mapping[str, Style], quantity: Quantity
) -> Drawing:
    """Training (left) and validation split (right) over epochs.

    Raises:
        ValueError: no network has an evaluation point.
    """
    table = _by_evaluation(networks, quantity)
    if table.empty:
        raise ValueError("No network has an evaluation point; leave the figure out.")
    names = list(dict.fromkeys(table["network"]))
    legend_in = 0.2 * -(-len(names) // _LEGEND_COLUMNS) + 0.06

    highest = _cut(table)

    def paint(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        set_margins(figure, left=0.58, right=0.1, top=0.3, bottom=0.52 + legend_in, gap=0.12)
        for axes, split in ((left, "train"), (right, "validation")):
            axes.set_title("training" if split == "train" else "validation split")
            draw_curves(axes, table[table["split"] == split], styles)
        label_values(left, quantity)
        if highest is not None:
            left.set_ylim(top=highest)
            for axes, split in ((left, "train"), (right, "validation")):
                if (reached := table.loc[table["split"] == split, "max"].max()) > highest:
                    axes.text(
                        0.98, 0.97, f"↑ {reached:.2g}", transform=axes.transAxes, ha="right", va="top", fontsize=9
                    )
        labels = [shorten(name, 24) for name in names]
        figure.legend(left.get_lines(), labels, loc="lower center", ncols=_LEGEND_COLUMNS, borderaxespad=0.1)

    return Drawing(PAGE_WIDTH_IN, 2.5 + legend_in, _alt(table, quantity), paint)


def draw_curves(axes: Axes, table: pd.DataFrame, styles: Mapping[str, Style]) -> None:
    """A line for each network of ``network, epoch, mean, min, max``."""
    for name, rows in table.groupby("network", sort=False):
        _line(axes, rows, styles[str(name)])
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=bool(table["epoch"].max() >= 2)))


def label_values(axes: Axes, quantity: Quantity) -> None:
    """Say what the curves are of, accuracies in per cent."""
    axes.set_ylabel(_LABELS[quantity])
    if quantity == "top1":
        percent_axis(axes)


def _cut(table: pd.DataFrame) -> float | None:
    """Where the axis ends if a few seeds left the rest far below: one diverging evaluation would flatten all curves."""
    usual = float(table["mean"].quantile(0.75))
    return 1.5 * usual if table["max"].max() > _FAR * usual > 0 else None


def _line(axes: Axes, rows: pd.DataFrame, style: Style) -> None:
    epoch, mean = rows["epoch"].to_numpy(), rows["mean"].to_numpy()
    axes.fill_between(epoch, rows["min"].to_numpy(), rows["max"].to_numpy(), color=style.light, alpha=0.2, lw=0)
    marker = style.marker if len(rows) <= 20 else ""
    axes.plot(epoch, mean, color=style.light, marker=marker, markersize=4.5, linewidth=1.6)


def _by_evaluation(networks: Mapping[str, NetworkEvidence], quantity: Quantity) -> pd.DataFrame:
    """One row per network, split and epoch: ``network, split, epoch, mean, min, max`` over the seeds."""
    rows = [
        (network, split, row.epoch, getattr(row, f"{split}_{quantity}"))
        for network, found in networks.items()
        for history in found.histories
        for row in history
        for split in ("train", "validation")
    ]
    return over_seeds(pd.DataFrame(rows, columns=["network", "split", "epoch", "value"]))


def over_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """``mean, min, max`` of the ``value`` of each ``network, split, epoch``; what is not finite counts as missing."""
    values = table["value"].where(np.isfinite(table["value"]))
    grouped = table.assign(value=values).groupby(["network", "split", "epoch"], sort=False)["value"]
    return grouped.agg(["mean", "min", "max"]).reset_index()


def _alt(table: pd.DataFrame, quantity: Quantity) -> str:
    ends = table[table["split"] == "validation"].groupby("network", sort=False)["mean"].last()
    what = "top-1" if quantity == "top1" else "cross-entropy"
    text = [f"{name} {_value(value, quantity)}" for name, value in ends.items()]
    beyond = ""
    if _cut(table) is not None:
        index = int(table["max"].to_numpy().argmax())
        network, reached = str(table["network"].iloc[index]), float(table["max"].iloc[index])
        beyond = f" Beyond the axis: a seed of {network} reached {_value(reached, quantity)}."
    return f"Learning curves, {what}. At the last evaluation on the validation split: {', '.join(text)}.{beyond}"


def _value(value: float, quantity: Quantity) -> str:
    return f"{percent(value)} %" if quantity == "top1" else number(value, 2)
