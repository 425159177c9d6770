"""CK+ from a CSV such as ``ckextended.csv``: emotion, pixels and Usage, and neither subjects nor sequences.

The Usage of such files is a random draw over frames, so that frames of one sequence, which look almost alike, train
and test. It is not used. Frames of one sequence are found by their pixels instead: images of one label whose
correlation is above :data:`SAME_SEQUENCE` are linked, and everything that is linked stays on one side.

Measured on CK+48, where file names tell the truth (327 sequences of three frames, 118 subjects):

===========  =====  ====================  ========================  ====================
correlation  torn   groups (largest, in   groups of more than one   sequences (subjects)
above        apart  images)               sequence and subject      in such groups
===========  =====  ====================  ========================  ====================
0.86         0      192 (126)             11                        146 (66)
0.88         0      254 (75)              14                        87 (44)
0.90         1      309 (36)              7                         26 (19)
0.92         3      328 (6)               2                         4 (4)
0.95         11     340 (3)               0                         0
===========  =====  ====================  ========================  ====================

What is merged in error only makes the split coarser; what is torn apart would leak. Asking besides that rows be at most
two apart would merge 19 sequences instead of 87, but holds in a file sorted by sequence alone, and no file promises
that. A subject with several expressions is still on several sides, which only file names could prevent: accuracies are
those on new sequences, not on new people.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import SPLITS, ImageDataset, LeftOutImages
from fbench.benchmark.data.file_kinds import require_text
from fbench.benchmark.data.layouts.ck_classes import SHARES, classes_of_option, fold_words, split_of_frames
from fbench.benchmark.data.layouts.fer2013_csv import read_rows
from fbench.benchmark.data.layouts.fer2013_rows import IMAGE_SIZE, CsvKind
from fbench.benchmark.data.options import BY_FRAME
from fbench.benchmark.data.source import ResolvedReference
from fbench.benchmark.data.splits import DRAWS, SPLIT_SEED, grouped_folds, grouped_split, split_of_folds
from fbench.core.errors import UserError

CK_CODES: Final = ("anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral", "contempt")
"""The labels 0 to 7 of ``ckextended.csv``."""
CK_CSV: Final = CsvKind(
    name="CK+ CSV",
    classes=CK_CODES,
    reads_usage=False,
    expected="the columns emotion and pixels",
    give="give ckextended.csv or one like it",
)
SAME_SEQUENCE: Final = 0.88
"""The loosest link that a sequence of CK+48 needs is 0.8807."""


def read_ckplus_csv(path: Path, reference: ResolvedReference) -> ImageDataset:
    """Read all rows in file order; classes by the option ``classes``, splits by groups of alike frames.

    Groups of alike frames are kept as the sequences of the data set, with ``split=by_frame`` too. The images are uint8
    (N, 1, 48, 48), the sample ids ``row:0`` and on, counted in data rows; the values of Usage and of further columns
    may be anything.

    Raises:
        UserError: see :func:`read_rows`; or too few groups, a class that the option wants and the file has not, or
            one that the grouping leaves without a training image.
    """
    require_text(path, CK_CSV.give)
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as stream:
            _, rows = read_rows(stream, path, CK_CSV)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); check the path and its permissions.") from error
    found = tuple(CK_CODES[code] for code in np.unique(rows.labels))
    classes = classes_of_option(reference.options["classes"], found, str(path))
    names = np.array([f"row:{row}" for row in range(len(rows.labels))])
    images = rows.pixels.reshape(-1, 1, IMAGE_SIZE, IMAGE_SIZE)
    keep = np.isin(rows.labels, [CK_CODES.index(name) for name in classes])
    labels = np.array([classes.index(CK_CODES[code]) for code in rows.labels[keep]], np.uint8)
    groups = alike_frames(images[keep], labels)
    if reference.options["split"] == BY_FRAME:
        split, how = split_of_frames(labels, reference.fold)
        how, usage = f"{how}, so that frames of one sequence train and test:", ""
    else:
        split, how = _split(groups, labels, reference, path)
        usage = ", since it puts frames of one sequence on several sides"
    untrained = np.setdiff1d(labels, labels[split == 0])
    if len(untrained):
        raise UserError(
            f"{path} has too few images of the class '{classes[untrained[0]]}' that differ enough to train and to test "
            "on; give the whole file or another fold."
        )
    left_out = tuple(
        LeftOutImages(reason=f"is labelled {name}", names=tuple(names[rows.labels == CK_CODES.index(name)].tolist()))
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
        description=f"CK+ from a CSV, which names no subjects, so that one may be on several sides: {how} "
        f"{_sizes(split)} The file's Usage is not used{usage}.{others}",
        sequences=np.array(groups),
        left_out=left_out,
    )


def alike_frames(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> list[str]:
    """The group of each image (N,): images of one label that correlate above the threshold are linked, and copies."""
    # Here, since the comparison imports torch (1 s) and nobody else on the way to a data set's layout does.
    from fbench.benchmark.data.audit.near import correlated_pairs, linked_groups

    pairs, _ = correlated_pairs(images, SAME_SEQUENCE)
    alike = labels[pairs.first] == labels[pairs.second]
    groups = linked_groups(images, np.stack([pairs.first[alike], pairs.second[alike]], axis=1))
    return [f"frames:{number}" for number in groups.tolist()]


def _split(
    groups: list[str], labels: npt.NDArray[np.uint8], reference: ResolvedReference, path: Path
) -> tuple[npt.NDArray[np.uint8], str]:
    count = len(set(groups))
    wanted = reference.fold
    if count < (wanted[1] if wanted else len(SPLITS)):
        raise UserError(
            f"{path} has {count} groups of alike frames, too few for the parts that are asked for; give the whole file."
        )
    largest = max(Counter(groups).values())
    frames = (
        f"{count} groups of alike frames of one label (correlation above {SAME_SEQUENCE}; the largest has {largest}) "
        "stay together"
    )
    if wanted is not None:
        parts = grouped_folds(groups, labels, wanted[1], SPLIT_SEED)
        return split_of_folds(parts, *wanted), f"{frames}; {fold_words(*wanted)}:"
    split = grouped_split(groups, labels, SHARES, SPLIT_SEED)
    return split, f"{frames}, 70/15/15 of them, the most even in classes of {DRAWS} draws with seed {SPLIT_SEED}:"


def _sizes(split: npt.NDArray[np.uint8]) -> str:
    return ", ".join(f"{name} {int((split == index).sum())} images" for index, name in enumerate(SPLITS)) + "."
