"""A cleaned index on disk: which rows of a data set an audit left out, and why. ``--data cleaned=DIR`` reads it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import ValidationError

from fbench.benchmark.data.audit.clean import RULES, LeftOutRow
from fbench.benchmark.data.dataset import SPLITS, ImageDataset, LeftOutImages
from fbench.benchmark.data.known import KnownData
from fbench.benchmark.data.layouts.data_set import DataSet, Derived, Layout
from fbench.benchmark.data.source import DataReference, ResolvedReference
from fbench.core.bounded import read_json
from fbench.core.contained import UNFINISHED
from fbench.core.errors import UserError, readable
from fbench.core.files import replacing, require_writable_folder
from fbench.core.schema import FrozenModel

INDEX_FILE: Final = "cleaned.json"
ROWS_FILE: Final = "left_out.csv"
_COLUMNS: Final = ("row", "sample_id", "split", "rule", "copy_of")


class CleanedIndex(FrozenModel):
    """What ``cleaned.json`` says: the source as it was named, its content, the rules, and how many rows each took."""

    schema_version: int = 1
    source: str
    source_fingerprint: str
    rules: tuple[str, ...]
    rows_by_rule: dict[str, int]
    fbench_version: str


@dataclass(frozen=True)
class Cleaning:
    """A cleaned index that was read, and the rows to leave out."""

    index: CleanedIndex
    rows: tuple[LeftOutRow, ...]


def require_target(folder: Path, reference: DataReference) -> None:
    """See that an index of a data set may be written to a folder: a new or empty one, or one that holds an index.

    Raises:
        UserError: the data set is a cleaned one itself, or the folder holds something else or cannot be read.
    """
    if reference.name == "cleaned":
        raise UserError("A cleaned index cannot be cleaned again; audit its source with other --rule options instead.")
    if readable(str(reference.path)) != str(reference.path):
        raise UserError(
            f"The index names its source, and {readable(str(reference.path))} is not UTF-8 text of one line; rename it."
        )
    require_writable_folder(folder, "The index", "--clean")
    refusal = UserError(f"{folder} is no cleaned index and no empty folder; give a new one with --clean.")
    try:
        if not folder.exists():
            return
        files = {file.name for file in folder.iterdir() if not file.name.startswith(UNFINISHED)}
        if files - {INDEX_FILE, ROWS_FILE} or (ROWS_FILE in files and not _is_ours(folder / ROWS_FILE)):
            raise refusal
    except OSError as error:
        raise UserError(f"{folder} cannot be read ({error.strerror}); give another folder with --clean.") from error


def _is_ours(rows_file: Path) -> bool:
    with rows_file.open("rb") as stream:
        return stream.readline().rstrip() == ",".join(_COLUMNS).encode()


def write_cleaned(
    folder: Path, reference: DataReference, dataset: ImageDataset, rules: tuple[str, ...], rows: Sequence[LeftOutRow]
) -> CleanedIndex:
    """Write ``left_out.csv`` and then ``cleaned.json`` into ``folder``; an index that is there already is replaced.

    Raises:
        UserError: as :func:`require_target`, or the folder cannot be written.
    """
    from fbench.core.machine import package_version

    require_target(folder, reference)
    absolute = reference.path.resolve() if reference.path else None
    index = CleanedIndex(
        source=str(reference.model_copy(update={"path": absolute})),
        source_fingerprint=dataset.fingerprint,
        rules=rules,
        rows_by_rule=dict(Counter(row.rule for row in rows)),
        fbench_version=package_version("fbench"),
    )
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for left_out in rows:
        row, copy = left_out.row, left_out.copy_of
        name, split = dataset.sample_ids[row], SPLITS[dataset.split[row]]
        writer.writerow([row, name, split, left_out.rule, "" if copy is None else dataset.sample_ids[copy]])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / ROWS_FILE) as stream:
            stream.write(table.getvalue().encode())
        with replacing(folder / INDEX_FILE) as stream:
            stream.write((index.model_dump_json(indent=1) + "\n").encode())
    except OSError as error:
        raise UserError(f"{folder} cannot be written ({error.strerror}); name another folder.") from error
    return index


def read_cleaned(folder: Path) -> Cleaning:
    """Read a cleaned index.

    Raises:
        UserError: there is none, or it was changed by hand or not written to the end.
    """
    if not (folder / INDEX_FILE).is_file():
        raise UserError(f"{folder} has no {INDEX_FILE}; give the folder that `fbench data audit DATA --clean` wrote.")
    try:
        index = CleanedIndex.model_validate(read_json(folder / INDEX_FILE))
        with (folder / ROWS_FILE).open(newline="", encoding="utf-8") as stream:
            rows = tuple(LeftOutRow(int(line["row"]), line["rule"]) for line in csv.DictReader(stream))
    except (OSError, csv.Error, ValueError, KeyError, TypeError, ValidationError) as error:
        raise UserError(
            f"{folder} holds no readable cleaned index ({str(error).splitlines()[0]}); write it again with `fbench "
            "data audit DATA --clean`."
        ) from error
    if Counter(row.rule for row in rows) != index.rows_by_rule or len({row.row for row in rows}) != len(rows):
        raise UserError(
            f"The rows of {folder / ROWS_FILE} are not those that {INDEX_FILE} counts, so that it was changed by hand "
            "or not written to the end; write it again with `fbench data audit DATA --clean`."
        )
    return Cleaning(index, rows)


def find_cleaned(reference: ResolvedReference) -> Derived:
    """The data set that the index in a folder was made of, without the rows that it leaves out.

    Raises:
        UserError: see :func:`read_cleaned`.
    """
    folder = reference.path
    cleaning = read_cleaned(folder)
    return Derived(
        source=cleaning.index.source,
        require_source=partial(_require_source, folder),
        make=partial(apply_cleaning, cleaning, folder),
    )


def _require_source(folder: Path, source: DataReference) -> None:
    if source.name == "cleaned":
        raise UserError(f"{folder} was made from another cleaned index; audit and clean its source instead.")
    if source.path is not None and not source.path.exists():
        raise UserError(
            f"{source.path}, from which {folder} was made, is no longer there; put it back, or write the "
            "index again with `fbench data audit DATA --clean`."
        )


def apply_cleaning(cleaning: Cleaning, folder: Path, dataset: ImageDataset) -> ImageDataset:
    """The data set without the rows that the index leaves out.

    Raises:
        UserError: the source is not what was audited, or a split would be empty.
    """
    if dataset.fingerprint != cleaning.index.source_fingerprint:
        raise UserError(
            f"{cleaning.index.source} has changed since {folder} was made from it; write the index again with `fbench "
            "data audit DATA --clean`."
        )
    beyond = [row.row for row in cleaning.rows if not 0 <= row.row < len(dataset.labels)]
    if beyond:
        raise UserError(
            f"{folder / ROWS_FILE} leaves out row {beyond[0]}, but {dataset.name} has the rows 0 to "
            f"{len(dataset.labels) - 1}; mend that line."
        )
    keep = np.ones(len(dataset.labels), np.bool_)
    keep[[row.row for row in cleaning.rows]] = False
    by_rule: dict[str, list[str]] = {}
    for row in cleaning.rows:
        by_rule.setdefault(row.rule, []).append(str(dataset.sample_ids[row.row]))
    left_out = tuple(LeftOutImages(reason=_reason(rule), names=tuple(names)) for rule, names in by_rule.items())
    cleaned = dataset.take(
        keep,
        name=f"{dataset.name}-cleaned",
        left_out=(*dataset.left_out, *left_out),
        description=f"{dataset.description} An audit left out {len(cleaning.rows)} images "
        f"({', '.join(f'{rule}: {len(names)}' for rule, names in by_rule.items()) or 'none'}).",
    )
    for index, name in enumerate(SPLITS):
        if not np.any(cleaned.split == index):
            raise UserError(f"{folder} leaves no image in the {name} split; clean with fewer rules.")
    return cleaned


def _reason(rule: str) -> str:
    """What is said of an image that a rule left out; an index of a later version may know other rules."""
    return RULES[rule].reason if rule in RULES else f"was left out by the rule {rule}"


DATA_SET: Final = DataSet(
    known=KnownData(
        name="cleaned",
        summary="a data set without the rows that an audit left out",
        obtain="written by fbench data audit DATA --clean DIR",
        licence="that of the data set it was made from",
        expects="the folder that fbench data audit DATA --clean DIR wrote",
        tree=("cleaned.json", "left_out.csv"),
    ),
    layouts=(Layout("cleaned-index", 1, find_cleaned),),
)
