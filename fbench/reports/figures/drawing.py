"""A drawing on paper: painted by matplotlib when it is needed, as SVG inside a page or as a file of its own.

Either way its bytes are the same every time.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, ParamSpec, get_args

import matplotlib as mpl
from matplotlib.figure import Figure

from fbench.core.errors import reason_on_a_line
from fbench.core.files import replacing
from fbench.reports.figures.canvas import BAND, FAINT, INK, PAGE_WIDTH_IN, PAPER, STYLE, VERDICT_COLOURS
from fbench.reports.figures.compact import compact_svg
from fbench.reports.figures.fonts import use_fonts_for_all_letters
from fbench.reports.left_out import MOST_OF_A_REASON, LeftOut
from fbench.reports.palette import Style

_PAGE_COLOURS: Final = {
    INK: "var(--ink)",
    FAINT: "var(--rule)",
    BAND: "var(--band)",
    **{colour: f"var(--{verdict})" for verdict, colour in VERDICT_COLOURS.items()},
}
_NO_METADATA: Final[dict[str, dict[str, Any]]] = {
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}

FileFormat = Literal["svg", "pdf", "png"]
P = ParamSpec("P")
FILE_FORMATS: Final = get_args(FileFormat)
PNG_DOTS_PER_INCH: Final = 300


@dataclass(frozen=True)
class Hotspot:
    """A part of a drawing that answers the pointer and the keyboard; ``gid`` is the artist's, ``text`` what it says."""

    gid: str
    text: str


@dataclass(frozen=True)
class Drawing:
    """What is drawn, and how large; nothing is painted before :func:`to_svg` or :func:`write_drawing`.

    Attributes:
        width_in: of the paper, in inches. A width of at most ``PAGE_WIDTH_IN`` stays legible on a telephone.
        height_in: of the paper.
        alt: what it shows, for those who cannot see it: the finding, not the kind of chart alone.
        paint: draws on an empty figure of that size, in the report's style.
        hotspots: parts that answer the pointer; in a page only.
        left_out: why there is none, where it could not be made; else empty.
    """

    width_in: float
    height_in: float
    alt: str
    paint: Callable[[Figure], None]
    hotspots: tuple[Hotspot, ...] = ()
    left_out: str = ""


@dataclass(frozen=True)
class Illustration:
    """A drawing with its title; ``key`` is unique in a report and made of letters, digits, ``-`` and ``_``.

    ``narrow`` shows the same on a telephone, where the drawing is wider than ``PAGE_WIDTH_IN``; in a page only.
    """

    key: str
    title: str
    drawing: Drawing
    narrow: Drawing | None = None


def illustrate(key: str, title: str, make: Callable[P, Drawing], *args: P.args, **kwargs: P.kwargs) -> Illustration:
    """The drawing that ``make`` gives for these arguments; one that says why it is left out, where that raises."""
    try:
        drawing = make(*args, **kwargs)
    except Exception as error:  # of any type: one figure that cannot be made must not cost the report
        drawing = Drawing(PAGE_WIDTH_IN, 0.0, "", _paint_nothing, left_out=reason_on_a_line(error, MOST_OF_A_REASON))
    return Illustration(key, title, drawing)


def with_narrow(wide: Illustration, narrow: Illustration) -> Illustration:
    """An illustration with the drawing of another for a telephone, if that could be made."""
    return replace(wide, narrow=None if narrow.drawing.left_out else narrow.drawing)


def _paint_nothing(figure: Figure) -> None:
    """Of a drawing that is left out."""


def svg_of(illustration: Illustration) -> str | LeftOut:
    """The figure as :func:`to_svg` gives it, or why it is left out: it could not be made, or not be painted."""
    if not illustration.drawing.left_out:
        try:
            return to_svg(illustration.drawing, illustration.key)
        except Exception as error:  # of any type, as in illustrate
            return LeftOut(illustration.title, reason_on_a_line(error, MOST_OF_A_REASON))
    return LeftOut(illustration.title, illustration.drawing.left_out)


def bytes_of(illustration: Illustration, kind: FileFormat) -> FigureFile | LeftOut:
    """The figure as a file, or why it is left out."""
    if not illustration.drawing.left_out:
        try:
            return paint_file(illustration, kind)
        except Exception as error:  # of any type, as in illustrate
            return LeftOut(illustration.title, reason_on_a_line(error, MOST_OF_A_REASON))
    return LeftOut(illustration.title, illustration.drawing.left_out)


@contextmanager
def _painted(drawing: Drawing, key: str) -> Iterator[Figure]:
    """The painted figure, while the report's style is in force, with the ids that follow from a key."""
    with mpl.rc_context(STYLE | {"svg.hashsalt": key}), warnings.catch_warnings():
        # Text is written as text: a letter that the layout font lacks comes from the reader's own fonts.
        warnings.filterwarnings("ignore", message=r".*[Gg]lyph.* missing from")
        figure = Figure(figsize=(drawing.width_in, drawing.height_in))
        drawing.paint(figure)
        yield figure


def to_svg(drawing: Drawing, key: str) -> str:
    """The drawing as an ``<svg>`` element without XML declaration, dates or fixed size.

    Args:
        drawing: what to paint.
        key: unique within a page and made of letters, digits, ``-`` and ``_``; every id begins with it.
    """
    stream = io.StringIO()
    with _painted(drawing, key) as figure:
        figure.savefig(stream, format="svg", metadata=_NO_METADATA["svg"])
    svg = _without_controls(stream.getvalue())
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>|\s*<style type=\"text/css\">.*?</style>", "", svg, flags=re.S)
    svg = compact_svg(svg)
    # Text escapes < and >, so that only tags match and no name is touched.
    svg = re.sub(r"<[^<>]+>", lambda tag: _for_page(tag[0], key), svg)
    for spot in drawing.hotspots:
        identity = f' id="{key}-{spot.gid}"'
        svg = svg.replace(
            identity, f'{identity} class="spot" tabindex="0" role="img" aria-label="{_attribute(spot.text)}"', 1
        )
    opening, rest = svg[: svg.index(">")], svg[svg.index(">") :]
    opening = re.sub(r' (width|height)="[^"]*"', "", opening)
    role = "group" if drawing.hotspots else "img"
    return f'{opening} role="{role}" aria-label="{_attribute(drawing.alt)}"{rest}'


@dataclass(frozen=True)
class FigureFile:
    """The content of a figure's file, and the letters in it that no installed font has."""

    content: bytes
    missing: frozenset[str] = frozenset()


def paint_file(illustration: Illustration, kind: FileFormat) -> FigureFile:
    """The drawing as a file of this format, on white paper; equal drawings give equal bytes.

    In PNG and PDF, letters that the layout font lacks come from the fonts that are installed here; an SVG keeps its
    text, for which whoever shows it chooses fonts.
    """
    stream = io.BytesIO()
    with _painted(illustration.drawing, illustration.key) as figure:
        missing = frozenset[str]() if kind == "svg" else use_fonts_for_all_letters(figure)
        figure.savefig(stream, format=kind, dpi=PNG_DOTS_PER_INCH, facecolor=PAPER, metadata=_NO_METADATA[kind])
    content = stream.getvalue()
    return FigureFile(_without_controls(content.decode()).encode() if kind == "svg" else content, missing)


def write_drawing(illustration: Illustration, file: Path) -> None:
    """Write a drawing as :func:`paint_file` gives it, in the format that the suffix names."""
    (kind,) = (known for known in FILE_FORMATS if file.suffix == f".{known}")
    with replacing(file) as stream:
        stream.write(paint_file(illustration, kind).content)


def use_page_colours(svg: str, styles: Mapping[str, Style]) -> str:
    """Replace ink, rules and networks' colours by the page's variables, which follow its theme."""
    colours = {style.light: f"var(--network-{index})" for index, style in enumerate(styles.values())}
    for colour, variable in (_PAGE_COLOURS | colours).items():
        svg = svg.replace(colour, variable)
    return svg


def _without_controls(svg: str) -> str:
    """The text without what XML cannot hold (XML 1.0, section 2.2), such as a bell in a name."""
    return re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", svg)


def _for_page(tag: str, key: str) -> str:
    tag = tag.replace(' id="', f' id="{key}-').replace("url(#", f"url(#{key}-")
    return tag.replace('href="#', f'href="#{key}-')


def _attribute(text: str) -> str:
    return (
        _without_controls(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    )
