"""The one that writes: results of an executor become trials of a run folder and lines of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from fbench.benchmark.records.events import Checkpointed, Ended, Event, Listen
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.runs.executors import NO_LIMITS, Executor, TrialLimits, failed_record
from fbench.benchmark.store.ledger import log_readings
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.trial_result import TrialResult
from fbench.core.errors import UserError, reason_of


def run_trials(
    executor: Executor,
    specs: Sequence[TrialSpec],
    folder: RunFolder,
    listen: Listen,
    limits: TrialLimits = NO_LIMITS,
) -> list[TrialSpec]:
    """Run trials in the given order; a result is in ``folder`` when ``listen`` hears of its end.

    A keyboard interrupt is raised again: what was finished stays, and what was running goes on from its last
    checkpoint.

    Returns:
        The trials without a result, which are those that are still to run.

    Raises:
        UserError: the disk refuses.
    """
    left = {spec.trial_id: spec for spec in specs}

    def hear(event: Event) -> None:
        if isinstance(event, Checkpointed):
            folder.take_checkpoint(event.trial_id, event.file)
        listen(event)

    with closing(executor.run(specs, hear, limits)) as results:
        for result in results:
            record = keep(folder, result)
            log_readings(result)
            folder.drop_checkpoint(record.trial_id)
            left.pop(record.trial_id, None)
            listen(Ended(record))
    return list(left.values())


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
