"""How often the test split of each data set was read, from the copy of the ledger that lies in a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from fbench.benchmark.store.run_table import RunTable

_SPARE: Final = timedelta(minutes=10)
"""A reading is written when the trial's result has come to the process that keeps it."""


@dataclass(frozen=True)
class SplitReadings:
    """Readings of the test split of one data set, by every run on the machine that wrote the ledger.

    ``selecting`` counts the readings that also chose the epoch. ``first`` and ``last`` are times in ISO 8601.
    """

    data: str
    fingerprint: str
    total: int
    of_this_run: int
    selecting: int
    first: str
    last: str


def count_readings(run: RunTable) -> list[SplitReadings]:
    """One row per data set of the run whose test split was read, in the run's order.

    Trials on a treated data set (without copies) read the same test images, and count as readings of the run's own.
    """
    treated = {
        run.trials[row.trial_id].spec.data.fingerprint: row.data for row in run.plan if row.trial_id in run.trials
    }
    name_of = treated | {data.fingerprint: data.name for data in run.config.data}
    lines_of: dict[str, list[dict[str, Any]]] = {data.name: [] for data in run.config.data}
    for line in run.test_readings:
        name = name_of.get(_fingerprint(run, line) or "")
        if name in lines_of:
            lines_of[name].append(line)
    return [
        _count(run, data.name, data.fingerprint, lines) for data in run.config.data if (lines := lines_of[data.name])
    ]


def _fingerprint(run: RunTable, line: dict[str, Any]) -> str | None:
    """The data set of a line: as it says, or its trial's, or the only one of the run."""
    if "data_fingerprint" in line:
        return str(line["data_fingerprint"])
    if (record := run.trials.get(line.get("trial_id", ""))) is not None:
        return record.spec.data.fingerprint
    return run.config.data[0].fingerprint if len(run.config.data) == 1 else None


def _is_of_this_run(run: RunTable, line: dict[str, Any]) -> bool:
    """Whether a trial of this run read the split while it ran: another run may have trained the very same trial."""
    record = run.trials.get(line.get("trial_id", ""))
    if record is None:
        return False
    times = [_time(text) for text in (line.get("time", ""), record.started_at, record.finished_at)]
    if None in times:
        return True
    read, began, ended = (time for time in times if time is not None)
    return began - _SPARE <= read <= ended + _SPARE


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return None


def _count(run: RunTable, data: str, fingerprint: str, lines: list[dict[str, Any]]) -> SplitReadings:
    times = sorted(str(line.get("time", "")) for line in lines)
    return SplitReadings(
        data=data,
        fingerprint=fingerprint,
        total=len(lines),
        of_this_run=sum(_is_of_this_run(run, line) for line in lines),
        selecting=sum(line.get("selected_on") == "test" for line in lines),
        first=times[0],
        last=times[-1],
    )
