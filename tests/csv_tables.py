"""How the scripts beside the tests report: a CSV file that is committed, and the same rows printed."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path


def write_rows(file: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows of equal keys, of which there is at least one, and print each as ``key value, key value``."""
    save_rows(file, rows)
    for row in rows:
        print(*(f"{key} {value}" for key, value in row.items()), sep=", ")  # noqa: T201 - a script reports by printing


def save_rows(file: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows of equal keys, of which there is at least one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_rows(file: Path) -> list[dict[str, str]]:
    """The rows of a table, as text; none where there is no file."""
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def rounded(values: Mapping[str, object], digits: int) -> dict[str, object]:
    """The same row with its fractions rounded."""
    return {key: round(value, digits) if isinstance(value, float) else value for key, value in values.items()}
