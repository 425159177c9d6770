"""CSV files of other people's training code.

Two forms, one a file: a row a training (``network,seed,top1``), or a row an image of a training
(``network,seed,image,label,predicted``). Other columns are left alone.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from fbench.benchmark.imports.evaluated import EvaluatedImages, EvaluatedOn
from fbench.benchmark.records.imported import ImportedTraining
from fbench.core.bounded import read_text
from fbench.core.errors import UserError, did_you_mean, readable

MOST_BYTES: Final = 512 * 2**20
ACCURACIES: Final = ("network", "seed", "top1")
PREDICTIONS: Final = ("network", "seed", "image", "label", "predicted")

MOST_OF_A_NAME: Final = 100
MOST_DIGITS: Final = 18

Key = tuple[str, int]
"""A network and a seed."""
Trainings = dict[Key, ImportedTraining]


@dataclass(frozen=True)
class _Row:
    where: str
    cells: dict[str, str]


def read_tables(files: Sequence[Path], tested: EvaluatedOn) -> Trainings:
    """The trainings of all files.

    Raises:
        UserError: a file that is no such table, a value that cannot be, a training twice, or predictions that are not
            of exactly the images of the split, with their labels.
    """
    found: Trainings = {}
    for file in files:
        for key, training in _read(file, tested).items():
            if key in found:
                raise UserError(f"{file} has {key[0]} with seed {key[1]}, which came before; give each training once.")
            found[key] = training
    return found


def _read(file: Path, tested: EvaluatedOn) -> Trainings:
    try:
        text = read_text(file, MOST_BYTES)
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read ({error}); give a CSV file in UTF-8.") from error
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=None), skipinitialspace=True)
    try:
        columns = [name.strip() for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise UserError(f"{file} is no CSV ({error}); mend its first line.") from error
    reader.fieldnames = columns
    wanted = ACCURACIES if "top1" in columns and "predicted" not in columns else PREDICTIONS
    for name in wanted:
        if name not in columns:
            raise UserError(
                f"{file} has no column '{name}'.{did_you_mean(name, columns)} Give {','.join(ACCURACIES)}, a row a "
                f"training, or {','.join(PREDICTIONS)}, a row an image."
            )
    rows = _rows(file, reader, wanted)
    if wanted is ACCURACIES:
        return _accuracies(rows)
    if tested.images is None:
        name = tested.data.name
        raise UserError(
            f"{file} has predictions, which are held against the labels of {name}; give --data {name}=PATH."
        )
    return _predictions(rows, tested.images, tested.data.name)


def _rows(file: Path, reader: csv.DictReader[str], wanted: Sequence[str]) -> Iterable[_Row]:
    try:
        for row in reader:
            where = f"{file}, line {reader.line_num}"
            cells = {name: (row[name] or "").strip() for name in wanted}
            if empty := next((name for name, text in cells.items() if not text), None):
                raise UserError(f"{where} has no {empty}; give each row all of {','.join(wanted)}.")
            yield _Row(where, cells)
    except csv.Error as error:
        raise UserError(f"{file}, line {reader.line_num} is no CSV ({error}); mend it.") from error


def _key(row: _Row) -> Key:
    return network_name(row.cells["network"], row.where), seed_number(row.cells["seed"], row.where)


def seed_number(text: str, where: str) -> int:
    """A seed.

    Raises:
        UserError: it is none.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > MOST_DIGITS:
        raise UserError(f"{where}: the seed is '{readable(text)[:MOST_OF_A_NAME]}'; give a whole number from 0.")
    return int(text)


def network_name(text: str, where: str) -> str:
    """A name that ``PATH:NETWORK`` can hold and a terminal can show.

    Raises:
        UserError: it is none.
    """
    if ":" in text or readable(text) != text or len(text) > MOST_OF_A_NAME:
        raise UserError(
            f"{where}: the network is called '{readable(text)[:MOST_OF_A_NAME]}'; give a short name without colons and "
            "control characters."
        )
    return text


def fraction(text: str, where: str) -> float:
    """An accuracy.

    Raises:
        UserError: it is none, or one in per cent.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise UserError(f"{where}: the accuracy is {readable(text)}; give a fraction from 0 to 1, such as 0.6312.")
    return value


def _accuracies(rows: Iterable[_Row]) -> Trainings:
    found: Trainings = {}
    for row in rows:
        key = _key(row)
        if key in found:
            raise UserError(f"{row.where} has {key[0]} with seed {key[1]} again; give each training once.")
        found[key] = ImportedTraining(seed=key[1], top1=fraction(row.cells["top1"], row.where))
    return found


def _predictions(rows: Iterable[_Row], images: EvaluatedImages, data: str) -> Trainings:
    answers: dict[Key, dict[str, tuple[int, int]]] = {}
    for row in rows:
        of_training = answers.setdefault(_key(row), {})
        image = row.cells["image"]
        if image in of_training:
            raise UserError(f"{row.where} has the image {readable(image)} of its training again; give each once.")
        of_training[image] = (_class(row, "label", images), _class(row, "predicted", images))
    return {key: _training(key, found, images, data) for key, found in answers.items()}


def _class(row: _Row, column: str, images: EvaluatedImages) -> int:
    text = row.cells[column]
    try:
        return images.class_of(text)
    except ValueError:
        raise UserError(
            f"{row.where}: the {column} is '{readable(text)}'; give one of {', '.join(images.class_names)}, or its "
            "number from 0."
        ) from None


def _training(key: Key, found: dict[str, tuple[int, int]], images: EvaluatedImages, data: str) -> ImportedTraining:
    names = images.sample_ids
    if not set(found) & set(names):
        names = tuple(map(str, range(len(names))))  # places in the split
    of_training = f"{key[0]} with seed {key[1]}"
    if strange := next((image for image in found if image not in set(names)), None):
        raise UserError(
            f"{of_training} has the image '{readable(strange)}', which is none of the {len(names):,} of {data}; name "
            f"images as '{images.sample_ids[0]}', or by their places in the split from 0."
        )
    if missing := next((name for name in names if name not in found), None):
        raise UserError(
            f"{of_training} has {len(found):,} of the {len(names):,} images of {data}; the first that is missing is "
            f"'{missing}'."
        )
    labels, predicted = np.array([found[name] for name in names]).T
    different = np.flatnonzero(labels != images.labels)
    if different.size:
        wrong = int(different[0])
        raise UserError(
            f"{of_training}: the label of the image '{names[wrong]}' is {images.class_names[labels[wrong]]} in the "
            f"file and {images.class_names[int(images.labels[wrong])]} in {data}; these are other images, or in "
            "another order."
        )
    return ImportedTraining(
        seed=key[1], top1=float(np.mean(predicted == labels)), predicted=tuple(int(one) for one in predicted)
    )
