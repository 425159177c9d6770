"""Which script a letter belongs to, and what to install to see it: for letters that no installed font has."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from fbench.reports.formatting import listing

_SHOWN: Final = 6
_CJK: Final = "Noto Sans CJK (Debian and Ubuntu: fonts-noto-cjk)"
_EAST_ASIAN: Final = {
    "CJK": "Chinese or Japanese",
    "KANGXI": "Chinese or Japanese",
    "IDEOGRAPHIC": "Chinese or Japanese",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "KATAKANA-HIRAGANA": "Japanese",
    "HANGUL": "Korean",
    "BOPOMOFO": "Chinese",
    "FULLWIDTH": "Chinese or Japanese",
    "HALFWIDTH": "Japanese",
}
_SYMBOLS: Final = "Noto Emoji (Google Fonts; in one colour, as matplotlib draws no coloured letters)"


def script_of(letter: str) -> tuple[str, str]:
    """The script of a letter, as a reader calls it, and the font that has it: both follow from its Unicode name."""
    first = unicodedata.name(letter, "").partition(" ")[0]
    if first in _EAST_ASIAN:
        return _EAST_ASIAN[first], _CJK
    if not unicodedata.category(letter).startswith(("L", "M", "N")) or not first:
        return "emoji and symbols", _SYMBOLS
    script = first.capitalize()
    return script, f"Noto Sans {script} (Debian and Ubuntu: fonts-noto-core)"


def missing_sentences(letters: Iterable[str]) -> list[str]:
    """A sentence for each font that would have some of these letters; none where there are none."""
    by_font: dict[str, dict[str, list[str]]] = {}
    for letter in sorted(letters):
        script, font = script_of(letter)
        by_font.setdefault(font, {}).setdefault(script, []).append(letter)
    return [_sentence(font, scripts) for font, scripts in by_font.items()]


def _sentence(font: str, scripts: dict[str, list[str]]) -> str:
    letters = sorted(letter for found in scripts.values() for letter in found)
    shown = " ".join(letters[:_SHOWN]) + (" …" if len(letters) > _SHOWN else "")
    return (
        f"No installed font has {listing(list(scripts))} letters ({shown}), which are empty boxes in the PNG and PDF "
        f"files; install {font} and write the figures again, or use the SVG files."
    )
