"""A data set from image folders: ``train/ val/ test/``, ``train/ test/``, or class folders alone."""

from __future__ import annotations

from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.architectures.errors import UserError
from fbench.benchmark.data.dataset import SPLITS, ImageDataset
from fbench.benchmark.data.images.decoding import decode_images
from fbench.benchmark.data.images.image_tree import PARTS, ImageTree
from fbench.benchmark.data.layouts.class_names import classes_of_folders, require_one_spelling
from fbench.benchmark.data.splits import FLAT_SHARES, SELECTION_SHARE, SPLIT_SEED, stratified_split

_SPLIT_OF_PART: Final = {"train": 0, "val": 1, "test": 2}
_SPLIT_OF_PREFIX: Final = {"PublicTest_": 1, "PrivateTest_": 2}
_MOST_CLASSES: Final = 256  # labels are uint8


def read_image_tree(tree: ImageTree, name: str) -> ImageDataset:
    """Read every image of a tree; sample ids are relative paths, labels come from class folders.

    Splits: ``train/ val/ test/`` as they are. Without ``val/``, the selection split is the files
    ``PublicTest_*`` of ``test/`` where all files there are named ``PublicTest_*`` or ``PrivateTest_*`` (the
    Kaggle copy of FER2013), and else a seeded stratified tenth of ``train/``. Class folders alone are split
    70/15/15, seeded and stratified.

    Images are ordered by split, then file name, then path: files that carry the row number of the FER2013 CSV
    in their names come in the order of the CSV, whatever their class, and so have its fingerprint.

    Raises:
        UserError: an unreadable image, an empty split, or class folders that do not fit each other.
    """
    _require_parts(tree)
    class_names, labels = _labels(tree)
    split, how = assign_splits(tree, labels)
    for index, split_name in enumerate(SPLITS):
        if not np.any(split == index):
            raise UserError(
                f"{tree.root} has no image for the {split_name} split; put image files into "
                f"{f'{PARTS[index]}/' if PARTS[index] in tree.parts else 'its class folders'}."
            )
    order = np.argsort(split, kind="stable")
    images = decode_images([tree.root / tree.files[row].relative for row in order])
    others = f" {tree.left_out} files that are not images were left out." if tree.left_out else ""
    return ImageDataset(
        name=name,
        images=images.pixels,
        labels=labels[order],
        split=split[order],
        sample_ids=np.array([tree.files[row].relative for row in order]),
        class_names=class_names,
        may_show_images=False,
        synthetic=False,
        description=f"{len(labels)} images from folders: {how}{images.sentence}{others}",
    )


def assign_splits(tree: ImageTree, labels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], str]:
    """The split of each image (N,), and the sentence that says where it came from."""
    if tree.parts == (None,):
        return stratified_split(labels, FLAT_SHARES, SPLIT_SEED), (
            "class folders alone, split by a seeded stratified draw (70/15/15 of each class, seed "
            f"{SPLIT_SEED}; images of one person may be on several sides)."
        )
    split = np.array([_SPLIT_OF_PART[file.part] for file in tree.files if file.part is not None], np.uint8)
    if "val" in tree.parts:
        return split, "train/ trains, val/ is the selection split, test/ is the test split."
    told = _split_by_prefix(tree)
    if told is not None:
        return told, (
            "train/ trains; test/ holds both test sets of FER2013, told apart by file name: PublicTest_* is "
            "the selection split, PrivateTest_* the test split."
        )
    train = np.flatnonzero(split == 0)
    split[train] = stratified_split(labels[train], (SELECTION_SHARE,), SPLIT_SEED)
    return split, (
        f"there is no val/, so the selection split is a seeded stratified {SELECTION_SHARE:.0%} of train/ "
        f"({int((split == 1).sum())} of {len(train)} images, seed {SPLIT_SEED}); test/ is the test split."
    )


def _require_parts(tree: ImageTree) -> None:
    for needed in ("train", "test"):
        if tree.parts != (None,) and needed not in tree.parts:
            raise UserError(f"{tree.root} has no folder {needed}/ beside {_listed(tree)}; add it.")


def _split_by_prefix(tree: ImageTree) -> npt.NDArray[np.uint8] | None:
    split = np.zeros(len(tree.files), np.uint8)
    for row, file in enumerate(tree.files):
        if file.part == "test":
            prefix = next((prefix for prefix in _SPLIT_OF_PREFIX if file.file_name.startswith(prefix)), None)
            if prefix is None:
                return None
            split[row] = _SPLIT_OF_PREFIX[prefix]
    return split if set(_SPLIT_OF_PREFIX.values()) <= set(split.tolist()) else None


def _labels(tree: ImageTree) -> tuple[tuple[str, ...], npt.NDArray[np.uint8]]:
    """Class names, and the label of each image (N,)."""
    for part, folders in tree.class_folders.items():
        require_one_spelling(folders, f"{tree.root}/{part}" if part else str(tree.root))
    class_names, label_of_folder = classes_of_folders(set(chain(*tree.class_folders.values())))
    if not 2 <= len(class_names) <= _MOST_CLASSES:
        raise UserError(
            f"{tree.root} has {len(class_names)} class folders ({_listed(tree)}), but a data set has 2 to "
            f"{_MOST_CLASSES} classes; give the folder that holds them."
        )
    labels = np.array([label_of_folder[file.class_folder] for file in tree.files], np.uint8)
    _require_training_images(tree, class_names, labels)
    return class_names, labels


def _require_training_images(tree: ImageTree, class_names: tuple[str, ...], labels: npt.NDArray[np.uint8]) -> None:
    """See that every class can be learned: a folder that is no class or is misspelled shows here.

    A training part without any image is left to the check for empty splits.
    """
    learned = {label for file, label in zip(tree.files, labels.tolist(), strict=True) if file.part in ("train", None)}
    for label, name in enumerate(class_names):
        if learned and label not in learned:
            raise UserError(
                f"{tree.root} has no training image of the class '{name}'; add some, or take its folder away."
            )


def _listed(tree: ImageTree) -> str:
    """The part folders with a slash, or the class folders of a tree without parts."""
    names = [f"{part}/" for part in tree.parts if part] or tree.class_folders.get(None, ())
    return ", ".join(names) or "none"
