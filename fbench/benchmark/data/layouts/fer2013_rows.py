"""One row of a CSV like FER2013's, and a batch of them: a fast reader for plain rows, a strict one for all others.

The strict reader defines what a row means and says what is wrong with one; the fast reader gives the same for
plain rows (single spaces between pixels) and hands everything else over.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.layouts.class_names import FER2013_CLASSES
from fbench.core.errors import UserError, did_you_mean

IMAGE_SIZE: Final = 48
PIXELS: Final = IMAGE_SIZE * IMAGE_SIZE
SPLIT_OF_USAGE: Final = {"Training": 0, "PublicTest": 1, "PrivateTest": 2}
"""Indices into :data:`fbench.benchmark.data.dataset.SPLITS`: train, validation, test."""

_REMEDY: Final = "correct that line or take a fresh copy of the file"


@dataclass(frozen=True)
class CsvKind:
    """A kind of CSV of pixels: its classes by their number in the file, and the words for messages.

    ``reads_usage`` says whether Usage tells the splits; where it does not, it is a column like any other that is
    passed over. ``expected`` is a clause on the header, ``give`` what to give instead of a file of another kind.
    """

    name: str
    classes: tuple[str, ...]
    reads_usage: bool
    expected: str
    give: str


FER2013_CSV: Final = CsvKind(
    name="FER2013 CSV",
    classes=FER2013_CLASSES,
    reads_usage=True,
    expected="the columns emotion, pixels and Usage",
    give="give fer2013.csv, icml_face_data.csv or Kaggle's train.csv",
)


class Line(NamedTuple):
    """A line of the file with its number; the header is line 1."""

    number: int
    text: str


@dataclass(frozen=True)
class Columns:
    """Where the columns stand in a row, how many there are in all, and the classes by their number in the file.

    ``usage`` is none in a file without splits, whose rows all count as training ones.
    """

    emotion: int
    pixels: int
    usage: int | None
    count: int
    classes: tuple[str, ...] = FER2013_CLASSES


class Rows(NamedTuple):
    """Pixels uint8 (N, 2304), labels uint8 (N,) and splits uint8 (N,) of N rows."""

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    split: npt.NDArray[np.uint8]


def parse_header(line: str, where: str, kind: CsvKind = FER2013_CSV) -> Columns:
    """Find the columns emotion, pixels and perhaps Usage, in any order and case, with blanks around them or not.

    Where Usage is read, a file without it has emotion and pixels alone (Kaggle's train.csv): with a further column it
    is more likely that Usage was misspelt.

    Raises:
        UserError: one stands twice, or is missing.
    """
    try:
        names = [name.strip().lower() for name in _fields(line)]
    except csv.Error:
        names = []
    for wanted in ("emotion", "pixels", *(["Usage"] if kind.reads_usage else [])):
        found = names.count(wanted.lower())
        if found > 1 or (not found and (wanted != "Usage" or sorted(names) != ["emotion", "pixels"])):
            raise UserError(
                f"{where}: the header {_shown(line.strip())} has {'no' if not found else 'more than one'} "
                f"column '{wanted}'; {_advice(names, kind)}."
            )
    usage = names.index("usage") if kind.reads_usage and "usage" in names else None
    return Columns(names.index("emotion"), names.index("pixels"), usage, len(names), kind.classes)


def parse_rows(lines: Sequence[Line], columns: Columns, where: str) -> Rows:
    """Read a batch of lines; ``where`` names the file.

    Raises:
        UserError: the first bad line, by number, and its value.
    """
    return _parse_plain(lines, columns) or _stack([parse_row(line, columns, where) for line in lines])


def parse_row(line: Line, columns: Columns, where: str) -> Rows:
    """Read one line by the rules of CSV (RFC 4180, without line breaks inside of quotes).

    Raises:
        UserError: what is wrong, with the line's number and the value.
    """
    here = f"{where}, line {line.number}"
    try:
        fields = _fields(line.text)
    except csv.Error as error:
        raise UserError(f"{here}: the quotes are wrong or the line is cut off ({error}); {_REMEDY}.") from error
    if len(fields) != columns.count:
        raise UserError(
            f"{here}: {len(fields)} columns where the header has {columns.count}, so the line may be cut "
            f"off; {_REMEDY}."
        )
    emotion, usage = fields[columns.emotion].strip(), _usage(fields, columns)
    labels = _labels(columns)
    if emotion not in labels:
        raise UserError(
            f"{here}: the emotion is {_shown(emotion)}, but the labels are 0 to {len(labels) - 1} "
            f"({', '.join(columns.classes)}); {_REMEDY}."
        )
    if usage not in SPLIT_OF_USAGE:
        raise UserError(
            f"{here}: the Usage is {_shown(usage)}, but it must be one of {', '.join(SPLIT_OF_USAGE)}."
            f"{did_you_mean(usage, SPLIT_OF_USAGE)} {_REMEDY.capitalize()}."
        )
    pixels = _pixels(fields[columns.pixels].split(), here)
    return Rows(pixels[None], np.array([labels[emotion]], np.uint8), np.array([SPLIT_OF_USAGE[usage]], np.uint8))


def _parse_plain(lines: Sequence[Line], columns: Columns) -> Rows | None:
    """The fast reader: None unless every line is plain and right.

    ``numpy.loadtxt`` takes 2 s of processor time for the 82.7 million pixels of FER2013 (pandas 5 s, ``int``
    12 s) and refuses a minus sign, a decimal point, an empty number and anything outside of 0 to 255.
    """
    try:
        fields = [_fields(line.text) if '"' in line.text else line.text.split(",") for line in lines]
    except csv.Error:
        return None
    if any(len(row) != columns.count for row in fields):
        return None
    label_of = _labels(columns)
    labels = [label_of.get(row[columns.emotion].strip()) for row in fields]
    split = [SPLIT_OF_USAGE.get(_usage(row, columns)) for row in fields]
    text = [row[columns.pixels].strip() for row in fields]
    if None in labels or None in split or not all(text):
        return None
    if any("+" in pixels for pixels in text):  # loadtxt alone would read +7
        return None
    try:
        pixels = np.loadtxt(text, dtype=np.uint8, delimiter=" ", comments=None, ndmin=2)
    except ValueError:
        return None
    if pixels.shape != (len(lines), PIXELS):
        return None
    return Rows(pixels, np.array(labels, np.uint8), np.array(split, np.uint8))


def _labels(columns: Columns) -> dict[str, int]:
    return {str(label): label for label in range(len(columns.classes))}


def _usage(fields: Sequence[str], columns: Columns) -> str:
    return "Training" if columns.usage is None else fields[columns.usage].strip()


def _pixels(numbers: list[str], here: str) -> npt.NDArray[np.uint8]:
    for index, number in enumerate(numbers, start=1):
        if not _is_byte(number):
            raise UserError(
                f"{here}: pixel {index} is {_shown(number)}, but pixels are whole numbers from 0 to 255; {_REMEDY}."
            )
    if len(numbers) != PIXELS:
        raise UserError(
            f"{here}: {len(numbers)} pixels, but a {IMAGE_SIZE}x{IMAGE_SIZE} image has {PIXELS}; {_REMEDY}."
        )
    return np.array([int(number[-3:]) for number in numbers], np.uint8)


def _is_byte(number: str) -> bool:
    # Leading zeros are dropped first, so that a number of thousands of digits is never converted.
    return number.isascii() and number.isdigit() and len(number.lstrip("0")) <= 3 and int(number[-3:]) <= 255


def _fields(line: str) -> list[str]:
    return next(csv.reader([line], strict=True, skipinitialspace=True), [])


def _stack(rows: Sequence[Rows]) -> Rows:
    return Rows(*(np.concatenate(parts) for parts in zip(*rows, strict=True)))


def _shown(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:37] + "...")


def _advice(names: list[str], kind: CsvKind) -> str:
    header = ",".join(names)
    for separator, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if "pixels" in header and separator in header:
            return f"its columns are separated by {word}, so save it again with commas"
    if kind is FER2013_CSV and "emotion" not in names and "pixels" in names:
        return f"Kaggle's test.csv comes without labels, so {kind.give}"
    return f"a {kind.name} has {kind.expected}, so {kind.give}"
