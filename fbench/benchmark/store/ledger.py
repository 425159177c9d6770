"""The ledger of test readings: every time a test split was read, by which trial, appended for good.

It lies in the user's cache, one file per data fingerprint, so that it counts across runs and folders; a copy goes
into each run. A test split that was read often is no longer a test split.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fbench.benchmark.data.cache import cache_directory
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.store.trial_result import TrialResult
from fbench.core.bounded import read_text

MOST_LEDGER_BYTES: Final = 2**30
_log = logging.getLogger(__name__)


def _ledger_file(fingerprint: str) -> Path:
    return cache_directory() / "test_readings" / f"{fingerprint}.jsonl"


def log_readings(result: TrialResult) -> None:
    """Append a line for each time a trial read the test split: once at its end, and at every evaluation where the
    test split chose the epoch. A trial that never read it adds nothing, and one that failed what it read until then."""
    record = result.record
    if not result.test_readings:
        return
    rows = record.test.images if record.test else record.spec.data.images_by_split["test"]
    _append(record, rows, {"selected_on": record.selected_on}, result.test_readings)


def log_later_reading(record: TrialRecord, rows: int, purpose: str) -> None:
    """Append a line for a reading of the test split by the trained network of a trial that had ended before."""
    _append(record, rows, {"purpose": purpose}, 1)


def _append(record: TrialRecord, rows: int, more: dict[str, str], readings: int) -> None:
    """The lines are written in one call in append mode, so that several processes never mix theirs. A cache that
    cannot be written is reported, as the trial is worth more than its line."""
    spec = record.spec
    line = {
        "data_fingerprint": spec.data.fingerprint,
        "split": "test",
        "rows": rows,
        "trial_id": record.trial_id,
        "network": spec.network.name,
        "seed": spec.seed,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        **more,
    }
    file = _ledger_file(spec.data.fingerprint)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as stream:
            stream.write((json.dumps(line, sort_keys=True) + "\n") * readings)
    except OSError as error:
        _log.warning("a reading of the test split could not be written to %s: %s", file, error)


def read_ledger(fingerprint: str) -> list[str]:
    """All lines of the ledger for one data set, oldest first; empty where there is none. One that cannot be read is
    reported, as a run is worth more than its copy."""
    file = _ledger_file(fingerprint)
    try:
        return read_text(file, MOST_LEDGER_BYTES).splitlines()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        _log.warning("the ledger of test readings %s cannot be read: %s", file, error)
        return []
