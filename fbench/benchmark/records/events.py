"""What is told of a trial while it runs: the one way from a trial to terminal, notebook, tracker and checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fbench.benchmark.records.trial_records import HistoryRow, TrialRecord


@dataclass(frozen=True)
class Started:
    """A trial begins; it will take so many optimizer steps, unless it stops early."""

    trial_id: str
    steps: int


@dataclass(frozen=True)
class Stepped:
    """A trial has done so many optimizer steps; told at least at every evaluation."""

    trial_id: str
    steps: int


@dataclass(frozen=True)
class Evaluated:
    """A trial has read the split that chooses its epoch."""

    trial_id: str
    row: HistoryRow


@dataclass(frozen=True)
class Ended:
    """A trial has ended, finished or failed, and its record is written."""

    record: TrialRecord

    @property
    def trial_id(self) -> str:
        """Which trial."""
        return self.record.trial_id


Event = Started | Stepped | Evaluated | Ended
Listen = Callable[[Event], None]
"""Is told of each event, in the process that started the trials."""


def ignore(event: Event) -> None:
    """Listen to nothing."""
