"""CK+48: the 48x48 crops of the extended Cohn-Kanade set, split by subject.

Lucey et al., The Extended Cohn-Kanade Dataset (CK+), CVPR workshops 2010. The set holds the last three frames
of each of 327 sequences, which look almost alike: a split that is not by subject measures memory.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from fbench.architectures.errors import UserError
from fbench.benchmark.data.dataset import SPLITS, ImageDataset
from fbench.benchmark.data.images.decoding import decode_images
from fbench.benchmark.data.images.image_tree import ImageTree
from fbench.benchmark.data.splits import DRAWS, grouped_split

CK_CLASSES: Final = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
SPLIT_SEED: Final = 0
SHARES: Final = (0.15, 0.15)
"""Shares of the subjects in the selection and the test split; the rest trains."""

_FILE_NAME: Final = re.compile(r"(?P<subject>S\d{3})_\d{3}_\d{8}\.\w+", re.ASCII)


def subject_of(file_name: str) -> str | None:
    """The subject, such as ``S010``, of a file named like ``S010_004_00000017.png``; None for other names."""
    match = _FILE_NAME.fullmatch(file_name)
    return match["subject"] if match else None


def read_ckplus(tree: ImageTree, name: str = "ck48") -> ImageDataset:
    """Read CK+48 in the order of the file names, 70/15/15 of the subjects training, selecting and testing.

    The images are uint8 (N, 1, 48, 48), the labels indices into :data:`CK_CLASSES`, the sample ids relative
    paths.

    Raises:
        UserError: other class folders, a file name without a subject, an unreadable image, or fewer than
            three subjects.
    """
    folders = tree.class_folders.get(None, ())
    if set(folders) != set(CK_CLASSES):
        raise UserError(
            f"{tree.root} has the class folders {', '.join(folders) or 'none'}, but CK+48 has "
            f"{', '.join(CK_CLASSES)}; give the folder CK+48 itself, or folder={tree.root} for another set."
        )
    subjects = []
    for file in tree.files:
        subject = subject_of(file.file_name)
        if subject is None:
            raise UserError(
                f"{tree.root / file.relative} does not tell its subject; CK+48 files are named like "
                f"S010_004_00000017.png, so rename or remove it."
            )
        subjects.append(subject)
    if len(set(subjects)) <= len(SHARES):
        raise UserError(
            f"{tree.root} has images of {len(set(subjects))} subjects, and each of the splits "
            f"{', '.join(SPLITS)} needs one of its own; give the whole of CK+48."
        )
    labels = np.array([CK_CLASSES.index(file.class_folder) for file in tree.files], np.uint8)
    split = grouped_split(subjects, labels, SHARES, SPLIT_SEED)
    images = decode_images([tree.root / file.relative for file in tree.files])
    return ImageDataset(
        name=name,
        images=images.pixels,
        labels=labels,
        split=split,
        sample_ids=np.array([file.relative for file in tree.files]),
        class_names=CK_CLASSES,
        may_show_images=False,
        synthetic=False,
        description=_describe(subjects, split.tolist()) + images.sentence,
    )


def _describe(subjects: list[str], split: list[int]) -> str:
    sides = [
        f"{name} {len({who for who, side in zip(subjects, split, strict=True) if side == index})} subjects "
        f"({split.count(index)} images)"
        for index, name in enumerate(SPLITS)
    ]
    return (
        f"CK+48, split by subject (70/15/15 of {len(set(subjects))} subjects, the most even in classes of "
        f"{DRAWS} draws with seed {SPLIT_SEED}; no subject is on two sides): {', '.join(sides)}."
    )
