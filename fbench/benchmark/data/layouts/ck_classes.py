"""What folders and CSVs of CK+ share: the classes of the option ``classes``, splits by frame, and words of a fold."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.splits import SPLIT_SEED, split_of_folds, stratified_folds, stratified_split
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


SHARES: Final = (0.15, 0.15)
"""Of the subjects (or frames) in the validation and the test split; the rest trains."""


def split_of_frames(labels: npt.NDArray[np.uint8], fold: tuple[int, int] | None) -> tuple[npt.NDArray[np.uint8], str]:
    """The split (N,) of frames whoever they show, 70/15/15 of each class or in folds, and a description of it."""
    if fold is None:
        drawn = f"70/15/15 of the frames of each class, drawn with seed {SPLIT_SEED}"
        return stratified_split(labels, SHARES, SPLIT_SEED), f"split by frame ({drawn})"
    split = split_of_folds(stratified_folds(labels, fold[1], SPLIT_SEED), *fold)
    return split, f"split by frame ({fold_words(*fold)}, drawn within each class with seed {SPLIT_SEED})"


def fold_words(fold: int, folds: int) -> str:
    """How a fold splits the data, for a description."""
    return f"part {fold} of {folds} tests, the next one selects, the rest trains"
