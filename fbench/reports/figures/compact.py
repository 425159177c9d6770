"""An SVG as matplotlib writes it, in fewer bytes: what nobody refers to or sees is left out."""

from __future__ import annotations

import base64
import io
import re
from typing import Final

import numpy as np
from PIL import Image

_AUTOMATIC: Final = re.compile(r' id="(?:[\w.]+_\d+|image[0-9a-f]+)"')
"""Names that matplotlib gives by counting; an artist's own has a hyphen."""

_LONG: Final = re.compile(r"-?\d+\.\d{3,}")
_PLACED: Final = re.compile(r'(?<= )(?:d|x|y)="[^"]*"')
_SHORTHAND: Final = re.compile(r"(font: [^\";]*?\dpx) [^\";]*")
_NOT_TURNED: Final = re.compile(r' transform="rotate\(-?0 [^)]*\)"')
_FAMILY: Final = re.compile(r" ?font-family: [^\";]*;")
_NONE: Final = Image.Dither.NONE
_MOST_COLOURS: Final = 256
"""That the palette of a PNG can hold."""


def compact_svg(svg: str) -> str:
    """The same picture: without comments, unused ids and indents, places to 0.01 point, images with a palette.

    The family of a font is left to the page.
    """
    svg = re.sub(r"\s*<!--.*?-->", "", svg, flags=re.S)
    svg = re.sub(r">\s+<", "><", svg)
    # Text escapes < and >, so that only tags match and no name is touched.
    svg = re.sub(r"<[^<>]+>", lambda tag: _tag(tag[0]), svg)
    svg = re.sub(r'(?<=href="data:image/png;base64,)[^"]*', lambda data: _image(data[0]), svg)
    return _without_bare_groups(svg)


def _tag(tag: str) -> str:
    if ' id="' in tag:
        tag = _AUTOMATIC.sub("", tag)
    if tag.startswith("<text"):
        tag = _FAMILY.sub("", _SHORTHAND.sub(r"\1 sans-serif", tag))
        tag = _NOT_TURNED.sub("", tag)
    if "." in tag or "\n" in tag:
        tag = _PLACED.sub(_place, tag)
    return tag


def _place(found: re.Match[str]) -> str:
    return " ".join(_LONG.sub(_rounded, found[0]).split()).replace(' "', '"')


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _without_bare_groups(svg: str) -> str:
    """Groups that have no attribute change nothing; what they hold stays."""
    kept: list[bool] = []
    parts: list[str] = []
    for part in re.split(r"(<g>|<g [^<>]*>|</g>)", svg):
        if part.startswith("<g"):
            kept.append(part != "<g>" and not part.endswith("/>"))
            if part.endswith("/>"):
                kept.pop()
                continue
            parts.append(part if kept[-1] else "")
        elif part == "</g>":
            parts.append(part if kept.pop() else "")
        else:
            parts.append(part)
    return "".join(parts)


def _image(data: str) -> str:
    """A PNG with a palette of at most 256 colours, near ones where it has more; one that is half clear stays."""
    image = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")
    pixels, known = np.array(image), image.getcolors(_MOST_COLOURS)
    clear = pixels[..., 3] == 0
    if known is not None:
        colours = np.sort(np.array([colour for _, colour in known], np.uint8).view(np.uint32).ravel())
        places = np.searchsorted(colours, pixels.view(np.uint32)[..., 0])
        few = Image.fromarray(places.astype(np.uint8), "P")
        few.putpalette(colours.view(np.uint8).tobytes(), "RGBA")
    elif (clear | (pixels[..., 3] == 255)).all():
        opaque = Image.fromarray(pixels[..., :3]).quantize(_MOST_COLOURS - 1, Image.Quantize.MEDIANCUT, dither=_NONE)
        few = Image.fromarray(np.where(clear, _MOST_COLOURS - 1, np.array(opaque)).astype(np.uint8), "P")
        palette = opaque.getpalette() or []
        few.putpalette(palette + [0] * (3 * _MOST_COLOURS - len(palette)))  # the clear one is the last
        few.info["transparency"] = _MOST_COLOURS - 1
    else:
        return data
    stream = io.BytesIO()
    few.save(stream, "png", compress_level=6)
    small = base64.b64encode(stream.getvalue()).decode()
    return min(data, small, key=len)
