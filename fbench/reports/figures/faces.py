"""Faces, the same with the heat of Grad-CAM, and the feature maps of a convolution."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import ceil
from typing import Final, NamedTuple

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fbench.benchmark.maps.face_maps import Bytes, FaceMaps
from fbench.reports.figures.canvas import PAGE_WIDTH_IN, SMALLEST_TYPE
from fbench.reports.figures.drawing import Drawing
from fbench.reports.figures.lettering import text_width_in
from fbench.reports.formatting import plural, shorten

MOST_MAPS: Final = 64
_COLUMNS: Final = 8
_GAP: Final = 0.05  # inches between images
_LINE: Final = 0.17  # inches of a line of text
_LARGEST_FACE: Final = 0.9  # inches
_LONGEST: Final = 9  # letters of a name below a face
_LEVELS: Final = 32  # of brightness or colour: at this size nobody sees more, and a page is smaller by a third
_HEAT_COVERS: Final = 0.75  # of the face where the heat is at its maximum
_ROWS: Final = ("upper", "middle", "lower")
_COLUMN_WORDS: Final = ("left", "middle", "right")
Pixels = npt.NDArray[np.float64]


def faces_figure(maps: FaceMaps) -> Drawing:
    """The images in gray as networks were shown them, each above what it shows."""
    alt = f"The images are {maps.source}: {', '.join(maps.labels)}."
    tiles = np.array([_plain(face) for face in maps.images])
    return _named_images(tiles, maps.labels, [False] * len(maps.labels), alt)


def grad_cam_figure(maps: FaceMaps, network: str) -> Drawing:
    """Each face under its heat above what the network takes it for, in bold where it shows something else."""
    tiles = np.array([heat_over_face(face, heat) for face, heat in zip(maps.images, _heat(maps), strict=True)])
    wrong = [shown != taken for shown, taken in zip(maps.labels, maps.predicted_names, strict=True)]
    return _named_images(tiles, maps.predicted_names, wrong, _grad_cam_alt(maps, network))


def feature_map_figure(maps: FaceMaps, network: str) -> Drawing:
    """What each channel of a convolution makes of the first face, the first 64 of more."""
    shown = _channels(maps)[:MOST_MAPS]
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    side = (PAGE_WIDTH_IN + _GAP) / _COLUMNS - _GAP
    coloured = np.asarray(mpl.colormaps["viridis"](shown / 255))[..., :3]

    def paint(figure: Figure) -> None:
        paper, height = _paper(figure), figure.get_size_inches()[1]
        _images(paper, coloured, columns, _Square(0.0, height, side))

    width, height = (count * (side + _GAP) - _GAP for count in (columns, rows))
    return Drawing(width, height, _feature_map_alt(maps, network), paint)


def same_faces(maps: FaceMaps) -> Hashable:
    """Equal of maps of the same images, which a page shows once."""
    return maps.source, maps.labels, maps.images.shape, maps.images.tobytes()


def _named_images(tiles: Pixels, names: Sequence[str], bold: Sequence[bool], alt: str) -> Drawing:
    """RGB images (N, H, W, 3) in rows of as many as have room for the names below them."""
    texts = [shorten(name, _LONGEST) for name in names]
    needed = max(min(_LARGEST_FACE, 0.5), text_width_in(texts, SMALLEST_TYPE) - _GAP)
    fitting = max(1, int((PAGE_WIDTH_IN - _GAP) / (needed + _GAP)))
    rows = -(-len(texts) // fitting)
    columns = -(-len(texts) // rows)
    side = min(_LARGEST_FACE, (PAGE_WIDTH_IN - _GAP) / columns - _GAP)
    step = side + _LINE + 2 * _GAP

    def paint(figure: Figure) -> None:
        paper, height = _paper(figure), figure.get_size_inches()[1]
        for row in range(rows):
            top, places = height - row * step, range(row * columns, min((row + 1) * columns, len(texts)))
            _images(paper, tiles[places.start : places.stop], columns, _Square(_GAP, top, side))
            for place in places:
                middle = _GAP + (place - places.start) * (side + _GAP) + side / 2
                paper.text(
                    middle,
                    top - side - _GAP / 2,
                    texts[place],
                    fontsize=SMALLEST_TYPE,
                    fontweight="bold" if bold[place] else "normal",
                    ha="center",
                    va="top",
                )

    return Drawing(columns * (side + _GAP) + _GAP, rows * step, alt, paint)


def heat_over_face(face: Bytes, heat: Bytes) -> Pixels:
    """A face uint8 (C, H, W) in gray under its heat uint8 (H, W): RGB in 0 to 1 (H, W, 3).

    Cold places keep the face; the hotter a place, the more of it is covered, from dark red to light yellow.
    """
    gray, warmth = _gray(face), heat[..., None] / 255
    covered = _HEAT_COVERS * warmth
    return np.asarray((1 - covered) * gray + covered * mpl.colormaps["hot"](0.25 + 0.6 * warmth[..., 0])[..., :3])


def hottest_part(heat: Bytes) -> str:
    """Which ninth of an image the heat uint8 (H, W) is strongest in on average, such as "lower middle"."""
    if not heat.any():
        return "nowhere"
    parts = [[part.mean() for part in np.array_split(band, 3, axis=1)] for band in np.array_split(heat, 3)]
    row, column = divmod(int(np.argmax(parts)), 3)
    return "centre" if row == column == 1 else f"{_ROWS[row]} {_COLUMN_WORDS[column]}"


def _paper(figure: Figure) -> Axes:
    """One pair of axes in inches for all images: a pair for each took half the time of a page of 16 networks."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_autoscale_on(False)
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    return axes


class _Square(NamedTuple):
    """The first of several images: where its upper left corner is, and its side, in inches."""

    left: float
    top: float
    side: float


def _images(paper: Axes, tiles: Pixels, columns: int, first: _Square) -> None:
    """Square images in RGB (N, H, W, 3) in rows, as one: each by itself took a third of the time of such a page."""
    rows, columns = -(-len(tiles) // columns), min(columns, len(tiles))
    right = first.left + columns * (first.side + _GAP) - _GAP
    bottom = first.top - rows * (first.side + _GAP) + _GAP
    pixels = tiled(tiles, columns, _GAP / first.side)
    paper.imshow(pixels, interpolation="none", aspect="auto", extent=(first.left, right, bottom, first.top))


def tiled(tiles: Pixels, columns: int, gap: float) -> Bytes:
    """Images (N, H, W, 3) in 0 to 1, in rows with clear gaps, as one image uint8 (height, width, 4).

    ``gap`` is a fraction of an image's side. Small images have each pixel repeated, so that a gap is at least
    3 pixels wide, which is what was asked to a sixth.
    """
    few = np.rint(np.rint(tiles * (_LEVELS - 1)) / (_LEVELS - 1) * 255).astype(np.uint8)
    times = max(1, ceil(3 / (gap * min(few.shape[1:3]))))
    few = few.repeat(times, axis=1).repeat(times, axis=2)
    count, height, width = few.shape[:3]
    down, right = height + round(gap * height), width + round(gap * width)
    whole = np.zeros((-(-count // columns) * down, columns * right, 4), np.uint8)
    for index, tile in enumerate(few):
        top, left = index // columns * down, index % columns * right
        whole[top : top + height, left : left + width, :3] = tile
        whole[top : top + height, left : left + width, 3] = 255
    return whole[: height - down or None, : width - right or None]


def _gray(face: Bytes) -> Pixels:
    """uint8 (C, H, W) as (H, W, 1) in 0 to 1."""
    return np.asarray(face.mean(axis=0)[..., None] / 255)


def _plain(face: Bytes) -> Pixels:
    """uint8 (C, H, W) in gray as RGB (H, W, 3)."""
    return np.broadcast_to(_gray(face), (*face.shape[1:], 3))


def _heat(maps: FaceMaps) -> Bytes:
    if maps.grad_cam is None:
        raise ValueError("These maps have no heat; draw only those that have.")
    return maps.grad_cam


def _channels(maps: FaceMaps) -> Bytes:
    if maps.feature_maps is None:
        raise ValueError("These maps have no feature maps; draw only those that have.")
    return maps.feature_maps


def _grad_cam_alt(maps: FaceMaps, network: str) -> str:
    faces = [
        f"{shown if shown == predicted else f'{shown} taken for {predicted}'} ({hottest_part(heat)})"
        for shown, predicted, heat in zip(maps.labels, maps.predicted_names, _heat(maps), strict=True)
    ]
    right = sum(shown == predicted for shown, predicted in zip(maps.labels, maps.predicted_names, strict=True))
    return (
        f"Grad-CAM of {network} on {maps.source}: {right} of {len(faces)} are taken for what they show. "
        f"In brackets the part of the image where the heat is strongest: {'; '.join(faces)}."
    )


def _feature_map_alt(maps: FaceMaps, network: str) -> str:
    found = _channels(maps)
    flat = int((found.max(axis=(1, 2)) == 0).sum())
    first = f" The first {MOST_MAPS} are shown." if len(found) > MOST_MAPS else ""
    answer = "every one responds" if not flat else f"{flat} of them {'is' if flat == 1 else 'are'} flat"
    height, width = found.shape[1:]
    return (
        f"Feature maps of {network} for a face that shows {maps.labels[0]}: {plural(len(found), 'channel')} of "
        f"{height}x{width} after {maps.layer}; {answer}.{first}"
    )
