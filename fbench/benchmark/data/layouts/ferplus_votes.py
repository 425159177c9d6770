"""The votes of FERPlus's ten taggers, and what they decide: a majority, a distribution, whether a row is a face.

The rules below are those of the authors' published reader (github.com/microsoft/FERPlus, src/ferplus.py,
``_process_data``), which the paper does not give in full: a column with a single vote counts as an outlier and is
dropped; a majority has more than half of the votes that are left, those for "unknown" and "not a face" among them; a
distribution takes the largest columns, equal ones together, until they hold three quarters of the votes, and an image
whose distribution would need more than three columns, or holds no more than half of the votes, is left out.

Not certain: the authors' reader takes its votes from ``label.csv`` of their image folders, which differs from
``fer2013new.csv`` in 1,602 rows (copies of other rows), so that their counts may differ a little from these.
``drop_non_face`` is no rule of theirs; here a row is no face where "NF" has more votes than any other column, single
votes counted.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import SPLITS, ImageDataset
from fbench.benchmark.data.file_kinds import require_text
from fbench.benchmark.data.layouts.fer2013_rows import SPLIT_OF_USAGE
from fbench.core.errors import UserError

VOTES_FILE: Final = "fer2013new.csv"
FERPLUS_CLASSES: Final = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
VOTE_COLUMNS: Final = (*FERPLUS_CLASSES, "unknown", "NF")
UNKNOWN, NOT_A_FACE = 8, 9
"""Of the columns."""
_HEADER: Final = ("Usage", "Image name", *VOTE_COLUMNS)
_ENOUGH_SHARE, _MOST_COLUMNS = 0.75, 3


@dataclass(frozen=True)
class Votes:
    """``fer2013new.csv``: ``counts`` uint8 (N, 10) for eight expressions, unknown and not a face; ``usage`` (N,)."""

    usage: npt.NDArray[np.str_]
    names: npt.NDArray[np.str_]
    counts: npt.NDArray[np.uint8]


def read_votes(path: Path) -> Votes:
    """Read all rows in file order.

    Raises:
        UserError: the file cannot be read, has another header, or a bad line (named by number).
    """
    require_text(path, f"give FERPlus's {VOTES_FILE}")
    usage, names, counts = [], [], []
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
            reader = csv.reader(stream)
            header = [name.strip() for name in next(reader, [])]
            if [name.lower() for name in header] != [name.lower() for name in _HEADER]:
                raise UserError(f"{path} does not begin with {','.join(_HEADER)}; give FERPlus's {VOTES_FILE}.")
            for row in reader:
                if row:
                    counts.append(_counts(row, f"{path}, line {reader.line_num}"))
                    usage.append(row[0].strip())
                    names.append(row[1].strip())
    except (OSError, csv.Error) as error:
        raise UserError(f"{path} cannot be read ({error}); give FERPlus's {VOTES_FILE}.") from error
    if not counts:
        raise UserError(f"{path} has a header and no rows; give FERPlus's {VOTES_FILE}.")
    return Votes(np.array(usage), np.array(names), np.array(counts, np.uint8))


def non_faces(votes: Votes) -> npt.NDArray[np.bool_]:
    """Which rows (N,) have more votes for "not a face" than for anything else."""
    others = votes.counts[:, :NOT_A_FACE].max(axis=1)
    return np.asarray(votes.counts[:, NOT_A_FACE] > others)


def non_faces_of_rows(dataset: ImageDataset, votes: Votes, path: Path) -> npt.NDArray[np.bool_]:
    """Which images (N,) of FER2013 as read from its CSV are no face.

    Raises:
        UserError: the data set's images are not rows of the CSV, or the votes are of another number of rows
            or of rows in other splits.
    """
    if not all(name.startswith("row:") for name in dataset.sample_ids.tolist()) or len(votes.counts) != len(
        dataset.sample_ids
    ):
        raise UserError(
            f"{path} has votes on {len(votes.counts):,} rows of FER2013's CSV, and {dataset.name} has "
            f"{len(dataset.sample_ids):,} images"
            f"{'' if dataset.sample_ids[0].startswith('row:') else ' that are not rows of it'}; audit fer2013.csv or "
            "icml_face_data.csv."
        )
    require_same_splits(votes, dataset, path, dataset.name)
    return non_faces(votes)


def majority(counts: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """The column (N,) with more than half of the votes (N, 10) left without outliers, or -1."""
    kept = np.where(counts > 1, counts, 0).astype(np.int64)
    winner = kept.argmax(axis=1)
    return np.where(2 * kept.max(axis=1) > kept.sum(axis=1), winner, -1)


def distribution(counts: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Shares (10,) of one row of votes (10,): the largest columns until three quarters of the votes are held.

    "Unknown" and "not a face" end the search: they are dropped behind an expression, and win the row otherwise. All
    zeros where no more than half of the votes are held, or more than three columns would be needed.
    """
    left = np.where(counts > 1, counts, 0).astype(np.int64)
    total, shares, taken, searching = int(left.sum()), np.zeros(len(left)), 0, True
    held = 0
    while searching and held < _ENOUGH_SHARE * total and taken < _MOST_COLUMNS:
        largest = left.max()
        for column in np.flatnonzero(left == largest).tolist():
            shares[column], left[column] = largest, 0
            held += int(largest)
            taken += 1
            if column >= UNKNOWN:
                searching = False
                if shares.sum() > largest:
                    shares[column] = 0
                    taken -= 1
                break
    if 2 * shares.sum() <= total or taken > _MOST_COLUMNS:
        return np.zeros(len(left))
    return np.asarray(shares / shares.sum())


def require_same_splits(votes: Votes, images: ImageDataset, votes_file: Path, where: str) -> None:
    """See that rows joined by position agree on their split, which tells a reordered file.

    Raises:
        UserError: a row does not.
    """
    split = np.array([SPLIT_OF_USAGE.get(usage, len(SPLITS)) for usage in votes.usage.tolist()], np.uint8)
    different = np.flatnonzero(split != images.split)
    if len(different):
        row = int(different[0])
        raise UserError(
            f"{votes_file} calls data row {row} {votes.usage[row]} and {where} has it in the "
            f"{SPLITS[images.split[row]]} split; give the two files in their published order."
        )


def _counts(row: list[str], here: str) -> list[int]:
    if len(row) != len(_HEADER):
        raise UserError(
            f"{here}: {len(row)} columns where the header has {len(_HEADER)}; take a fresh copy of the file."
        )
    votes = [text.strip() for text in row[2:]]
    for name, text in zip(VOTE_COLUMNS, votes, strict=True):
        if not (text.isascii() and text.isdigit() and len(text) <= 2):
            raise UserError(f"{here}: {text!r} votes for {name}; votes are whole numbers below 100, mend that line.")
    return [int(text) for text in votes]
