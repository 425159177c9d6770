"""A confusion matrix in per cent of each true class, and the difference of two."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from fbench.reports.figures.canvas import INK, text_width_in
from fbench.reports.figures.drawing import Drawing
from fbench.reports.formatting import MISSING, listing, minus, number, percent, points, shorten

MOST_CLASSES: Final = 30  # beyond that a cell is too small to be read on a page
_MOST_ANNOTATED: Final = 12
_FONT: Final = 9.0
_MARGIN: Final = 0.1  # inches above and right of the grid
_LIGHT_TEXT_ABOVE: Final = 0.62  # of the darkest colour; there both text colours have a contrast of 4.5 with the cell
_LEAST_SCALE: Final = 5.0  # points; smaller differences are pale
_MORE: Final = (0.02, 0.32, 0.60)
_FEWER: Final = (0.70, 0.29, 0.02)
# Cells let the page through where they say nothing, so that a matrix is pale on a light page and dark on a dark one.
_SHARES: Final = LinearSegmentedColormap.from_list("shares", [(*_MORE, 0.0), (*_MORE, 1.0)])
_CHANGES: Final = LinearSegmentedColormap.from_list("changes", [(*_FEWER, 1.0), (*_MORE, 0.0), (*_MORE, 1.0)])


def confusion_heatmap(rates: npt.NDArray[np.float64], class_names: Sequence[str], network: str) -> Drawing:
    """Draw ``rates`` (classes, classes); a true class is a row of sum 1, or of NaN without images."""
    values, labels = shares_of(rates)
    return _heatmap(values, labels, class_names, (0.0, 100.0), _shares_alt(rates, class_names, network))


def confusion_difference(
    change: npt.NDArray[np.float64], class_names: Sequence[str], network: str, baseline: str
) -> Drawing:
    """Draw ``change`` (classes, classes): the rates of ``network`` minus those of ``baseline``, fractions of 1."""
    values = 100 * change
    scale = max(_LEAST_SCALE, float(np.nanmax(np.abs(values), initial=0.0)))
    labels = np.array([[_signed(value) for value in row] for row in values])
    return _heatmap(values, labels, class_names, (-scale, scale), _change_alt(change, class_names, network, baseline))


def _signed(points_changed: float) -> str:
    """Whole points with their sign; a dash where a class has no images."""
    if np.isnan(points_changed):
        return MISSING
    return minus(f"{points_changed:+.0f}") if round(points_changed) else "0"


def _heatmap(
    values: npt.NDArray[np.float64],
    labels: npt.NDArray[np.str_],
    class_names: Sequence[str],
    limits: tuple[float, float],
    alt: str,
) -> Drawing:
    names = [shorten(name, 12) for name in class_names]
    grid = min(3.4, max(1.6, 0.4 * len(names)))
    room = 0.25 + text_width_in(names, _FONT)
    paint = partial(_paint, values=values, labels=labels, names=names, limits=limits, room=room)
    side = room + grid + _MARGIN
    return Drawing(side, side, alt, paint)


def _paint(
    figure: Figure,
    values: npt.NDArray[np.float64],
    labels: npt.NDArray[np.str_],
    names: Sequence[str],
    limits: tuple[float, float],
    room: float,
) -> None:
    width, height = figure.get_size_inches()
    grid = width - room - _MARGIN
    # Texts without axis and ticks: those took a third of the time of a matrix.
    axes = figure.add_axes((room / width, room / height, grid / width, grid / height))
    axes.set_axis_off()
    draw_cells(axes, values, labels, limits)
    beside = 0.06 * len(names) / grid
    for index, name in enumerate(names, start=1):
        axes.text(-beside, index - 0.5, name, ha="right", va="center", fontsize=_FONT)
        axes.text(index - 0.5, len(names) + beside, name, ha="center", va="top", fontsize=_FONT, rotation=90)
    middle, edge = (room + grid / 2) / width, 0.02 / width
    figure.text(middle, edge, "predicted", ha="center", va="bottom")
    figure.text(edge, middle, "true", ha="left", va="center", rotation=90)


def draw_cells(
    axes: Axes, values: npt.NDArray[np.float64], labels: npt.NDArray[np.str_], limits: tuple[float, float]
) -> None:
    """Coloured cells of ``values`` (classes, classes) in per cent or points, with their labels where they can be
    read."""
    low, high = limits
    sns.heatmap(
        np.nan_to_num(values),  # a cell without a value is clear as one of 0, and keeps its dash
        cmap=_SHARES if low == 0 else _CHANGES,
        vmin=low,
        vmax=high,
        cbar=False,
        annot=labels if len(values) <= _MOST_ANNOTATED else None,
        fmt="",
        annot_kws={"fontsize": _FONT},
        xticklabels=False,
        yticklabels=False,
        ax=axes,
    )
    for text, value in zip(axes.texts, values.flat, strict=False):  # seaborn chooses by the colour without its alpha
        text.set_color("#ffffff" if abs(value) / high > _LIGHT_TEXT_ABOVE else INK)


def shares_of(rates: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.str_]]:
    """Rates as per cent, and what is written in their cells."""
    values = 100 * rates
    return values, np.array([[number(value, 0) for value in row] for row in values])


def _shares_alt(rates: npt.NDArray[np.float64], class_names: Sequence[str], network: str) -> str:
    errors = np.nan_to_num(rates * (1 - np.eye(len(rates))))
    true, predicted = divmod(int(errors.argmax()), len(rates))
    if not errors.any():
        return f"Confusion matrix of {network}. No class is taken for another.{_absent_words(rates, class_names)}"
    share = percent(float(errors[true, predicted]), 0)
    return (
        f"Confusion matrix of {network}. Most frequent confusion: {share} % of {class_names[true]} "
        f"are taken for {class_names[predicted]}.{_absent_words(rates, class_names)}"
    )


def _change_alt(change: npt.NDArray[np.float64], class_names: Sequence[str], network: str, baseline: str) -> str:
    recall = np.diag(change)
    start = f"Confusion of {network} minus that of {baseline}, in percentage points."
    if np.isnan(recall).all():
        return f"{start}{_absent_words(change, class_names)}"
    best, worst = int(np.nanargmax(recall)), int(np.nanargmin(recall))
    return (
        f"{start} Recall changes most upwards for {class_names[best]} ({points(float(recall[best]))}), most downwards "
        f"for {class_names[worst]} ({points(float(recall[worst]))}).{_absent_words(change, class_names)}"
    )


def _absent_words(values: npt.NDArray[np.float64], class_names: Sequence[str]) -> str:
    """Which true classes have no images, as a sentence with a space before it; empty where all have some."""
    absent = [name for name, row in zip(class_names, values, strict=True) if np.isnan(row).all()]
    return f" There are no images of {listing(absent)}." if absent else ""
