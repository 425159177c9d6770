"""What runs the trials of a plan, wherever that is."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from fbench.benchmark.data.loaded import load_for
from fbench.benchmark.records.events import Listen
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.store.trial_result import TrialResult
from fbench.core.contained import ContainedPath
from fbench.core.errors import MOST_OF_A_REASON, reason_of, traceback_of

if TYPE_CHECKING:
    from fbench.benchmark.training.checkpoints import CheckpointPlace


@dataclass(frozen=True)
class TrialLimits:
    """What trials may take of the time.

    Attributes:
        timeouts_s: the seconds that a trial may take, by its id; those that are not named may take any.
        may_begin: whether there is time enough for a trial of this id. It is asked before a trial begins, and one that
            may not has no result.
    """

    timeouts_s: Mapping[str, float] = field(default_factory=dict)
    may_begin: Callable[[str], bool] = lambda trial_id: True


NO_LIMITS: Final = TrialLimits()


class Executor(Protocol):
    """Runs trials and hands their results over; it writes neither the run's folder nor the ledger."""

    def run(
        self, specs: Sequence[TrialSpec], listen: Listen, limits: TrialLimits = NO_LIMITS
    ) -> Generator[TrialResult, None, None]:
        """Run all, begun in the given order, and give each result when it is there.

        Every specification gives one result, also where its trial failed or the process died that ran it, unless the
        executor was asked to stop or the trial may not begin any more. ``listen`` is told of events while the iterator
        waits; of the end of a trial the driver tells.
        """

    def ask_to_stop(self) -> None:
        """Begin no trial any more, and let those that run end where they can be gone on with; for signal handlers."""


@dataclass(frozen=True)
class WorkerContext:
    """Where trials run: the device, and how many at a time.

    Attributes:
        scratch: a folder for what is too large to travel from one process to another, on the file system of the run.
        device: its name.
        jobs: trials at a time.
        checkpoints: the folder of the checkpoints that trials go on from; none where there are none.
        retries: how often a trial is tried again that failed in a way that may pass.
        isolated: whether fbench's own networks, too, are trained in worker processes where there is one job on a CPU.
    """

    scratch: Path
    device: str = "cpu"
    jobs: int = 1
    checkpoints: Path | None = None
    retries: int = 0
    isolated: bool = False


def attempt(
    spec: TrialSpec, context: WorkerContext, listen: Listen, asks_to_stop: Callable[[], bool] = lambda: False
) -> TrialResult:
    """Run one trial in this process; whatever goes wrong but a keyboard interrupt is a failed result.

    Raises:
        StoppedError: it was asked to stop, and did so where it can be gone on with.
    """
    from fbench.benchmark.machine.device import pick_device, share_device
    from fbench.benchmark.training.foreign_code import load_named_code
    from fbench.benchmark.training.trial import TrialContext, run_trial

    try:
        load_named_code(spec.network)
        device = pick_device(context.device)
        share_device(device, context.jobs)
        here = TrialContext(device, context.jobs, checkpoint_place(context, spec.trial_id), asks_to_stop)
        return run_trial(spec, load_for(spec.data), here, listen)
    except (Exception, SystemExit) as error:  # of the plug-in, the data, or the device
        return TrialResult(failed_record(spec, reason_of(error)), failure_details=traceback_of(error))


def checkpoint_place(context: WorkerContext, trial_id: str) -> CheckpointPlace | None:
    """Where the checkpoints of a trial are; none where none are kept."""
    from fbench.benchmark.training.checkpoints import CheckpointPlace

    if (folder := context.checkpoints) is None:
        return None
    return CheckpointPlace(ContainedPath(folder.parent, (folder.name, f"{trial_id}.safetensors")), context.scratch)


def failed_record(spec: TrialSpec, reason: str, started_at: str | None = None) -> TrialRecord:
    """The record of a trial of which nothing is known but that it failed."""
    from fbench.benchmark.training.seeds import derive_seeds
    from fbench.core.machine import describe_machine

    now = datetime.now(UTC).isoformat(timespec="seconds")
    return TrialRecord(
        trial_id=spec.trial_id,
        status="failed",
        failure_reason=reason[:MOST_OF_A_REASON],
        spec=spec,
        seeds=derive_seeds(spec.seed),
        machine=describe_machine(),
        started_at=started_at or now,
        finished_at=now,
    )


def with_log(result: TrialResult, log: str) -> TrialResult:
    """A failed result with the end of what was written to the standard streams; another as it is."""
    if result.record.status != "failed" or not log:
        return result
    return replace(result, failure_details=f"{result.failure_details}\n--- log\n{log}")
