"""The file of imported results."""

from __future__ import annotations

from pathlib import Path

from fbench.benchmark.records.imported import IMPORTED_SCHEMA_VERSION, NOT_TRAINED_HERE, ImportedResults
from fbench.benchmark.store.files import read_model, write_text
from fbench.core.bounded import read_json


def write_imported(file: Path, results: ImportedResults) -> None:
    """Write results as JSON."""
    write_text(file, results.model_dump_json() + "\n")


def is_imported(file: Path) -> bool:
    """Whether a file says of itself that it holds imported results; what cannot be read says nothing."""
    try:
        found = read_json(file)
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("kind") == NOT_TRAINED_HERE


def read_imported(file: Path) -> ImportedResults:
    """Read what :func:`write_imported` wrote.

    Raises:
        UserError: it is not such a file, or one that this version does not read.
    """
    return read_model(file, ImportedResults, IMPORTED_SCHEMA_VERSION)
