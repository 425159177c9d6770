"""What a trial leaves when it has ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fbench.benchmark.records.predictions import Predictions
from fbench.benchmark.records.trial_records import HistoryRow, TrialRecord


@dataclass(frozen=True)
class TrialResult:
    """A record with the files that lie beside it; a failed trial has a record and as much history as there was.

    ``weights`` is the network's ``state_dict`` at the chosen step; ``test_readings`` counts how often the test split
    was read, by a failed trial too. A result from another process has its files, the record's among them, in the folder
    ``files`` instead. ``failure_details`` is the traceback of a failed trial and the end of its log; ``may_pass`` says
    that it failed for a reason that may not be there the next time.
    """

    record: TrialRecord
    history: tuple[HistoryRow, ...] = ()
    predictions: Predictions | None = None
    weights: dict[str, Any] | None = None
    test_readings: int = 0
    files: Path | None = None
    failure_details: str = ""
    may_pass: bool = False
