"""From a matplotlib figure to SVG that can stand inside a page: same bytes every time, no name in common."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fbench.reports.palette import Appearance

INK: Final = "#1c2128"
FAINT: Final = "#d5dae1"
PAPER: Final = "#ffffff"
_PAGE_COLOURS: Final = {INK: "var(--ink)", FAINT: "var(--rule)"}

_STYLE: Final[dict[Any, Any]] = {
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same layout everywhere
    "font.size": 10,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "svg.fonttype": "none",  # text stays text: it can be searched, read aloud and set in the page's font
    "text.color": INK,
    "text.parse_math": False,  # a name with $ or _ is a name
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}


@contextmanager
def new_figure(width_in: float, height_in: float) -> Iterator[Figure]:
    """An empty figure, and the report's style while it is drawn on and turned into SVG."""
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # Text is written as text: a letter that the layout font lacks comes from the reader's own fonts.
        warnings.filterwarnings("ignore", message=r".*[Gg]lyph.* missing from")
        yield Figure(figsize=(width_in, height_in))


def set_margins(figure: Figure, left: float, right: float, top: float, bottom: float, gap: float = 0.0) -> None:
    """Margins around the axes and the gap between two of them, in inches.

    Fixed margins halve the time of a figure: matplotlib's layout engines draw it several times over.
    """
    width, height = figure.get_size_inches()
    figure.subplots_adjust(
        left=left / width,
        right=1 - right / width,
        bottom=bottom / height,
        top=1 - top / height,
        wspace=2 * gap / max(width - left - right - gap, 0.1),
    )


def text_width_in(texts: Iterable[str], font_size: float) -> float:
    """The width of the longest text in inches; a letter of DejaVu Sans is 0.6 em wide on average."""
    return max((len(text) for text in texts), default=0) * 0.62 * font_size / 72


def to_svg(figure: Figure, key: str, alt: str) -> str:
    """The figure as an ``<svg>`` element without XML declaration, dates or fixed size.

    Args:
        figure: drawn within :func:`new_figure`.
        key: unique within a page and made of letters, digits, ``-`` and ``_``; every id begins with it.
        alt: what the figure shows, for those who cannot see it.
    """
    stream = io.StringIO()
    metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with mpl.rc_context({"svg.hashsalt": key}):
        figure.savefig(stream, format="svg", metadata=metadata)
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>|\s*<style type=\"text/css\">.*?</style>", "", svg, flags=re.S)
    # Text escapes < and >, so that only tags match and no name is touched.
    svg = re.sub(r"<[^<>]+>", lambda tag: _for_page(tag[0], key), svg)
    opening, rest = svg[: svg.index(">")], svg[svg.index(">") :]
    opening = re.sub(r' (width|height)="[^"]*"', "", opening)
    return f'{opening} role="img" aria-label="{_attribute(alt)}"{rest}'


def use_page_colours(svg: str, appearances: Mapping[str, Appearance]) -> str:
    """Replace ink, rules and networks' colours by the page's variables, which follow its theme."""
    colours = {look.light: f"var(--network-{place})" for place, look in enumerate(appearances.values())}
    for colour, variable in (_PAGE_COLOURS | colours).items():
        svg = svg.replace(colour, variable)
    return svg


def percent_axis(axes: Axes) -> None:
    """Label the y axis, of fractions of 1, in per cent."""
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")


def _for_page(tag: str, key: str) -> str:
    tag = tag.replace(' id="', f' id="{key}-').replace("url(#", f"url(#{key}-")
    return tag.replace('href="#', f'href="#{key}-')


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
