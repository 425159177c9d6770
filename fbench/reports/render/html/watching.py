"""How far runs are, read without opening every record: what ``fbench report --watch`` looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fbench.benchmark.store.run_folder import RunFolder
from fbench.core.paths import expanded


@dataclass(frozen=True)
class Progress:
    """Planned trials of some runs, those that have a record, and the measurements of cost."""

    planned: int
    ended: int
    costs: int
    runs: int

    @property
    def complete(self) -> bool:
        """Whether nothing more is to come: all trials have ended, and each run's cost is measured."""
        return 0 < self.planned == self.ended and self.costs >= self.runs


def progress_of(runs: Sequence[Path]) -> Progress:
    """How far the runs in these folders are.

    Raises:
        UserError: a folder is no run.
    """
    folders = [RunFolder.open(expanded(path)) for path in runs]
    planned = [(folder, row.trial_id) for folder in folders for row in folder.plan()]
    return Progress(
        planned=len(planned),
        ended=sum(folder.has_record(trial_id) for folder, trial_id in planned),
        costs=sum(bool(folder.cost_names()) for folder in folders),
        runs=len(folders),
    )
