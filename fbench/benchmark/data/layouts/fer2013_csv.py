"""FER2013 from its CSV: ``fer2013.csv``, ``icml_face_data.csv``, or Kaggle's ``train.csv``, which has no splits.

Goodfellow et al., Challenges in Representation Learning, ICML 2013 workshop.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from fbench.benchmark.data.dataset import SPLITS, ImageDataset
from fbench.benchmark.data.file_kinds import require_text
from fbench.benchmark.data.layouts.class_names import FER2013_CLASSES
from fbench.benchmark.data.layouts.fer2013_rows import (
    FER2013_CSV,
    IMAGE_SIZE,
    SPLIT_OF_USAGE,
    Columns,
    CsvKind,
    Line,
    Rows,
    parse_header,
    parse_rows,
)
from fbench.benchmark.data.splits import FLAT_SHARES, SPLIT_SEED, stratified_split
from fbench.core.errors import UserError

WHOLE_FILES: Final = ("fer2013.csv", "icml_face_data.csv")
"""The usual names of files with the published splits."""

_ROWS_AT_A_TIME: Final = 1024
# The longest possible row has 2,304 pixels of three digits: 9,215 characters and a few.
_LONGEST_LINE: Final = 1 << 20


def read_fer2013_csv(path: Path, name: str = "fer2013") -> ImageDataset:
    """Read all rows in file order: Training trains, PublicTest is the validation split, PrivateTest the test.

    A file without the column Usage (Kaggle's ``train.csv``) is split 70/15/15, seeded and stratified by class.

    The images are uint8 (N, 1, 48, 48), the labels those of the file, the sample ids ``row:0`` and on,
    counted in data rows. Line ends of any kind, a byte-order mark, quoted fields and further columns are
    read; empty lines are passed over.

    Raises:
        UserError: the file cannot be read, has another header, a bad line (named by number, with its value)
            or a split without a row.
    """
    require_text(path, FER2013_CSV.give)
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as stream:
            columns, rows = read_rows(stream, path)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); check the path and its permissions.") from error
    split = rows.split if columns.usage is not None else stratified_split(rows.labels, FLAT_SHARES, SPLIT_SEED)
    counts = [int((split == index).sum()) for index in range(len(SPLITS))]
    for (usage, index), count in zip(SPLIT_OF_USAGE.items(), counts, strict=True):
        if count == 0 and columns.usage is None:
            raise UserError(f"{path} has too few rows for the {SPLITS[index]} split; give the whole file.")
        if count == 0:
            raise UserError(
                f"{path} has no row with the Usage {usage}, so the {SPLITS[index]} split would be empty; "
                f"give a file with all of {', '.join(SPLIT_OF_USAGE)}."
            )
    return ImageDataset(
        name=name,
        images=rows.pixels.reshape(-1, 1, IMAGE_SIZE, IMAGE_SIZE),
        labels=rows.labels,
        split=split,
        sample_ids=np.array([f"row:{row}" for row in range(len(rows.labels))]),
        class_names=FER2013_CLASSES,
        may_show_images=False,
        synthetic=False,
        description=_describe(counts, published=columns.usage is not None),
    )


def _describe(counts: list[int], *, published: bool) -> str:
    if published:
        return (
            f"FER2013 from its CSV: Training trains ({counts[0]} images), PublicTest is the validation split "
            f"({counts[1]}), PrivateTest is the test split ({counts[2]})."
        )
    return (
        f"The labelled rows of FER2013's challenge (train.csv), which tell no splits: {counts[0]} train, {counts[1]} "
        f"select and {counts[2]} test after a seeded stratified draw (70/15/15 of each class, seed {SPLIT_SEED}). This "
        "is not FER2013's published split, so accuracies cannot be compared with published ones; the challenge's "
        "test.csv has no labels and is not used."
    )


def read_rows(stream: TextIO, path: Path, kind: CsvKind = FER2013_CSV) -> tuple[Columns, Rows]:
    """All rows of a CSV with the columns emotion, pixels and perhaps Usage, in file order.

    Where the kind does not read Usage, all rows count as training ones.

    Raises:
        UserError: another header, a bad line, or no row.
    """
    lines = _lines(stream, path, kind)
    header = next(lines, None)
    if header is None:
        raise UserError(f"{path} is empty; {kind.give}.")
    columns = parse_header(header.text, f"{path}, line {header.number}", kind)
    parts = []
    while batch := list(islice(lines, _ROWS_AT_A_TIME)):
        parts.append(parse_rows(batch, columns, str(path)))
    if not parts:
        raise UserError(f"{path} has a header and no rows; {kind.give}.")
    return columns, Rows(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _lines(stream: TextIO, path: Path, kind: CsvKind) -> Iterator[Line]:
    """The lines that are not empty, with their numbers."""
    number = 0
    while text := stream.readline(_LONGEST_LINE):
        number += 1
        if len(text) == _LONGEST_LINE:
            raise UserError(
                f"{path}, line {number}: longer than {_LONGEST_LINE} characters, so this is no {kind.name}; "
                f"{kind.give}."
            )
        text = text.strip()
        if text:
            yield Line(number, text)
