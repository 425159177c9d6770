"""How wide texts are in the layout font, and names cut to the room that they have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font, LoadFlags

from fbench.reports.formatting import letter_widths, letters, shorten

_UNKNOWN_EM: Final = 0.62
"""The width of a letter that the layout font lacks; one of Chinese, Japanese or Korean is 1.6 times as wide."""

_NARROWEST_EM: Final = 0.25
"""No letter that has a width is narrower: an i has 0.28."""

_SIZE: Final = 100.0

_PART_OF_A_NAME: Final = re.compile(r"[^_\-. /+]*[_\-. /+]?")


def text_width_in(texts: Iterable[str], font_size: float) -> float:
    """The width of the longest text in inches."""
    return max((sum(map(_letter_em, text)) for text in texts), default=0.0) * font_size / 72


def fitted(name: str, width_in: float, font_size: float) -> str:
    """A name as :func:`shorten` cuts it where it would be wider than so many inches; two letters always stay."""
    longest = min(int(letter_widths(name)), int(width_in * 72 / font_size / _NARROWEST_EM)) + 1
    while longest > 3 and text_width_in([text := shorten(name, longest)], font_size) > width_in:
        longest -= 1
    return shorten(name, longest) if longest <= 3 else text


def wrapped(text: str, width_in: float, font_size: float) -> list[str]:
    """A text in lines of at most so many inches where it can be parted between words."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width_in([longer], font_size) <= width_in:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def wrapped_name(name: str, width_in: float, font_size: float, most_lines: int) -> list[str]:
    """A whole name in lines of at most so many inches, parted after an underscore, a hyphen or the like where it can
    be; what goes beyond ``most_lines`` is cut from the last as :func:`shorten` cuts."""
    lines = [""]
    for part in _PART_OF_A_NAME.findall(" ".join(name.split())):
        if lines[-1] and text_width_in([lines[-1] + part], font_size) > width_in:
            lines.append("")
        if text_width_in([lines[-1] + part], font_size) <= width_in:
            lines[-1] += part
            continue
        for letter in letters(part):
            if lines[-1] and text_width_in([lines[-1] + letter], font_size) > width_in:
                lines.append("")
            lines[-1] += letter
    if len(lines) > most_lines:
        lines[most_lines - 1 :] = [fitted("".join(lines[most_lines - 1 :]), width_in, font_size)]
    return [line.strip() for line in lines]


@lru_cache(maxsize=4096)
def _letter_em(letter: str) -> float:
    """The advance of a letter in ems, kerning left out."""
    font = _font()
    if not font.get_char_index(ord(letter)):
        return letter_widths(letter) * _UNKNOWN_EM
    return font.load_char(ord(letter), flags=LoadFlags.NO_HINTING).linearHoriAdvance / 65536 / _SIZE


@lru_cache(maxsize=1)
def _font() -> FT2Font:
    font = FT2Font(font_manager.findfont("DejaVu Sans"))
    font.set_size(_SIZE, 72)
    return font
