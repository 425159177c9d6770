"""The seven classes of FER2013 in its order, and the spellings of their names that folders carry."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from fbench.architectures.errors import UserError

FER2013_CLASSES: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""In the order of the labels 0 to 6 of ``fer2013.csv`` (Goodfellow et al. 2013)."""

_SPELLINGS: Final = {
    "angry": ("angry", "anger"),
    "disgust": ("disgust", "disgusted"),
    "fear": ("fear", "fearful", "afraid"),
    "happy": ("happy", "happiness"),
    "sad": ("sad", "sadness"),
    "surprise": ("surprise", "surprised"),
    "neutral": ("neutral", "neutrality"),
}
_CLASS_OF_SPELLING: Final = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}


def fer2013_class(folder: str) -> str | None:
    """The FER2013 class that a folder name stands for in a usual spelling and any case, or None."""
    return _CLASS_OF_SPELLING.get(folder.strip().lower())


def classes_of_folders(folders: Collection[str]) -> tuple[tuple[str, ...], dict[str, int]]:
    """Class names in label order, and the label of each folder name.

    Folders that stand for the seven FER2013 classes, and for nothing else, have FER2013's names and order, so
    that an image has the same label in a folder as in the CSV; any others are classes by their own names,
    sorted.
    """
    meant = {folder: fer2013_class(folder) for folder in folders}
    if set(meant.values()) == set(FER2013_CLASSES):
        return FER2013_CLASSES, {
            folder: FER2013_CLASSES.index(name) for folder, name in meant.items() if name is not None
        }
    names = tuple(sorted(folders))
    return names, {folder: names.index(folder) for folder in names}


def require_one_spelling(folders: Collection[str], where: str) -> None:
    """See that no two folders of ``where`` stand for one FER2013 class.

    Raises:
        UserError: two do, such as ``happy`` and ``happiness``.
    """
    seen: dict[str, str] = {}
    for folder in sorted(folders):
        name = fer2013_class(folder)
        if name is not None and name in seen:
            raise UserError(
                f"{where} has the folders '{seen[name]}' and '{folder}', which both mean '{name}'; keep one of them."
            )
        if name is not None:
            seen[name] = folder
