"""A listener that tells a tracker of every trial of a run, once, and outlives its failures."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from fbench.benchmark.records.events import Ended, Evaluated, Event, Started
from fbench.benchmark.records.trial_records import HistoryRow, TrialRecord
from fbench.benchmark.runs.listener import RunListener
from fbench.benchmark.trackers.quiet import quiet
from fbench.benchmark.trackers.tracker import TrackedTrial, Tracker
from fbench.core.errors import reason_on_a_line

if TYPE_CHECKING:
    from fbench.benchmark.runs.plan import RunPlan
    from fbench.benchmark.store.run_folder import RunFolder

MOST_OF_A_REASON = 300


class Mirror(RunListener):
    """Tells a tracker what happens, and of trials that ended before what it does not have; trainings of a search for
    settings are no trials of the run, and are not told. Nothing is ever read back into a run.

    Args:
        tracker: keeps the copies.
        label: as a user named the tracker, without its passwords.
        warn: is told in a sentence of the tracker's first failure, which is the end of the copying.
    """

    def __init__(self, tracker: Tracker, label: str, warn: Callable[[str], None]) -> None:
        self._tracker, self._label, self._warn = tracker, label, warn
        self._trials: dict[str, TrackedTrial] = {}
        self._held: dict[str, int] = {}
        self._done: set[str] = set()
        self._folder: RunFolder | None = None
        self._failed = False

    def began(self, plan: RunPlan, trials_s: dict[str, float], estimate_s: float) -> None:
        """Know the trials, and tell of those that ended before."""
        names = {row.trial_id: row.network for row in reversed(plan.planned)}
        run = plan.folder.path.resolve().name
        self._folder = plan.folder
        self._trials = {
            spec.trial_id: TrackedTrial(run, plan.config.preset, names.get(spec.trial_id, spec.network.name), spec)
            for spec in plan.own_specs
        }
        waiting = {spec.trial_id for spec in plan.remaining}
        for trial_id in self._trials.keys() - waiting - self._done:
            self._safely(lambda trial_id=trial_id: self._catch_up(trial_id))  # type: ignore[misc]

    def happened(self, event: Event) -> None:
        """Tell of it."""
        match event:
            case Started():
                self._safely(lambda: self._begin(event.trial_id, time.time()))
            case Evaluated():
                self._safely(lambda: self._evaluated(event.trial_id, event.row, time.time()))
            case Ended():
                self._safely(lambda: self._ended(event.record))

    def close(self) -> None:
        """Nothing more happens."""
        self._safely(lambda: self._tracker.close())  # noqa: PLW0108 - what it lacks is its failure too

    def _safely(self, tell: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            with quiet():
                tell()
        except Exception as error:  # of any type: a tracker must not end the run
            self._failed = True
            self._warn(
                f"The tracker {self._label} failed ({reason_on_a_line(error, MOST_OF_A_REASON)}) and is told no more; "
                "the run goes on, and the same command tells it later what it lacks."
            )

    def _begin(self, trial_id: str, at_s: float) -> None:
        self._held[trial_id] = self._tracker.begin(self._trials[trial_id], at_s)

    def _evaluated(self, trial_id: str, row: HistoryRow, at_s: float) -> None:
        """A trial that goes on from a checkpoint may be told of an evaluation twice; where the tracker lacks the one
        before, as nobody told it, this one waits for the end, when all of them come in order."""
        if trial_id not in self._held:
            self._begin(trial_id, at_s)
        if row.evaluation == self._held[trial_id] + 1:
            self._tracker.evaluated(self._trials[trial_id], row, at_s)
            self._held[trial_id] = row.evaluation

    def _ended(self, record: TrialRecord) -> None:
        """Evaluations of before a trial was gone on with, when perhaps no tracker was told, come from its folder."""
        trial_id, began_s = record.trial_id, _seconds(record.started_at)
        if trial_id not in self._held:
            self._begin(trial_id, began_s)
        for row in self._folder.history(trial_id) if self._folder is not None else ():
            self._evaluated(trial_id, row, began_s + row.train_time_s + row.evaluation_time_s)
        self._tracker.ended(self._trials[trial_id], record, _seconds(record.finished_at))
        self._done.add(trial_id)

    def _catch_up(self, trial_id: str) -> None:
        if self._folder is None or not self._folder.has_record(trial_id):
            return
        record = self._folder.trial(trial_id)
        if not self._tracker.has_end(self._trials[trial_id], record):
            self._ended(record)
        self._done.add(trial_id)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
