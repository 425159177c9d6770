"""Several trials as one task of a worker process: each result is told as soon as it is there; what is left goes on
alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final

from fbench.benchmark.data.loaded import load_for
from fbench.benchmark.records.events import event_to_json
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.driver import keep
from fbench.benchmark.runs.executors import TrialLimits, WorkerContext, checkpoint_place, with_log
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.trial_result import TrialResult
from fbench.benchmark.workers.inside import Parent
from fbench.benchmark.workers.messages import Task
from fbench.core.errors import StoppedError, UserError

_TRAIN: Final = f"{__name__}:train_together"
_ENDED: Final = "ended"
_LEFT: Final = "left_because"
_CHOICE_LIMIT_S: Final = 120.0
"""Ten seconds of steps, and the time to build, warm up and record fifteen trainings."""


def together_task(specs: Sequence[TrialSpec], context: WorkerContext, limits: TrialLimits) -> Task:
    """Train several of fbench's own networks at a time in a worker, as long as all of them may take one by one."""
    arguments = {
        "specs": [spec.model_dump(mode="json") for spec in specs],
        "data_path": specs[0].data.path,
        "scratch": str(context.scratch),
        "device": context.device,
        "jobs": context.jobs,
        "checkpoints": None if context.checkpoints is None else str(context.checkpoints),
    }
    alone_s = [limits.timeouts_s.get(spec.trial_id) for spec in specs]
    limit_s = sum(one for one in alone_s if one is not None) if None not in alone_s else None
    return Task(f"together {specs[0].trial_id}", _TRAIN, arguments, limit_s=limit_s)


def ended_trial(value: object, trial_ids: Collection[str]) -> tuple[str, dict[str, Any]] | None:
    """Of what a worker told: the trial that has ended, and the answer for
    :func:`fbench.benchmark.runs.training_task.result_of`; none where it told of something else."""
    if not isinstance(value, dict) or not isinstance(answer := value.get(_ENDED), dict):
        return None
    trial_id = answer.get("trial_id")
    return (trial_id, answer) if isinstance(trial_id, str) and trial_id in trial_ids else None


def left_because(value: object) -> str:
    """Why trials of a task are left, of what its worker answered at the end."""
    return str(value.get(_LEFT)) if isinstance(value, dict) else "their process did not say why"


def choosing_task(spec: TrialSpec, device: str) -> Task:
    """Measure how many trainings like this one a device is fastest with; a whole number."""
    arguments = {"spec": spec.model_dump(mode="json"), "data_path": spec.data.path, "device": device}
    return Task("trials together", f"{__name__}:choose_number", arguments, limit_s=_CHOICE_LIMIT_S)


# --- in a worker process


def choose_number(parent: Parent, spec: dict[str, Any], data_path: str | None, device: str) -> int:
    """How many trainings at a time are fastest."""
    from fbench.benchmark.machine.device import pick_device
    from fbench.benchmark.training.together_speed import fastest_number, measure_together

    wanted = TrialSpec.model_validate(spec)
    wanted = wanted.model_copy(update={"data": wanted.data.model_copy(update={"path": data_path})})
    parent.replace_worker()  # it holds the memory of all of them
    return fastest_number(measure_together(wanted, load_for(wanted.data), pick_device(device)))


def train_together(
    parent: Parent,
    specs: list[dict[str, Any]],
    data_path: str | None,
    scratch: str,
    device: str,
    jobs: int,
    checkpoints: str | None,
) -> dict[str, Any]:
    """Run trials and leave their files in the scratch folder; why some are left, where an error ended them all.

    Raises:
        StoppedError: they were asked to stop, and did so where they can be gone on with.
        UserError: the disk refuses.
    """
    from fbench.benchmark.machine.device import pick_device, share_device
    from fbench.benchmark.training.together import run_together
    from fbench.benchmark.training.trial import TrialContext

    wanted = [TrialSpec.model_validate(spec) for spec in specs]
    wanted = [one.model_copy(update={"data": one.data.model_copy(update={"path": data_path})}) for one in wanted]
    context = WorkerContext(Path(scratch), device, jobs, Path(checkpoints) if checkpoints else None)

    def ended(result: TrialResult) -> None:
        keep(RunFolder(context.scratch), with_log(result, parent.log_tail()))
        answer = {"test_readings": result.test_readings, "may_pass": result.may_pass}
        parent.tell({_ENDED: {"trial_id": result.record.trial_id, **answer}})

    try:
        here, dataset = pick_device(device), load_for(wanted[0].data)
    except UserError as error:  # each trial says so in its record
        return {_LEFT: str(error)}
    share_device(here, jobs)
    found = run_together(
        wanted,
        dataset,
        TrialContext(here, jobs, asks_to_stop=lambda: parent.asks_to_stop),
        lambda event: parent.tell(event_to_json(event)),
        place_of=lambda spec: checkpoint_place(context, spec.trial_id),
        ended=ended,
    )
    if found.failure is None and found.left:
        raise StoppedError
    if found.failure is not None or any(one.record.status == "failed" for one in found.results):
        parent.replace_worker()
    return {_LEFT: None if found.failure is None else f"{found.failure.reason}\n{found.failure.details}"}
