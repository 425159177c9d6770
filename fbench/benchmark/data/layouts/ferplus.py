"""FERPlus: the labels of ten taggers for each image of FER2013, joined by row position.

Barsoum et al., Training Deep Networks for Facial Expression Recognition with Crowd-Sourced Label Distribution, ICMI
2016.

File names are no key: four of them stand twice, and their numbers run behind the row numbers by up to 85.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import SPLITS, ImageDataset, LeftOutImages
from fbench.benchmark.data.identity import file_key
from fbench.benchmark.data.known import KnownData
from fbench.benchmark.data.layouts.data_set import DataSet, Layout, Readable
from fbench.benchmark.data.layouts.fer2013_csv import WHOLE_FILES, read_fer2013_csv
from fbench.benchmark.data.layouts.ferplus_votes import (
    FERPLUS_CLASSES,
    NOT_A_FACE,
    UNKNOWN,
    VOTE_COLUMNS,
    VOTES_FILE,
    Votes,
    distribution,
    majority,
    non_faces,
    read_votes,
    require_same_splits,
)
from fbench.benchmark.data.options import DataOption
from fbench.benchmark.data.source import ResolvedReference
from fbench.core.errors import UserError

NO_FACE: Final = "is no face to most taggers"
UNKNOWN_EXPRESSION: Final = "shows an unknown expression to most taggers"
UNDECIDED: Final = "has no expression that enough taggers agree on"


def find_ferplus(reference: ResolvedReference) -> Readable | None:
    """A folder with the votes and FER2013's CSV, or either of the two files with the other beside it.

    Raises:
        UserError: the votes are there and no CSV with published splits.
    """
    path = reference.path
    folder = path if path.is_dir() else path.parent
    given_images = path.is_file() and path.name in WHOLE_FILES
    votes = folder / VOTES_FILE if path.is_dir() or given_images else path
    if not votes.is_file():
        return None
    beside = [path] if given_images else [folder / name for name in WHOLE_FILES if (folder / name).is_file()]
    if not beside:
        raise UserError(
            f"{folder} has {votes.name} and neither of {' and '.join(WHOLE_FILES)}, which hold the images; put one of "
            "them beside it."
        )
    images = beside[0]

    def key() -> str:
        return f"{file_key(votes)} {file_key(images)}"

    return Readable(key(), key, partial(read_ferplus, votes, images, reference))


def read_ferplus(votes_file: Path, images_file: Path, reference: ResolvedReference) -> ImageDataset:
    """Read FERPlus under the option ``labels``; splits are those of FER2013, sample ids its rows.

    ``majority``: the expression with more than half of the votes. ``probability``: shares of the taggers as training
    targets, the largest of them as the label (the authors draw one label from the shares whenever an image is seen;
    the mean of that loss is the loss on the shares). ``drop_non_face``: FER2013's own labels and classes, without the
    rows that most taggers call no face.

    Raises:
        UserError: see :func:`read_votes` and the reader of the images; or the two files do not go together.
    """
    votes, images = read_votes(votes_file), read_fer2013_csv(images_file, reference.label)
    _require_same_rows(votes, images, votes_file, images_file)
    mode = reference.options["labels"]
    if mode == "drop_non_face":
        return _without_non_faces(images, votes)
    if mode == "majority":
        shares = np.zeros((len(votes.counts), len(VOTE_COLUMNS)))
        winner = majority(votes.counts)
        rows = np.flatnonzero(winner >= 0)
        shares[rows, winner[rows]] = 1.0
    else:
        distinct, index = np.unique(votes.counts, axis=0, return_inverse=True)
        shares = np.array([distribution(row) for row in distinct])[index]
    return _labelled_anew(images, shares, mode)


def _labelled_anew(images: ImageDataset, shares: npt.NDArray[np.float64], mode: str) -> ImageDataset:
    """FER2013 with the labels of shares (N, 10), without the rows that have no expression."""
    winner = shares.argmax(axis=1)
    decided = shares.sum(axis=1) > 0
    keep = decided & (winner < UNKNOWN)
    reasons = (
        (NO_FACE, decided & (winner == NOT_A_FACE)),
        (UNKNOWN_EXPRESSION, decided & (winner == UNKNOWN)),
        (UNDECIDED, ~decided),
    )
    left_out = tuple(
        LeftOutImages(reason=reason, names=tuple(images.sample_ids[rows].tolist()))
        for reason, rows in reasons
        if rows.any()
    )
    expressions = shares[keep, :UNKNOWN]
    kept = replace(images, labels=np.where(keep, winner, 0).astype(np.uint8), class_names=FERPLUS_CLASSES).take(
        keep, left_out=left_out
    )
    soft = (expressions / expressions.sum(axis=1, keepdims=True)).astype(np.float32)
    return replace(
        kept,
        label_shares=soft if mode == "probability" else None,
        description=_describe(kept, left_out, _HOW[mode]),
    )


_HOW: Final = {
    "majority": "labels are the expression with more than half of the taggers' votes",
    "probability": "training targets are the shares of the taggers' votes, labels the largest share",
    "drop_non_face": "labels are FER2013's own, rows that are no face to most taggers are left out",
}


def _without_non_faces(images: ImageDataset, votes: Votes) -> ImageDataset:
    out = non_faces(votes)
    left_out = (LeftOutImages(reason=NO_FACE, names=tuple(images.sample_ids[out].tolist())),) if out.any() else ()
    kept = images.take(~out, left_out=left_out)
    return replace(kept, description=_describe(kept, left_out, _HOW["drop_non_face"]))


def _describe(kept: ImageDataset, left_out: tuple[LeftOutImages, ...], how: str) -> str:
    counts = [int((kept.split == index).sum()) for index in range(len(SPLITS))]
    out = ", ".join(f"{len(part.names)} that each {part.reason}" for part in left_out) or "none"
    return (
        f"FERPlus, joined to FER2013 by row: {how}. Training trains ({counts[0]} images), PublicTest is the validation "
        f"split ({counts[1]}), PrivateTest is the test split ({counts[2]}). Left out: {out}."
    )


def _require_same_rows(votes: Votes, images: ImageDataset, votes_file: Path, images_file: Path) -> None:
    if len(votes.counts) != len(images.labels):
        raise UserError(
            f"{votes_file} has {len(votes.counts):,} rows and {images_file} {len(images.labels):,}, so rows cannot be "
            "joined by position; give both files whole."
        )
    require_same_splits(votes, images, votes_file, str(images_file))


DATA_SET: Final = DataSet(
    known=KnownData(
        name="ferplus",
        summary="FERPlus: FER2013 labelled anew by ten taggers, eight expressions (Barsoum et al. 2016)",
        obtain="fer2013new.csv from github.com/microsoft/FERPlus, beside fer2013.csv or icml_face_data.csv",
        licence="labels: MIT; images: as FER2013",
        images_of="fer2013",
        expects="a folder with fer2013new.csv and with fer2013.csv or icml_face_data.csv",
        tree=("fer2013new.csv", "fer2013.csv (or icml_face_data.csv)"),
        own_options=(
            DataOption(
                name="labels",
                allowed=tuple(_HOW),
                help="majority: the expression most taggers chose, images without one left out; probability: the "
                "taggers' shares as training targets; drop_non_face: FER2013's own seven labels, without the "
                "rows that are no face",
            ),
        ),
    ),
    layouts=(Layout("ferplus", 1, find_ferplus),),
)
