"""What runs the trials of a plan, wherever that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from fbench.architectures.plugins import load_plugin
from fbench.benchmark.data.loaded import load_for
from fbench.benchmark.records.events import Listen
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.store.run_folder import TrialResult
from fbench.core.errors import reason_of


class Executor(Protocol):
    """Runs trials and hands their results over; it writes neither the run's folder nor the ledger."""

    def run(self, specs: Sequence[TrialSpec], listen: Listen) -> Iterator[TrialResult]:
        """Run all, begun in the given order, and give each result when it is there.

        Every specification gives one result, also where its trial failed or the process died that ran it. ``listen``
        is told of events while the iterator waits; of the end of a trial the driver tells.
        """


@dataclass(frozen=True)
class WorkerContext:
    """Where trials run: the device, and how many at a time.

    ``scratch`` is a folder for what is too large to travel from one process to another, on the file system of the run.
    """

    scratch: Path
    device: str = "cpu"
    jobs: int = 1


def attempt(spec: TrialSpec, context: WorkerContext, listen: Listen) -> TrialResult:
    """Run one trial in this process; whatever goes wrong but a keyboard interrupt is a failed result."""
    from fbench.benchmark.machine.device import pick_device, share_device
    from fbench.benchmark.training.trial import TrialContext, run_trial

    try:
        if spec.network.plugin_file is not None:
            load_plugin(spec.network.plugin_file)
        device = pick_device(context.device)
        share_device(device, context.jobs)
        here = TrialContext(device, context.jobs)
        return run_trial(spec, load_for(spec.data), here, listen)
    except (Exception, SystemExit) as error:  # of the plug-in, the data, or the device
        return TrialResult(failed_record(spec, reason_of(error)))


def failed_record(spec: TrialSpec, reason: str, started_at: str | None = None) -> TrialRecord:
    """The record of a trial of which nothing is known but that it failed."""
    from fbench.benchmark.training.seeds import derive_seeds
    from fbench.core.machine import describe_machine

    now = datetime.now(UTC).isoformat(timespec="seconds")
    return TrialRecord(
        trial_id=spec.trial_id,
        status="failed",
        failure_reason=reason,
        spec=spec,
        seeds=derive_seeds(spec.seed),
        machine=describe_machine(),
        started_at=started_at or now,
        finished_at=now,
    )
