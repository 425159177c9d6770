"""The one that writes: results of an executor become trials of a run folder and lines of the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from fbench.benchmark.records.events import Ended, Listen
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.runs.executors import Executor, failed_record
from fbench.benchmark.store.ledger import log_readings
from fbench.benchmark.store.run_folder import RunFolder, TrialResult
from fbench.core.errors import UserError, reason_of


def run_trials(executor: Executor, specs: Sequence[TrialSpec], folder: RunFolder, listen: Listen) -> None:
    """Run trials in the given order; a result is in ``folder`` when ``listen`` hears of its end.

    A keyboard interrupt is raised again: what was finished stays, what was running is lost.

    Raises:
        UserError: the disk refuses.
    """
    for result in executor.run(specs, listen):
        record = keep(folder, result)
        log_readings(result)
        listen(Ended(record))


def keep(folder: RunFolder, result: TrialResult) -> TrialRecord:
    """Write a trial, or that it failed as it could not be written; the record as it is in its folder.

    Raises:
        UserError: the disk refuses, and would refuse the other trials too.
    """
    try:
        try:
            return folder.write_trial(result)
        except OSError:
            raise
        except Exception as error:  # of any type: what a trial holds comes from somebody's network
            reason = f"its result could not be written: {reason_of(error)}"
            failed = failed_record(result.record.spec, reason, result.record.started_at)
            return folder.write_trial(TrialResult(failed, result.history))
    except OSError as error:
        raise UserError(
            f"Trial '{result.record.trial_id}' could not be written to {folder.path} ({reason_of(error)}); see to "
            "room and permission there, and run the same command again: what was written before is kept."
        ) from error
