"""FER2013 from its CSV: ``fer2013.csv`` or ``icml_face_data.csv``, which differ in column order and blanks.

Goodfellow et al., Challenges in Representation Learning, ICML 2013 workshop.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from fbench.architectures.errors import UserError
from fbench.benchmark.data.dataset import SPLITS, ImageDataset
from fbench.benchmark.data.layouts.class_names import FER2013_CLASSES
from fbench.benchmark.data.layouts.fer2013_rows import (
    IMAGE_SIZE,
    SPLIT_OF_USAGE,
    Line,
    Rows,
    parse_header,
    parse_rows,
)

_ROWS_AT_A_TIME: Final = 1024
# The longest possible row has 2,304 pixels of three digits: 9,215 characters and a few.
_LONGEST_LINE: Final = 1 << 20


def read_fer2013_csv(path: Path, name: str = "fer2013") -> ImageDataset:
    """Read all rows in file order: Training trains, PublicTest is the selection split, PrivateTest the test.

    The images are uint8 (N, 1, 48, 48), the labels those of the file, the sample ids ``row:0`` and on,
    counted in data rows. Line ends of any kind, a byte-order mark, quoted fields and further columns are
    read; empty lines are passed over.

    Raises:
        UserError: the file cannot be read, has another header, a bad line (named by number, with its value)
            or a split without a row.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as stream:
            rows = _read_rows(stream, path)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); check the path and its permissions.") from error
    counts = [int((rows.split == index).sum()) for index in range(len(SPLITS))]
    for (usage, index), count in zip(SPLIT_OF_USAGE.items(), counts, strict=True):
        if count == 0:
            raise UserError(
                f"{path} has no row with the Usage {usage}, so the {SPLITS[index]} split would be empty; "
                f"give a file with all of {', '.join(SPLIT_OF_USAGE)}."
            )
    return ImageDataset(
        name=name,
        images=rows.pixels.reshape(-1, 1, IMAGE_SIZE, IMAGE_SIZE),
        labels=rows.labels,
        split=rows.split,
        sample_ids=np.array([f"row:{row}" for row in range(len(rows.labels))]),
        class_names=FER2013_CLASSES,
        may_show_images=False,
        synthetic=False,
        description=(
            f"FER2013 from its CSV: Training trains ({counts[0]} images), PublicTest is the selection split "
            f"({counts[1]}), PrivateTest is the test split ({counts[2]})."
        ),
    )


def _read_rows(stream: TextIO, path: Path) -> Rows:
    lines = _lines(stream, path)
    header = next(lines, None)
    if header is None:
        raise UserError(f"{path} is empty; give fer2013.csv or icml_face_data.csv.")
    columns = parse_header(header.text, f"{path}, line {header.number}")
    parts = []
    while batch := list(islice(lines, _ROWS_AT_A_TIME)):
        parts.append(parse_rows(batch, columns, str(path)))
    if not parts:
        raise UserError(f"{path} has a header and no rows; give a file with all of {', '.join(SPLIT_OF_USAGE)}.")
    return Rows(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _lines(stream: TextIO, path: Path) -> Iterator[Line]:
    """The lines that are not empty, with their numbers."""
    number = 0
    while text := stream.readline(_LONGEST_LINE):
        number += 1
        if len(text) == _LONGEST_LINE:
            raise UserError(
                f"{path}, line {number}: longer than {_LONGEST_LINE} characters, so this is no FER2013 "
                "CSV; give fer2013.csv or icml_face_data.csv."
            )
        text = text.strip()
        if text:
            yield Line(number, text)
