"""Fonts for letters that the layout font lacks, found among those that are installed on this machine."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ft2font import FaceFlags, FT2Font, StyleFlags
from matplotlib.text import Text

_PREFERRED: Final = ("Noto Sans", "Noto", "Source Han Sans", "Sans", "Gothic")
"""Words in the names of families without serifs, which go with the layout font, the best first."""


class FoundFonts(NamedTuple):
    """Families that together have the wanted letters, and the letters that none has."""

    families: tuple[str, ...]
    missing: frozenset[str]


def use_fonts_for_all_letters(figure: Figure) -> frozenset[str]:
    """Give the texts of a painted figure fonts for the letters that theirs lacks; the letters that no font has.

    Texts whose font has all of their letters stay as they are.
    """
    missing: frozenset[str] = frozenset()
    for text in figure.findobj(Text):
        if isinstance(text, Text) and text.get_visible() and (words := text.get_text()):
            lacking = _lacking(words, Path(str(font_manager.findfont(text.get_fontproperties()))))
            if not lacking:
                continue
            invisible = {letter for letter in lacking if _is_invisible(letter)}
            if invisible:
                text.set_text("".join(letter for letter in words if letter not in invisible))
            found = fonts_for(frozenset(lacking - invisible))
            if found.families:
                text.set_fontfamily([*text.get_fontfamily(), *found.families])
            missing |= found.missing
    return missing


def _lacking(words: str, font: Path) -> set[str]:
    return {letter for letter in words if ord(letter) not in _letters_of(font) and letter != "\n"}


@lru_cache(maxsize=8)
def _letters_of(font: Path) -> frozenset[int]:
    """Code points of one of the layout fonts."""
    return frozenset(FT2Font(str(font)).get_charmap())


def _is_invisible(letter: str) -> bool:
    """Whether a letter only steers how others are set: a direction mark, a joiner, a variation selector."""
    return unicodedata.category(letter) in ("Cc", "Cf") or "VARIATION SELECTOR" in unicodedata.name(letter, "")


@lru_cache(maxsize=256)
def fonts_for(letters: frozenset[str]) -> FoundFonts:
    """Installed families that have these letters: whichever has most of those still missing, again and again.

    Of several that have equally many, the one that goes best with the layout font is taken. A font in colour, as of
    emoji, is passed over: it has no outlines, and matplotlib cannot draw it.
    """
    missing, families = set(letters), []
    offers = {offer: found for offer in _offers() if (found := letters & offer.letters(letters))} if letters else {}
    while missing and (useful := [offer for offer, found in offers.items() if found & missing]):
        best = min(useful, key=lambda offer: (-len(offers[offer] & missing), offer))
        missing -= offers.pop(best)
        families.append(_registered(best))
    return FoundFonts(tuple(families), frozenset(missing))


class _Offer(NamedTuple):
    """An installed font; offers sort from the best to the worst."""

    rank: int
    slanted_or_bold: bool
    family: str
    path: str

    def letters(self, wanted: frozenset[str]) -> frozenset[str]:
        """Those of the wanted letters that the font has."""
        known = FT2Font(self.path).get_charmap()
        return frozenset(letter for letter in wanted if ord(letter) in known)


def _offers() -> Iterator[_Offer]:
    """Every font with outlines that can be read; looked for anew, as matplotlib's own list is of its first start."""
    for path in sorted(font_manager.findSystemFonts()):
        try:
            font = FT2Font(path)
        except (OSError, RuntimeError):
            continue
        if FaceFlags.SCALABLE in font.face_flags:
            name = font.family_name
            rank = next((index for index, word in enumerate(_PREFERRED) if word in name), len(_PREFERRED))
            yield _Offer(rank, bool(font.style_flags & (StyleFlags.BOLD | StyleFlags.ITALIC)), name, path)


def _registered(offer: _Offer) -> str:
    """The name under which matplotlib finds a font, made known to it where it is newer than its list."""
    known = font_manager.fontManager
    if all(entry.fname != offer.path for entry in known.ttflist):
        known.addfont(offer.path)
    return next(entry.name for entry in known.ttflist if entry.fname == offer.path)
