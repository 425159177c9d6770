"""The expressions that folders are named after: FER2013's seven, contempt, and their usual spellings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

from fbench.core.errors import UserError

FER2013_CLASSES: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""In the order of the labels 0 to 6 of ``fer2013.csv`` (Goodfellow et al. 2013)."""
EXPRESSIONS: Final = (*FER2013_CLASSES, "contempt")

_SPELLINGS: Final = {
    "angry": ("angry", "anger", "angriness", "marah"),
    "disgust": ("disgust", "disgusted", "digust", "jijik"),
    "fear": ("fear", "fearful", "afraid", "scared", "takut"),
    "happy": ("happy", "happiness", "joy", "senang", "bahagia", "gembira"),
    "sad": ("sad", "sadness", "sedih"),
    "surprise": ("surprise", "surprised", "suprise", "terkejut", "kaget"),
    "neutral": ("neutral", "neutrality", "natural", "netral"),
    "contempt": ("contempt", "contemptuous"),
}
"""English with the misspellings of well-known copies, and Indonesian."""
_CLASS_OF_SPELLING: Final = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}
_NUMBERING: Final = re.compile(r"^[\d\s._)(-]+|[\d\s._)(-]+$")


def expression(folder: str) -> str | None:
    """The expression that a folder name stands for, in any case and with or without a number, or None.

    ``Angry``, ``0_angry``, ``1 - Disgust`` and ``happiness`` are read.
    """
    return _CLASS_OF_SPELLING.get(_NUMBERING.sub("", folder.strip().lower()))


def fer2013_class(folder: str) -> str | None:
    """The FER2013 class that a folder name stands for, or None; contempt is none of them."""
    name = expression(folder)
    return name if name in FER2013_CLASSES else None


def classes_of_folders(folders: Collection[str]) -> tuple[tuple[str, ...], dict[str, int]]:
    """Class names in label order, and the label of each folder name.

    Folders that all stand for expressions have their names, in FER2013's order with contempt behind, so that an image
    has the same label in a folder as in the CSV; any others are classes by their own names, sorted.
    """
    meant = {folder: expression(folder) for folder in folders}
    if folders and all(meant.values()):
        names = tuple(name for name in EXPRESSIONS if name in meant.values())
        return names, {folder: names.index(name) for folder, name in meant.items() if name is not None}
    names = tuple(sorted(folders))
    return names, {folder: names.index(folder) for folder in names}


def require_unlike(folders: Collection[str], where: str) -> None:
    """See that no two class folders look the same to a reader.

    Raises:
        UserError: two differ only in blanks at their ends, or in how Unicode composes their letters (a name from macOS
            beside one from elsewhere).
    """
    seen: dict[str, str] = {}
    for folder in sorted(folders):
        name = unicodedata.normalize("NFC", folder).strip()
        if name in seen:
            raise UserError(
                f"{where} has two spellings of the class folder '{name}', {seen[name]!a} and {folder!a}, which "
                "look the same; give both one name."
            )
        seen[name] = folder


def require_one_spelling(folders: Collection[str], where: str) -> None:
    """See that no two folders of ``where`` stand for one expression.

    Raises:
        UserError: two do, such as ``happy`` and ``happiness``.
    """
    seen: dict[str, str] = {}
    for folder in sorted(folders):
        name = expression(folder)
        if name is not None and name in seen:
            raise UserError(
                f"{where} has the folders '{seen[name]}' and '{folder}', which both mean '{name}'; keep one of them."
            )
        if name is not None:
            seen[name] = folder
