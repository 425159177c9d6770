"""Class folders: ``train/ val/ test/``, ``train/ test/``, ``train/ val/``, or class folders alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.images.collect import Division, LabelledFiles, collect
from fbench.benchmark.data.images.found_instead import found_instead
from fbench.benchmark.data.images.image_tree import ImageFile, ImageTree
from fbench.benchmark.data.layouts.class_names import (
    EXPRESSIONS,
    classes_of_folders,
    require_one_spelling,
    require_unlike,
)
from fbench.benchmark.data.source import ResolvedReference
from fbench.benchmark.data.splits import (
    FLAT_SHARES,
    SELECTION_SHARE,
    SPLIT_SEED,
    split_of_folds,
    stratified_folds,
    stratified_split,
)
from fbench.core.errors import UserError

_SPLIT_OF_PART: Final = {"train": 0, "val": 1, "test": 2}
_SPLIT_OF_PREFIX: Final = {"PublicTest_": 1, "PrivateTest_": 2}
_MOST_CLASSES: Final = 256  # labels are uint8


def read_image_tree(tree: ImageTree, reference: ResolvedReference) -> ImageDataset:
    """Read every image of a tree; sample ids are relative paths, labels come from class folders.

    Splits: ``train/ val/ test/`` as they are. Without ``val/``, the validation split is the files
    ``PublicTest_*`` of ``test/`` where all files there are named ``PublicTest_*`` or ``PrivateTest_*`` (the
    Kaggle copy of FER2013), and else a seeded stratified tenth of ``train/``. Without ``test/``, ``val/`` is the test
    split and the validation split is drawn likewise. Class folders alone are split 70/15/15, seeded and stratified, or
    into folds where the option asks for one.

    Images are ordered by split, then file name, then path: files that carry the row number of the FER2013 CSV
    in their names come in the order of the CSV, whatever their class, and so have its fingerprint.

    Raises:
        UserError: no usable image, an empty split, or class folders that do not fit each other.
    """
    require_parts(tree)
    class_names, labels = labels_of_folders(tree)
    found = LabelledFiles(tree.root, tree.files, labels, class_names, tree.left_out)
    fold = reference.fold
    if fold is not None and tree.parts != (None,):
        raise UserError(f"{tree.root} has parts of its own, so fold={fold[0]}/{fold[1]} does not apply; leave it out.")
    return collect(found, reference.label, partial(_divide, tree, fold), options=reference.options)


def _divide(
    tree: ImageTree, fold: tuple[int, int] | None, files: Sequence[ImageFile], labels: npt.NDArray[np.uint8]
) -> Division:
    split, how = split_tree(tree, files, labels, fold)
    return Division(split, f"{len(labels)} images from folders: {how}")


def split_tree(
    tree: ImageTree, files: Sequence[ImageFile], labels: npt.NDArray[np.uint8], fold: tuple[int, int] | None = None
) -> tuple[npt.NDArray[np.uint8], str]:
    """The split of the images (N,) by the parts of their tree or, where it has none, a draw; and a sentence on it."""
    return _drawn(labels, fold) if tree.parts == (None,) else _of_parts(tree, files, labels)


def draw_flat(labels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], str]:
    """The split of images (N,) that come without any, and the sentence that says so."""
    return stratified_split(labels, FLAT_SHARES, SPLIT_SEED), (
        "class folders alone, split by a seeded stratified draw (70/15/15 of each class, seed "
        f"{SPLIT_SEED}; images of one person may be on several sides)."
    )


def draw_validation(split: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], str]:
    """A split (N,) with a seeded stratified tenth of its training images moved to the validation split, and how
    many."""
    train = np.flatnonzero(split == 0)
    drawn = split.copy()
    drawn[train] = stratified_split(labels[train], (SELECTION_SHARE,), SPLIT_SEED)
    chosen = int((drawn == 1).sum())
    return drawn, f"{SELECTION_SHARE:.0%} of train/ ({chosen} of {len(train)} images, seed {SPLIT_SEED})"


def _drawn(labels: npt.NDArray[np.uint8], fold: tuple[int, int] | None) -> tuple[npt.NDArray[np.uint8], str]:
    if fold is None:
        return draw_flat(labels)
    part, folds = fold
    return split_of_folds(stratified_folds(labels, folds, SPLIT_SEED), part, folds), (
        f"class folders alone, dealt into {folds} parts of equal classes (seed {SPLIT_SEED}; images of one person "
        f"may be on several sides); part {part} tests, the next one selects, the rest trains."
    )


def _of_parts(
    tree: ImageTree, files: Sequence[ImageFile], labels: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.uint8], str]:
    split = np.array([_SPLIT_OF_PART[file.part] for file in files if file.part is not None], np.uint8)
    if "test" not in tree.parts:
        split[split == 1] = 2
        drawn, share = draw_validation(split, labels)
        return drawn, (
            f"there is no test/, so val/ is the test split and the validation split is a seeded stratified {share}."
        )
    if "val" in tree.parts:
        return split, "train/ trains, val/ is the validation split, test/ is the test split."
    told = _split_by_prefix(files)
    if told is not None:
        return told, (
            "train/ trains; test/ holds both test sets of FER2013, told apart by file name: PublicTest_* is "
            "the validation split, PrivateTest_* the test split."
        )
    drawn, share = draw_validation(split, labels)
    return drawn, (
        f"there is no val/, so the validation split is a seeded stratified {share}; test/ is the test split."
    )


def require_parts(tree: ImageTree) -> None:
    """See that a tree with parts has one to train on and one more.

    Raises:
        UserError: it has not.
    """
    if tree.parts == (None,):
        return
    if "train" not in tree.parts:
        raise UserError(f"{tree.root} has no folder train/ beside {_listed(tree)}{found_instead(tree.root)}; add it.")
    if len(tree.parts) == 1:
        raise UserError(
            f"{tree.root} has train/ and neither val/ nor test/{found_instead(tree.root)}; add one, or give "
            f"{tree.root}/train alone."
        )


def _split_by_prefix(files: Sequence[ImageFile]) -> npt.NDArray[np.uint8] | None:
    split = np.zeros(len(files), np.uint8)
    for row, file in enumerate(files):
        if file.part == "test":
            prefix = next((prefix for prefix in _SPLIT_OF_PREFIX if file.file_name.startswith(prefix)), None)
            if prefix is None:
                return None
            split[row] = _SPLIT_OF_PREFIX[prefix]
    return split if set(_SPLIT_OF_PREFIX.values()) <= set(split.tolist()) else None


def labels_of_folders(tree: ImageTree) -> tuple[tuple[str, ...], npt.NDArray[np.uint8]]:
    """Class names, and the label of each image (N,).

    Raises:
        UserError: fewer than two classes, too many, or two folders of one expression.
    """
    for part, folders in tree.class_folders.items():
        require_one_spelling(folders, f"{tree.root}/{part}" if part else str(tree.root))
    every = set(chain(*tree.class_folders.values()))
    class_names, label_of_folder = classes_of_folders(every)
    if not set(class_names) <= set(EXPRESSIONS):
        require_unlike(every, str(tree.root))
    if not 2 <= len(class_names) <= _MOST_CLASSES:
        raise UserError(
            f"{tree.root} has {len(class_names)} class folders ({_listed(tree)}), but a data set has 2 to "
            f"{_MOST_CLASSES} classes{'' if len(class_names) > 1 else found_instead(tree.root)}; give the folder that "
            "holds them."
        )
    labels = np.array([label_of_folder[file.class_folder] for file in tree.files], np.uint8)
    return class_names, labels


def _listed(tree: ImageTree) -> str:
    """The part folders with a slash, or the class folders of a tree without parts."""
    names = [f"{part}/" for part in tree.parts if part] or tree.class_folders.get(None, ())
    return ", ".join(names) or "none"
