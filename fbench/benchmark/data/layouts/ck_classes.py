"""The classes of CK+ that the option ``classes`` asks for, and the words of a fold; for folders and CSVs alike."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from fbench.core.errors import UserError

CK_CLASSES: Final = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
_BASIC: Final = tuple(name for name in CK_CLASSES if name != "contempt")
CLASSES_OF_OPTION: Final = {
    "contempt7": CK_CLASSES,
    "basic6": _BASIC,
    "basic7": (*_BASIC, "neutral"),
}
"""By the values of the option, the default first."""


def classes_of_option(option: str, found: Collection[str], where: str) -> tuple[str, ...]:
    """The classes in label order.

    Raises:
        UserError: the source has no image of one of them.
    """
    classes = CLASSES_OF_OPTION[option]
    missing = [name for name in classes if name not in found]
    if missing:
        possible = [name for name, wanted in CLASSES_OF_OPTION.items() if set(wanted) <= set(found)]
        remedy = f"write ck48:classes={possible[0]}=PATH" if possible else "give the whole of CK+48"
        raise UserError(f"{where} has no image of the class '{missing[0]}', which classes={option} wants; {remedy}.")
    return classes


def fold_words(fold: int, folds: int) -> str:
    """How a fold splits the data, for a description."""
    return f"part {fold} of {folds} tests, the next one selects, the rest trains"
