"""Figures of a report on axes of your own, from the frames of a :class:`fbench.Run`.

Each function draws on ``ax``, or on new axes in the report's style, and returns the axes. Networks have the colours
and markers that a report gives them, in the order in which they stand in the frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fbench.core.arguments import typed_arguments
from fbench.core.errors import UserError
from fbench.reports.figures import confusion as _confusion
from fbench.reports.figures import forest as _forest
from fbench.reports.figures import learning as _learning
from fbench.reports.figures import pareto as _pareto
from fbench.reports.figures import single_seeds as _seeds
from fbench.reports.figures.canvas import PAPER, STYLE
from fbench.reports.palette import assign_styles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist

__all__ = ["confusion", "forest", "learning_curves", "pareto", "seeds"]

_AXIS_TITLES = {
    "trainable_params": "trainable parameters",
    "macs": "MACs",
    "latency_p50_ms": "latency, ms",
    "train_time_s": "time of a training, s",
}


@typed_arguments
def seeds(trials: pd.DataFrame, ax: Axes | None = None, *, split: str = "test") -> Axes:
    """Top-1 of every training as a point, a row per network; ``trials`` is :meth:`fbench.Run.trials_frame`.

    Raises:
        UserError: another frame, or one without a finished trial.

    Example:
        >>> import fbench
        >>> run = fbench.load_run("results/two")
        >>> axes = fbench.plots.seeds(run.trials_frame())
        >>> [label.get_text() for label in axes.get_yticklabels()]
        ['lenet5', 'ires']
    """
    value = f"{split}_top1"
    table = _with(trials, "network", "seed", value).dropna(subset=[value])
    table = _not_empty(_one_data_set(table)).rename(columns={value: "top1"})
    table = _numbers(table, ["top1"])
    with mpl.rc_context(STYLE):
        axes = ax or _new_axes(height_in=0.6 + 0.24 * table["network"].nunique())
        _seeds.draw_seeds(axes, table, assign_styles(table["network"].unique()))
    return axes


@typed_arguments
def learning_curves(
    history: pd.DataFrame,
    ax: Axes | None = None,
    *,
    split: str = "validation",
    quantity: _learning.Quantity = "top1",
) -> Axes:
    """The median over seeds at each evaluation in a band from the lowest to the highest seed, a line per network.

    ``history`` is :meth:`fbench.Run.history_frame`, ``split`` is ``train`` or ``validation``, ``quantity`` is ``top1``
    or ``loss`` (nats).

    Raises:
        UserError: another frame, or one without an evaluation.

    Example:
        >>> import fbench
        >>> run = fbench.load_run("results/two")
        >>> fbench.plots.learning_curves(run.history_frame(), quantity="loss").get_ylabel()
        'cross-entropy, nats'
    """
    value = f"{split}_{quantity}"
    table = _not_empty(_one_data_set(_with(history, "network", "epoch", value)))
    curves = _learning.over_seeds(table.rename(columns={value: "value", "epoch": "at"}).assign(split=split))
    with mpl.rc_context(STYLE):
        axes = ax or _new_axes(height_in=4.0)
        _learning.draw_curves(axes, curves, assign_styles(curves["network"].unique()))
        axes.set_xlabel("epoch")
        _learning.label_values(axes, quantity)
        _legend(axes, ax is None, axes.get_lines(), list(curves["network"].unique()), columns=2)
    return axes


@typed_arguments
def pareto(summary: pd.DataFrame, ax: Axes | None = None, *, cost: str = "macs") -> Axes:
    """Accuracy with its interval against a cost on a log scale; networks that no other beats are named and joined.

    ``summary`` is :meth:`fbench.Run.summary_frame`; ``cost`` is one of its columns, such as ``trainable_params``,
    ``macs`` or ``latency_p50_ms``.

    Raises:
        UserError: another frame, or one in which no network has this cost.

    Example:
        >>> import fbench
        >>> run = fbench.load_run("results/two")
        >>> fbench.plots.pareto(run.summary_frame(), cost="trainable_params").get_xlabel()
        'trainable parameters (log scale)'
    """
    ends = ["top1_new_units_low", "top1_new_units_high"]
    table = _one_data_set(_with(summary, "network", "top1", *ends, cost)).dropna(subset=[cost])
    table = _not_empty(table).rename(columns=dict(zip([cost, *ends], ["cost", "low", "high"], strict=True)))
    table = _numbers(table, ["cost", "top1", "low", "high"])
    with mpl.rc_context(STYLE):
        axes = ax or _new_axes(height_in=3.6)
        styles = assign_styles(table["network"])
        _pareto.draw_pareto(axes, table, styles, _AXIS_TITLES.get(cost, cost))
    return axes


@typed_arguments
def forest(comparisons: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Differences from one baseline in points, a row per comparison, with its corrected interval and verdict.

    ``comparisons`` are rows of :meth:`fbench.Run.comparisons_frame` with one baseline, such as those of one study.

    Raises:
        UserError: another frame, no row, or several baselines.

    Example:
        >>> import fbench
        >>> run = fbench.load_run("results/two")
        >>> fbench.plots.forest(run.comparisons_frame()).get_xlabel()
        'top-1 minus lenet5, points'
    """
    table = _not_empty(_one_data_set(_with(comparisons, "network", "baseline", "verdict", "top1_difference")))
    if table["baseline"].nunique() > 1:
        names = ", ".join(table["baseline"].unique())
        raise UserError(f"The frame compares with {names}; keep the rows of one baseline, such as those of one study.")
    table = _numbers(table, [name for name in table.columns if name.startswith("top1_difference")])
    with mpl.rc_context(STYLE):
        axes = ax or _new_axes(height_in=0.9 + 0.52 * len(table))
        _forest.draw_forest(axes, table, assign_styles(table["network"]), str(table["baseline"].iloc[0]))
        _legend(axes, ax is None, *axes.get_legend_handles_labels(), columns=3)
    return axes


@typed_arguments
def confusion(predictions: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Per cent of each true class (row) that is taken for each class; over all trainings in the frame.

    ``predictions`` are rows of :meth:`fbench.Run.predictions_frame`, such as those of one network.

    Raises:
        UserError: another frame, or no row.

    Example:
        >>> import fbench
        >>> run = fbench.load_run("results/two")
        >>> axes = fbench.plots.confusion(run.predictions_frame())
        >>> [label.get_text() for label in axes.get_yticklabels()][:3]
        ['angry', 'disgust', 'fear']
    """
    table = _not_empty(_one_data_set(_with(predictions, "label", "predicted")))
    counts = table.groupby(["label", "predicted"], observed=False).size().unstack().to_numpy(float)
    images = counts.sum(axis=1, keepdims=True)
    rates = np.divide(counts, images, out=np.full_like(counts, np.nan), where=images > 0)
    names = [str(name) for name in table["label"].cat.categories]
    with mpl.rc_context(STYLE):
        axes = ax or _new_axes(height_in=4.2)
        _confusion.draw_cells(axes, *_confusion.shares_of(rates), (0.0, 100.0))
        middle = np.arange(len(names)) + 0.5
        axes.set_xticks(middle, names, rotation=90)
        axes.set_yticks(middle, names, rotation=0)
        axes.set(xlabel="predicted", ylabel="true", aspect="equal")
        axes.grid(visible=False)
    return axes


def _with(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    absent = [name for name in columns if name not in frame.columns]
    if absent:
        raise UserError(f"The frame has no column '{absent[0]}' (it has {', '.join(map(str, frame.columns))}).")
    return frame


def _numbers(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    try:
        return frame.astype(dict.fromkeys(columns, float))
    except (TypeError, ValueError) as error:
        raise UserError(f"The frame has what is no number where numbers belong ({error}).") from error


def _one_data_set(frame: pd.DataFrame) -> pd.DataFrame:
    """Several data sets in one picture would be read as one."""
    if "data" in frame and frame["data"].nunique() > 1:
        names = ", ".join(frame["data"].unique())
        raise UserError(
            f"The frame has the data sets {names}; keep the rows of one, as in frame[frame.data == 'NAME']."
        )
    return frame


def _not_empty(frame: pd.DataFrame) -> pd.DataFrame:
    if frame.empty:
        raise UserError("The frame has no row to draw; has a trial finished?")
    return frame


def _new_axes(height_in: float) -> Axes:
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, height_in), layout="constrained")
    figure.set_facecolor(PAPER)
    return axes


def _legend(axes: Axes, is_alone: bool, handles: Sequence[Artist], labels: Sequence[str], columns: int) -> None:
    """Below the axes where they are alone in their figure, else inside."""
    if is_alone:
        axes.figure.legend(handles, labels, loc="outside lower center", ncols=columns)
    else:
        axes.legend(handles, labels)
