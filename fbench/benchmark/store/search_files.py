"""Searches for settings in files: one for each search of a run, and tables of them for others to use.

Tables lie with fbench in ``tuned/`` beside the protocols, and are named ``<data>-<protocol>-<budget>.json``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fbench.benchmark.records.search_records import SEARCH_SCHEMA_VERSION, SearchRecord, SearchTable
from fbench.benchmark.store.files import read_model, write_text
from fbench.benchmark.store.hashes import HASHES_FILE, keep_hash
from fbench.benchmark.store.run_folder import RunFolder
from fbench.core.contained import UNFINISHED, ContainedPath
from fbench.core.errors import UserError

TABLES: Final = Path(__file__).parents[1] / "records" / "tuned"
"""The tables that come with fbench."""


def search_file(folder: RunFolder, search_id: str) -> ContainedPath:
    """Where the record of a search lies in a run."""
    return folder.files / "searches" / f"{search_id}.json"


def write_search(folder: RunFolder, record: SearchRecord) -> None:
    """Keep what a search found."""
    file = search_file(folder, record.search_id)
    write_text(file, _text(record.model_dump(mode="json"), "trials"))
    keep_hash(file.parent, file)


def read_searches(folder: RunFolder) -> dict[str, SearchRecord]:
    """All searches of a run by their ids.

    Raises:
        UserError: a file is not valid, or that of another search.
    """
    names = [name for name in (folder.files / "searches").names() if not name.startswith(UNFINISHED)]
    ids = (name.removesuffix(".json") for name in names if name.endswith(".json") and name != HASHES_FILE)
    return {search_id: read_search(folder, search_id) for search_id in ids}


def read_search(folder: RunFolder, search_id: str) -> SearchRecord:
    """The search with this id.

    Raises:
        UserError: its file is not valid, or that of another search.
    """
    file = search_file(folder, search_id)
    record = read_model(file, SearchRecord, SEARCH_SCHEMA_VERSION)
    if record.search_id != search_id:
        raise UserError(f"{file} is the record of search '{record.search_id}'; restore it or delete it.")
    return record


def kept_searches(tables: Path = TABLES) -> dict[str, SearchRecord]:
    """The searches in all tables of a folder by their ids.

    Raises:
        UserError: a file is not valid.
    """
    return {
        record.search_id: record
        for file in sorted(tables.glob("*.json"))
        for record in read_model(file, SearchTable, SEARCH_SCHEMA_VERSION).searches
    }


def write_table(file: Path, table: SearchTable) -> None:
    """Write a table with a line for each search, and beside it, as CSV, a line for each of their trials."""
    write_text(file, _text(table.model_dump(mode="json"), "searches"))
    write_text(file.with_suffix(".csv"), _trial_lines(table.searches))


def _text(values: dict[str, object], rows: str) -> str:
    """JSON with a line for each entry of ``rows``, which comes last."""
    listed = values.pop(rows)
    lines = ",\n  ".join(json.dumps(row) for row in listed)  # type: ignore[attr-defined] # a model's tuple
    return f'{json.dumps(values, indent=1)[:-2]},\n "{rows}": [\n  {lines}\n ]\n}}\n'


def _trial_lines(searches: Iterable[SearchRecord]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(
        ("network", "search", "rung", "rate", "strength", "seed", "validation_top1", "validation_loss", "image_passes")
    )
    for record in searches:
        for trial in record.trials:
            measures = ["" if value is None else f"{value:.6g}" for value in (trial.top1, trial.loss)]
            writer.writerow(
                (
                    record.network,
                    record.search,
                    trial.rung,
                    f"{trial.rate:g}",
                    trial.strength,
                    trial.seed,
                    *measures,
                    trial.image_passes,
                )
            )
    return stream.getvalue()
