"""CK+ from a CSV such as ``ckextended.csv``: emotion, pixels and Usage, and neither subjects nor sequences.

The Usage of such files is a random draw over frames, so that frames of one sequence, which look almost alike, train
and test. It is not used. Frames of one sequence are found by their pixels instead: images of one label whose
correlation is above :data:`SAME_SEQUENCE` are linked, and everything that is linked stays on one side. On CK+48, where
file names tell the sequences, this keeps all 327 of them whole (at 0.90 one is torn apart, at 0.95 eleven); it makes
254 groups, the largest of 75 images, and 14 groups hold more than one subject. A subject with several expressions may
still be on several sides, which only file names could prevent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.architectures.errors import UserError
from fbench.benchmark.data.audit.near import correlated_pairs
from fbench.benchmark.data.copies import copy_groups
from fbench.benchmark.data.dataset import SPLITS, ImageDataset, LeftOut
from fbench.benchmark.data.layouts.ck_classes import classes_of_option, fold_words
from fbench.benchmark.data.layouts.fer2013_csv import read_rows
from fbench.benchmark.data.layouts.fer2013_rows import IMAGE_SIZE
from fbench.benchmark.data.options import parse_fold
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.data.splits import DRAWS, SPLIT_SEED, grouped_folds, grouped_split, split_of_folds

CK_CODES: Final = ("anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral", "contempt")
"""The labels 0 to 7 of ``ckextended.csv``."""
SAME_SEQUENCE: Final = 0.88
"""The loosest link that a sequence of CK+48 needs is 0.8807."""
SHARES: Final = (0.15, 0.15)


def read_ckplus_csv(path: Path, reference: DataReference) -> ImageDataset:
    """Read all rows in file order; classes by the option ``classes``, splits by groups of alike frames.

    Raises:
        UserError: see :func:`read_rows`; or too few groups, or a class that the option wants and the file has not.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as stream:
            _, rows = read_rows(stream, path, CK_CODES)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); check the path and its permissions.") from error
    found = tuple(CK_CODES[code] for code in np.unique(rows.labels))
    classes = classes_of_option(reference.option("classes"), found, str(path))
    names = np.array([f"row:{row}" for row in range(len(rows.labels))])
    images = rows.pixels.reshape(-1, 1, IMAGE_SIZE, IMAGE_SIZE)
    keep = np.isin(rows.labels, [CK_CODES.index(name) for name in classes])
    labels = np.array([classes.index(CK_CODES[code]) for code in rows.labels[keep]], np.uint8)
    groups = alike_frames(images[keep], labels)
    split, how = _split(groups, labels, reference, path)
    left_out = tuple(
        LeftOut(reason=f"is labelled {name}", names=tuple(names[rows.labels == CK_CODES.index(name)].tolist()))
        for name in found
        if name not in classes
    )
    others = "".join(f" {len(part.names)} images were left out: each {part.reason}." for part in left_out)
    return ImageDataset(
        name=reference.label,
        images=images[keep],
        labels=labels,
        split=split,
        sample_ids=names[keep],
        class_names=classes,
        may_show_images=False,
        synthetic=False,
        description=f"CK+ from a CSV, which names no subjects: {how} {_sizes(split)} The file's Usage is not used, "
        f"since it puts frames of one sequence on several sides.{others}",
        left_out=left_out,
    )


def alike_frames(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> list[str]:
    """The group of each image (N,): images of one label that correlate above the threshold are linked, and copies."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs, _ = correlated_pairs(images, SAME_SEQUENCE)
    alike = labels[pairs.first] == labels[pairs.second]
    copies = copy_groups(images)
    _, original = np.unique(copies, return_index=True)
    first = np.concatenate([pairs.first[alike], np.arange(len(images))])
    second = np.concatenate([pairs.second[alike], original[copies]])
    links = coo_array((np.ones(len(first), np.bool_), (first, second)), shape=(len(images), len(images)))
    _, group = connected_components(links, directed=False)
    return [f"frames:{number}" for number in group.tolist()]


def _split(
    groups: list[str], labels: npt.NDArray[np.uint8], reference: DataReference, path: Path
) -> tuple[npt.NDArray[np.uint8], str]:
    count = len(set(groups))
    wanted = parse_fold(reference.options["fold"]) if "fold" in reference.options else None
    if count < (wanted[1] if wanted else len(SPLITS)):
        raise UserError(
            f"{path} has {count} groups of alike frames, too few for the parts that are asked for; give the whole file."
        )
    frames = f"{count} groups of alike frames of one label (correlation above {SAME_SEQUENCE}) stay together"
    if wanted is not None:
        parts = grouped_folds(groups, labels, wanted[1], SPLIT_SEED)
        return split_of_folds(parts, *wanted), f"{frames}; {fold_words(*wanted)}:"
    split = grouped_split(groups, labels, SHARES, SPLIT_SEED)
    return split, f"{frames}, 70/15/15 of them, the most even in classes of {DRAWS} draws with seed {SPLIT_SEED}:"


def _sizes(split: npt.NDArray[np.uint8]) -> str:
    return ", ".join(f"{name} {int((split == index).sum())} images" for index, name in enumerate(SPLITS)) + "."
