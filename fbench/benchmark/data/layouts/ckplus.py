"""CK+48: the 48x48 crops of the extended Cohn-Kanade set, split by subject, or by frame where that is asked for.

Lucey et al., The Extended Cohn-Kanade Dataset (CK+), CVPR workshops 2010. The set holds the last three frames
of each of 327 sequences, which look almost alike: a split that is not by subject measures memory.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import SPLITS, ImageDataset, LeftOutImages
from fbench.benchmark.data.images.collect import Division, LabelledFiles, collect
from fbench.benchmark.data.images.image_tree import ImageFile, ImageTree, printable
from fbench.benchmark.data.layouts.ck_classes import (
    CK_CLASSES,
    SHARES,
    classes_of_option,
    fold_words,
    split_of_frames,
)
from fbench.benchmark.data.layouts.class_names import expression
from fbench.benchmark.data.options import BY_FRAME
from fbench.benchmark.data.source import ResolvedReference
from fbench.benchmark.data.splits import DRAWS, SPLIT_SEED, grouped_folds, grouped_split, split_of_folds
from fbench.core.errors import UserError

# With no letter or digit on either side, as in S010_004_00000017.png, happy-S010-4.png or s010.jpg.
_SUBJECT: Final = re.compile(r"(?<![A-Za-z\d])S\d{3}(?![A-Za-z\d])", re.ASCII | re.IGNORECASE)
_CK_CLASS_OF_EXPRESSION: Final = {"angry": "anger", "sad": "sadness"}


def ck_class(folder: str) -> str | None:
    """The class of CK+ that a folder name stands for, in any usual spelling, or None."""
    name = expression(folder)
    found = _CK_CLASS_OF_EXPRESSION.get(name or "", name)
    return found if found in (*CK_CLASSES, "neutral") else None


def subject_of(file_name: str) -> str | None:
    """The subject, such as ``S010``, of a file named like ``S010_004_00000017.png``; None where not one is told."""
    told = {subject.upper() for subject in _SUBJECT.findall(file_name)}
    return told.pop() if len(told) == 1 else None


def read_ckplus(tree: ImageTree, reference: ResolvedReference) -> ImageDataset:
    """Read CK+48 in the order of the file names, 70/15/15 of the subjects training, selecting and testing.

    With the option ``split=by_frame`` these are shares of the frames of each class, whoever is shown, as in papers.

    The images are uint8 (N, 1, 48, 48), the labels indices into the classes that the option ``classes`` names, the
    sample ids relative paths. With the option ``fold`` subjects, or frames, are dealt into folds instead.

    Raises:
        UserError: other class folders, a file name without a subject, no usable image, or too few subjects.
    """
    folders = tree.class_folders.get(None, ())
    meant = {folder: ck_class(folder) for folder in folders}
    if not folders or None in meant.values():
        odd = next((folder for folder, name in meant.items() if name is None), "none")
        raise UserError(
            f"{tree.root} has the class folder '{odd}', but CK+48 has {', '.join(CK_CLASSES)}; give the folder CK+48 "
            f"itself, or folder={tree.root} for another set."
        )
    found = {name for name in meant.values() if name is not None}
    classes = classes_of_option(reference.options["classes"], found, str(tree.root))
    files = tuple(file for file in tree.files if meant[file.class_folder] in classes)
    labels = np.array([classes.index(str(meant[file.class_folder])) for file in files], np.uint8)
    left_out = [*tree.left_out]
    for name in sorted(found - set(classes)):
        others = [file.relative for file in tree.files if meant[file.class_folder] == name]
        left_out.append(LeftOutImages(reason=f"is labelled {name}", names=printable(others)))
    labelled = LabelledFiles(tree.root, files, labels, classes, tuple(left_out))
    return collect(labelled, reference.label, partial(_divide, tree, reference), in_split_order=False)


def _divide(
    tree: ImageTree, reference: ResolvedReference, files: Sequence[ImageFile], labels: npt.NDArray[np.uint8]
) -> Division:
    fold = reference.fold
    subjects = [_subject(tree, file) for file in files]
    if reference.options["split"] == BY_FRAME:
        split, how = split_of_frames(labels, fold)
        sides = _sides(subjects, split.tolist())
        return Division(split, f"CK+48, {how}: frames of one subject train and test. {sides}", subjects)
    count = len(set(subjects))
    if count < (fold[1] if fold else len(SPLITS)):
        raise UserError(
            f"{tree.root} has images of {count} subjects, and each of the {fold[1] if fold else len(SPLITS)} parts "
            "needs one of its own; give the whole of CK+48."
        )
    if fold is None:
        split = grouped_split(subjects, labels, SHARES, SPLIT_SEED)
        how = f"70/15/15 of {count} subjects, the most even in classes of {DRAWS} draws with seed {SPLIT_SEED}"
    else:
        split = split_of_folds(grouped_folds(subjects, labels, fold[1], SPLIT_SEED), *fold)
        how = f"{count} subjects, {fold_words(*fold)}, the most even of {DRAWS} draws with seed {SPLIT_SEED}"
    sides = _sides(subjects, split.tolist())
    return Division(split, f"CK+48, split by subject ({how}; no subject is on two sides): {sides}", subjects)


def _subject(tree: ImageTree, file: ImageFile) -> str:
    subject = subject_of(file.file_name)
    if subject is None:
        raise UserError(
            f"{tree.root / file.relative} does not tell its subject; CK+48 files are named like "
            f"S010_004_00000017.png, so rename or remove it."
        )
    return subject


def _sides(subjects: list[str], split: list[int]) -> str:
    """How many subjects and images each part has, with the full stop."""
    sides = [
        f"{name} {len({who for who, side in zip(subjects, split, strict=True) if side == index})} subjects "
        f"({split.count(index)} images)"
        for index, name in enumerate(SPLITS)
    ]
    return f"{', '.join(sides)}."
