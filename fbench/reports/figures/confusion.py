"""A confusion matrix in per cent of each true class, and the difference of two."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import ceil
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from fbench.reports.figures.canvas import INK, PAGE_WIDTH_IN, PAPER, SMALLEST_TYPE
from fbench.reports.figures.drawing import Drawing
from fbench.reports.figures.lettering import text_width_in
from fbench.reports.formatting import MISSING, listing, minus, number, percent, points, shorten

MOST_CLASSES: Final = 30  # beyond that a cell is too small to be read on a page
_FONT: Final = SMALLEST_TYPE
_MARGIN: Final = 0.06  # inches above and right of the grid
_LARGEST_CELL: Final = 0.4  # inches
_ANNOTATED_FROM: Final = 0.25  # inches a cell is wide: room for three digits
_LEAST_LINE: Final = 0.15  # inches from a name to the next
_ROOM: Final = 0.26  # inches left of and below the names
_LIGHT_TEXT_ABOVE: Final = 0.62  # of the darkest colour; there both text colours have a contrast of 4.5 with the cell
LEAST_SCALE: Final = 5  # points; smaller differences are pale
_MORE: Final = (0.02, 0.32, 0.60)
_FEWER: Final = (0.70, 0.29, 0.02)
# Cells let the page through where they say nothing, so that a matrix is pale on a light page and dark on a dark one.
_SHARES: Final = LinearSegmentedColormap.from_list("shares", [(*_MORE, 0.0), (*_MORE, 1.0)])
_CHANGES: Final = LinearSegmentedColormap.from_list(
    "changes", [(0.0, (*_FEWER, 1.0)), (0.5, (*_FEWER, 0.0)), (0.5, (*_MORE, 0.0)), (1.0, (*_MORE, 1.0))]
)
"""Two scales that meet where they are clear: one from orange to blue would pass through hues of both sides."""


def confusion_heatmap(rates: npt.NDArray[np.float64], class_names: Sequence[str], network: str) -> Drawing:
    """Draw ``rates`` (classes, classes); a true class is a row of sum 1, or of NaN without images."""
    values, labels = shares_of(rates)
    return _heatmap(values, labels, class_names, (0.0, 100.0), _shares_alt(rates, class_names, network))


def confusion_difference(
    change: npt.NDArray[np.float64], class_names: Sequence[str], network: str, baseline: str, scale: int
) -> Drawing:
    """Draw ``change`` (classes, classes): the rates of ``network`` minus those of ``baseline``, fractions of 1.

    Colours are full at ``scale`` points, which matrices that are compared have in common.
    """
    values = 100 * change
    labels = np.array([[_signed(value) for value in row] for row in values])
    return _heatmap(values, labels, class_names, (-scale, scale), _change_alt(change, class_names, network, baseline))


def common_scale(changes: Sequence[npt.NDArray[np.float64]]) -> int:
    """Whole points that no cell of these changes, fractions of 1, exceeds."""
    largest = [100 * float(np.nanmax(np.abs(change), initial=0.0)) for change in changes]
    return max(LEAST_SCALE, *(ceil(round(points, 6)) for points in largest))


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
    room = _ROOM + text_width_in(names, _FONT)
    cell = min(_LARGEST_CELL, (PAGE_WIDTH_IN - room - _MARGIN) / len(names))
    grid = _Grid(room, cell, max(cell, _LEAST_LINE))
    paint = partial(_paint, values=values, labels=labels, names=names, limits=limits, grid=grid)
    return Drawing(room + grid.width * len(names) + _MARGIN, room + grid.height * len(names) + _MARGIN, alt, paint)


class _Grid(NamedTuple):
    """Inches left of and below the cells, and the sides of a cell."""

    room: float
    width: float
    height: float


def _paint(
    figure: Figure,
    values: npt.NDArray[np.float64],
    labels: npt.NDArray[np.str_],
    names: Sequence[str],
    limits: tuple[float, float],
    grid: _Grid,
) -> None:
    width, height = figure.get_size_inches()
    count = len(names)
    # Texts without axis and ticks: those took a third of the time of a matrix.
    axes = figure.add_axes(
        (grid.room / width, grid.room / height, grid.width * count / width, grid.height * count / height)
    )
    axes.set_axis_off()
    draw_cells(axes, values, labels if grid.width >= _ANNOTATED_FROM else None, limits)
    for index, name in enumerate(names):
        axes.text(-0.06 / grid.width, index + 0.5, name, ha="right", va="center", fontsize=_FONT)
        if index % ceil(_LEAST_LINE / grid.width) == 0:
            below = count + 0.06 / grid.height
            axes.text(index + 0.5, below, name, ha="center", va="top", fontsize=_FONT, rotation=90)
    across, up = (grid.room + grid.width * count / 2) / width, (grid.room + grid.height * count / 2) / height
    figure.text(across, 0.02 / height, "predicted", ha="center", va="bottom")
    figure.text(0.02 / width, up, "true", ha="left", va="center", rotation=90)


def draw_cells(
    axes: Axes, values: npt.NDArray[np.float64], labels: npt.NDArray[np.str_] | None, limits: tuple[float, float]
) -> None:
    """Coloured cells of ``values`` (classes, classes) in per cent or points, with their labels where there are some."""
    low, high = limits
    colours = _SHARES if low == 0 else _CHANGES
    # A cell without a value is clear as one of 0, and keeps its dash.
    axes.pcolormesh(np.nan_to_num(values), cmap=colours, vmin=low, vmax=high)
    axes.set_ylim(len(values), 0)
    if labels is None:
        return
    for (row, column), label in np.ndenumerate(labels):
        strong = abs(values[row, column]) / high > _LIGHT_TEXT_ABOVE
        axes.text(
            column + 0.5, row + 0.5, label, fontsize=_FONT, ha="center", va="center", color=PAPER if strong else INK
        )


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
    rise, fall = (f"{class_names[index]} ({points(float(recall[index]))})" for index in (best, worst))
    rises, falls = round(100 * recall[best], 1) > 0, round(100 * recall[worst], 1) < 0
    if rises and falls:
        words = f"Recall rises most for {rise} and falls most for {fall}."
    elif rises:
        words = f"No recall falls; it rises most for {rise}."
    elif falls:
        words = f"No recall rises; it falls most for {fall}."
    else:
        words = "No recall changes by a tenth of a point."
    return f"{start} {words}{_absent_words(change, class_names)}"


def _absent_words(values: npt.NDArray[np.float64], class_names: Sequence[str]) -> str:
    """Which true classes have no images, as a sentence with a space before it; empty where all have some."""
    absent = [name for name, row in zip(class_names, values, strict=True) if np.isnan(row).all()]
    return f" There are no images of {listing(absent)}." if absent else ""
