"""Names beside the points of a scatter plot, placed so that they cover neither a point nor each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import BboxBase

Boxes = npt.NDArray[np.float64]
_FONT_SIZE: Final = 9.0
_POINT_RADIUS: Final = 5.0  # typographic points
# Offsets in typographic points with the text's alignment, the best first.
_PLACES: Final = (
    (8, 0, "left", "center"),
    (-8, 0, "right", "center"),
    (0, 8, "center", "bottom"),
    (0, -8, "center", "top"),
    (7, 7, "left", "bottom"),
    (7, -7, "left", "top"),
    (-7, 7, "right", "bottom"),
    (-7, -7, "right", "top"),
    (9, 16, "left", "bottom"),
    (9, -16, "left", "top"),
    (-9, 16, "right", "bottom"),
    (-9, -16, "right", "top"),
)
# Where a text begins, in its own widths and heights from the place that it is aligned with.
_START: Final = {"left": 0.0, "center": -0.5, "right": -1.0, "bottom": 0.0, "top": -1.0}


def place_labels(axes: Axes, points: Sequence[tuple[float, float, str]]) -> None:
    """Write the name of each point (x, y, name) at the first free place; a name without one is left out."""
    figure = axes.get_figure(root=True)
    if not isinstance(figure, Figure):
        raise TypeError("The axes belong to no figure; create them with Figure.subplots.")
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call] # matplotlib has no type here
    axes.autoscale_view()  # otherwise done when the figure is drawn, after the places were taken
    scale = figure.dpi / 72
    centres = axes.transData.transform([(x, y) for x, y, _ in points])
    radius = _POINT_RADIUS * scale
    taken = np.hstack([centres - radius, centres + radius])
    for number, ((x, y, name), centre) in enumerate(zip(points, centres, strict=True)):
        others = np.delete(taken, number, axis=0)
        text = axes.annotate(
            name, (x, y), xytext=(0, 0), textcoords="offset points", fontsize=_FONT_SIZE, gid=f"label-{number}"
        )
        extent = text.get_window_extent(renderer)
        for dx, dy, horizontal, vertical in _PLACES:
            left = centre[0] + dx * scale + _START[horizontal] * extent.width
            bottom = centre[1] + dy * scale + _START[vertical] * extent.height
            box = np.array([left, bottom, left + extent.width, bottom + extent.height])
            if _inside(box, axes.bbox) and not _overlap(box, others).any():
                taken = np.vstack([taken, box])
                text.set(position=(dx, dy), horizontalalignment=horizontal, verticalalignment=vertical)
                break
        else:
            text.remove()


def _inside(box: Boxes, frame: BboxBase) -> bool:
    return bool(frame.x0 <= box[0] and box[2] <= frame.x1 and frame.y0 <= box[1] and box[3] <= frame.y1)


def _overlap(box: Boxes, others: Boxes) -> npt.NDArray[np.bool_]:
    """Which of the others (boxes, 4) share a point with a box (left, bottom, right, top)."""
    return np.asarray((others[:, :2] <= box[2:]).all(axis=1) & (box[:2] <= others[:, 2:]).all(axis=1))
