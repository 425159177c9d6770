"""What is told of a trial while it runs: the one way from a trial to terminal, notebook, tracker and checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
class Checkpointed:
    """What a trial needs to go on from where it stands was written to a file, which is the listener's to keep."""

    trial_id: str
    steps: int
    file: Path


@dataclass(frozen=True)
class Ended:
    """A trial has ended, finished or failed, and its record is written."""

    record: TrialRecord

    @property
    def trial_id(self) -> str:
        """Which trial."""
        return self.record.trial_id


Event = Started | Stepped | Evaluated | Checkpointed | Ended
Listen = Callable[[Event], None]
"""Is told of each event, in the process that started the trials."""


def event_to_json(event: Event) -> dict[str, Any]:
    """An event of a trial that runs, as JSON can hold it.

    Raises:
        TypeError: the event is an end, of which the driver tells.
    """
    match event:
        case Started():
            return {"started": event.trial_id, "steps": event.steps}
        case Stepped():
            return {"stepped": event.trial_id, "steps": event.steps}
        case Evaluated():
            return {"evaluated": event.trial_id, "row": event.row.model_dump(mode="json")}
        case Checkpointed():
            return {"checkpointed": event.trial_id, "steps": event.steps, "file": str(event.file)}
    raise TypeError(f"{event} is not told by a trial")


def event_from_json(values: Mapping[str, Any]) -> Event:
    """What :func:`event_to_json` gave.

    Raises:
        ValueError: the values are no event.
    """
    match values:
        case {"started": str(trial_id), "steps": int(steps)}:
            return Started(trial_id, steps)
        case {"stepped": str(trial_id), "steps": int(steps)}:
            return Stepped(trial_id, steps)
        case {"evaluated": str(trial_id), "row": dict(row)}:
            return Evaluated(trial_id, HistoryRow.model_validate(row))
        case {"checkpointed": str(trial_id), "steps": int(steps), "file": str(file)}:
            return Checkpointed(trial_id, steps, Path(file))
    raise ValueError(f"{values!r:.80} is no event")


def ignore(event: Event) -> None:
    """Listen to nothing."""
