"""Names beside the points of a scatter plot, placed so that they cover neither a point nor each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

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


def place_labels(axes: Axes, points: Sequence[tuple[float, float, str]]) -> None:
    """Write the name of each point (x, y, name) at the first free place; a name without one is left out."""
    figure = axes.get_figure(root=True)
    if not isinstance(figure, Figure):
        raise TypeError("The axes belong to no figure; create them with Figure.subplots.")
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call] # matplotlib has no type here
    axes.autoscale_view()  # otherwise done when the figure is drawn, after the places were taken
    scale = figure.dpi / 72
    centres = [axes.transData.transform((x, y)) for x, y, _ in points]
    radius = _POINT_RADIUS * scale
    taken = [Bbox.from_extents(x - radius, y - radius, x + radius, y + radius) for x, y in centres]
    frame = axes.get_window_extent()
    for number, ((x, y, name), own) in enumerate(zip(points, list(taken), strict=True)):
        for dx, dy, horizontal, vertical in _PLACES:
            text = axes.annotate(
                name,
                (x, y),
                xytext=(dx, dy),
                textcoords="offset points",
                ha=horizontal,
                va=vertical,
                fontsize=_FONT_SIZE,
                gid=f"label-{number}",
            )
            box = text.get_window_extent(renderer)
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            if inside and not any(box.overlaps(other) for other in taken if other is not own):
                taken.append(box)
                break
            text.remove()
