"""Names beside the points of a scatter plot, placed so that they cover no point, no line and no other name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import BboxBase

from fbench.reports.figures.canvas import INK, SMALLEST_TYPE
from fbench.reports.formatting import shorten

Boxes = npt.NDArray[np.float64]
_Name = tuple[Boxes, Boxes | None]
"""The box of a name, and its leader if it has one: both ends."""

Segment = tuple[tuple[float, float], tuple[float, float]]
"""Both ends of a straight line, in the units of the axes."""

_POINT_RADIUS: Final = 5.0  # typographic points
_CLEARANCE: Final = 1.5  # typographic points between a name and a line
_LEADER_FROM: Final = 12.0  # typographic points: a name farther away has a line to its point
_CLEARLY: Final = 1.3  # a name without a leader is nearer to its point than to any other by this factor
_LONGEST: Final = (30, 22, 16, 11)
"""Letters of a name: all are cut further where some would have no place."""

_MOST_IN_EVERY_ORDER: Final = 100
"""Points up to which names are tried in every length and order; among more, each try takes a second."""
_STEP: Final = 8  # typographic points between places farther away
_FARTHEST: Final = 200  # typographic points


class _Places(NamedTuple):
    """Where names can stand: offsets in typographic points (N, 2), and which side of a text is there.

    A text begins at its offset plus ``starts`` (N, 2) of its own width and height. The first ``near`` are beside the
    point, the best first.
    """

    offsets: Boxes
    starts: Boxes
    near: int


def _places() -> _Places:
    """Beside a point, above and below it, at its corners, then anywhere on a grid."""
    near = [(8, 0, 0, -0.5), (-8, 0, -1, -0.5), (0, 8, -0.5, 0), (0, -8, -0.5, -1)]
    near += [(7, 7, 0, 0), (7, -7, 0, -1), (-7, 7, -1, 0), (-7, -7, -1, -1)]
    across = range(-_FARTHEST, _FARTHEST + 1, _STEP)
    found = np.array([*near, *((dx, dy, -0.5, -0.5) for dx in across for dy in across)], float)
    return _Places(found[:, :2], found[:, 2:], len(near))


_PLACES: Final = _places()


def place_labels(
    axes: Axes,
    points: Sequence[tuple[float, float, str]],
    others: Sequence[tuple[float, float]] = (),
    lines: Sequence[Segment] = (),
) -> None:
    """Write the name of each point (x, y, name) at the first free place; names are cut to find one.

    One that has none all the same is left out.

    Free is what covers no point, none of the ``others`` without a name, none of the ``lines``, no other name and no
    leader; a name that is not clearly beside its point has a leader, which crosses no name and no point.
    """
    figure = axes.get_figure(root=True)
    if not isinstance(figure, Figure):
        raise TypeError("The axes belong to no figure; create them with Figure.subplots.")
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call] # matplotlib has no type here
    axes.autoscale_view()  # otherwise done when the figure is drawn, after the places were taken
    scale = figure.dpi / 72
    places = np.array([(x, y) for x, y, _ in points] + list(others), float).reshape(-1, 2)
    centres, ends = (axes.transData.transform(one) for one in (places, np.array(lines, float).reshape(-1, 2)))
    texts = [
        axes.annotate(
            "", (x, y), xytext=(0, 0), textcoords="offset points", fontsize=SMALLEST_TYPE, gid=f"label-{number}"
        )
        for number, (x, y, _) in enumerate(points)
    ]
    is_thorough = len(centres) <= _MOST_IN_EVERY_ORDER
    for longest in _LONGEST if is_thorough else _LONGEST[-1:]:
        for text, (_, _, name) in zip(texts, points, strict=True):
            text.set_text(shorten(name, longest))
        sizes = [np.array(text.get_window_extent(renderer).size) for text in texts]
        found = _arranged(sizes, lambda: _Taken(centres, ends, axes.bbox, scale), is_thorough=is_thorough)
        if len(found) == len(points):
            break
    for number, text in enumerate(texts):
        if number not in found:
            text.remove()
            continue
        box, leader = found[number]
        text.set(position=(box[:2] - centres[number]) / scale, ha="left", va="bottom")
        if leader is not None:
            ends = axes.transData.inverted().transform(leader.reshape(2, 2))
            axes.plot(*ends.T, color=INK, linewidth=0.6, alpha=0.6, zorder=1.5, scalex=False, scaley=False)


def _arranged(sizes: Sequence[Boxes], empty: Callable[[], _Taken], *, is_thorough: bool) -> dict[int, _Name]:
    """The names that find a place, by number: in the order given, or in another where that leaves fewer out."""
    best: dict[int, _Name] = {}
    forwards = range(len(sizes))
    halves = [*forwards[len(sizes) // 2 :], *forwards[: len(sizes) // 2]]
    orders = (forwards, forwards[::-1], halves, halves[::-1])
    for order in orders if is_thorough else orders[:1]:
        taken = empty()
        placed = {number: name for number in order if (name := taken.place(number, sizes[number])) is not None}
        best = max(best, placed, key=len)
        if len(best) == len(sizes):
            break
    return best


class _Taken:
    """What names must not cover, in dots of the screen: points, lines, and the names and leaders so far."""

    def __init__(self, centres: Boxes, ends: Boxes, frame: BboxBase, scale: float) -> None:
        self.centres, self.frame, self.scale = centres, frame, scale
        self.strokes = ends.reshape(-1, 4)
        self.names = np.empty((0, 4))

    def place(self, number: int, size: Boxes) -> _Name | None:
        """The box of the name of a point with its leader, if it has one; both are taken then."""
        scale = self.scale
        centre, radius = self.centres[number], _POINT_RADIUS * scale
        dots = np.hstack([self.centres - radius, self.centres + radius])
        corner = centre + _PLACES.offsets * scale + _PLACES.starts * size
        boxes = np.hstack([corner, corner + size])
        edge = _CLEARANCE * scale * np.array([-1, -1, 1, 1])
        free = _inside(boxes, self.frame)
        free[free] = ~_overlap(boxes[free], np.vstack([dots, self.names])).any(axis=1)
        free[free] = ~_crossed(boxes[free] + edge, self.strokes).any(axis=1)
        foreign = np.delete(np.arange(len(dots)), number)
        apart = foreign[~_overlap(dots[number][None], dots[foreign])[0]]  # a point below ours cannot be kept clear of
        away = np.linalg.norm(centre - np.clip(centre, boxes[:, :2], boxes[:, 2:]), axis=1)
        away[: _PLACES.near] = 0.0
        order = np.argsort(away, kind="stable")
        for box in boxes[order[free[order]]]:
            to_ours, to_others = (_distance(box, self.centres[those]) for those in ([number], foreign))
            is_clear = to_ours[0] * _CLEARLY < to_others.min(initial=np.inf)
            if to_ours[0] > _LEADER_FROM * scale:
                leader = np.array([*centre, *np.clip(centre, box[:2], box[2:])])
                if _crossed(np.vstack([self.names, dots[apart]]), leader[None]).any():
                    continue
            elif is_clear:
                leader = None
            else:
                continue
            self.names = np.vstack([self.names, box])
            if leader is not None:
                self.strokes = np.vstack([self.strokes, leader])
            return box, leader
        return None


def _inside(boxes: Boxes, frame: BboxBase) -> npt.NDArray[np.bool_]:
    """Which boxes (N, 4) lie in a frame."""
    low, high = np.array([frame.x0, frame.y0]), np.array([frame.x1, frame.y1])
    return np.asarray((boxes[:, :2] >= low).all(axis=1) & (boxes[:, 2:] <= high).all(axis=1))


def _overlap(boxes: Boxes, others: Boxes) -> npt.NDArray[np.bool_]:
    """Which boxes (N, 4: left, bottom, right, top) share a point with which of the others (M, 4): (N, M)."""
    lower, upper = np.maximum(boxes[:, None, :2], others[:, :2]), np.minimum(boxes[:, None, 2:], others[:, 2:])
    return np.asarray((lower <= upper).all(axis=2))


def _distance(box: Boxes, points: Boxes) -> Boxes:
    """From a box to each of the points (N, 2)."""
    return np.asarray(np.linalg.norm(points - np.clip(points, box[:2], box[2:]), axis=1))


def _crossed(boxes: Boxes, segments: Boxes) -> npt.NDArray[np.bool_]:
    """Which boxes (N, 4: left, bottom, right, top) share a point with which segments (M, 4: two ends): (N, M).

    Each is cut to the box side by side (Liang and Barsky 1984): what is left of 0 to 1 along it lies inside.
    """
    start, step = segments[:, :2], segments[:, 2:] - segments[:, :2]
    low, high, level = boxes[:, None, :2] - start, boxes[:, None, 2:] - start, step == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.stack([low / step, high / step])
    first = np.where(level, 0.0, ends.min(axis=0)).max(axis=2)
    last = np.where(level, 1.0, ends.max(axis=0)).min(axis=2)
    beside = (level & ((low > 0) | (high < 0))).any(axis=2)
    return np.asarray((np.maximum(first, 0) <= np.minimum(last, 1)) & ~beside)
