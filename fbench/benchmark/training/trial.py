"""One trial from its specification to its result. Nothing is written here; the caller keeps what is returned."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn

from fbench.architectures.registry import build
from fbench.benchmark.data.dataset import ImageDataset, SplitName
from fbench.benchmark.data.units import clusters_of_rows
from fbench.benchmark.machine.allocator import freed_memory_kept
from fbench.benchmark.machine.determinism import nondeterministic_operations
from fbench.benchmark.machine.device import lay_out, memory_format, numerics_in_force, seed_generators
from fbench.benchmark.machine.lost_device import why_lost
from fbench.benchmark.records.budget import StepPlan, plan_steps
from fbench.benchmark.records.events import Listen, Started, ignore
from fbench.benchmark.records.predictions import Predictions, SplitPredictions, rounded_logits
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.records.trial_records import (
    HistoryRow,
    PixelNormalisation,
    Seeds,
    SplitMeasures,
    TargetTime,
    TrialRecord,
    TrialTimes,
)
from fbench.benchmark.store.trial_result import TrialResult
from fbench.benchmark.training.arrange import arrange_splits, with_fixed_copies
from fbench.benchmark.training.checkpoints import CheckpointKeeper, CheckpointPlace, Progress, begin
from fbench.benchmark.training.evaluate import measure_split, predict_logits
from fbench.benchmark.training.failures import TrialFailure
from fbench.benchmark.training.loop import DivergedError, Training, refuse_not_finite, train
from fbench.benchmark.training.microbatch import fitting_microbatch
from fbench.benchmark.training.network_state import put_state
from fbench.benchmark.training.networks import trace_of, uncounted
from fbench.benchmark.training.rebuilt import why_not_rebuilt
from fbench.benchmark.training.seeds import derive_seeds
from fbench.benchmark.training.state import TrainingData, TrainingSettings, TrainingState
from fbench.benchmark.training.tensors import (
    Normalisation,
    SplitNormalisation,
    SplitTensors,
    choose_normalisation,
    split_to_device,
)
from fbench.core.errors import StoppedError
from fbench.core.machine import Machine, describe_machine

TARGET_TOP1: Final = (0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)


@dataclass(frozen=True)
class TrialContext:
    """Where a trial runs, how many trials share the machine with it, where its checkpoints are, and whether it is to
    stop; no result changes."""

    device: torch.device
    concurrent_trials: int = 1
    checkpoints: CheckpointPlace | None = None
    asks_to_stop: Callable[[], bool] = lambda: False


def run_trial(
    spec: TrialSpec,
    dataset: ImageDataset,
    context: TrialContext,
    listen: Listen = ignore,
) -> TrialResult:
    """Train, choose the epoch, and measure once. A diverging or raising trial comes back as a failed record, with the
    history until then.

    ``listen`` is told when it starts, of its steps, its evaluations and its checkpoints. Where there is a checkpoint,
    it goes on from there; on a CPU its result has the bits of one that was never interrupted. A keyboard interrupt is
    not caught.

    Raises:
        StoppedError: it was asked to stop, and did so where it can be gone on with.
    """
    started_at, clock = _now(), time.perf_counter()
    seeds = derive_seeds(spec.seed)
    dataset = arrange_splits(dataset, spec.protocol)
    plan = plan_steps(spec.protocol, spec.budget, int(dataset.rows("train").size))
    begun = _Begun(spec, seeds, plan, describe_machine(context.device.index or 0), started_at, clock)
    course = _Course(spec.protocol.selection == "test")
    listen(Started(spec.trial_id, plan.steps))
    try:
        with freed_memory_kept(), numerics_in_force(spec.numerics, context.device):
            return _learn(begun, dataset, context, listen, course)
    except DivergedError as error:
        failure = TrialFailure(f"diverged: {error}")
    except (KeyboardInterrupt, StoppedError):
        raise
    except BaseException as error:  # SystemExit too: a failing network must not take the run with it
        failure = TrialFailure.of(error).with_device(why_lost(context.device) if context.device.type == "cuda" else "")
    fits = fitting_microbatch(spec, dataset, plan, context.device) if failure.out_of_device_memory else None
    reason = failure.reason if fits is None else failure.with_fitting(fits)
    failed = begun.record("failed", failure_reason=reason, fitting_microbatch=fits)
    return TrialResult(
        record=failed,
        history=tuple(course.history),
        test_readings=course.test_readings,
        failure_details=failure.details,
        may_pass=failure.may_pass,
    )


@dataclass(frozen=True)
class _Begun:
    """What is known of a trial when it begins; ``clock`` is the monotonic clock then, in seconds."""

    spec: TrialSpec
    seeds: Seeds
    plan: StepPlan
    machine: Machine
    started_at: str
    clock: float
    resumed_after_steps: tuple[int, ...] = ()

    def gone_on_with(self, progress: Progress) -> _Begun:
        """The same trial as it began in an earlier process, with the time that it took there."""
        return replace(
            self,
            started_at=progress.started_at,
            clock=self.clock - progress.elapsed_s,
            resumed_after_steps=progress.resumed_after_steps,
        )

    def record(self, status: Literal["finished", "failed"], **found: Any) -> TrialRecord:
        """The record of the trial that ends now, with what was found."""
        return TrialRecord(
            trial_id=self.spec.trial_id,
            status=status,
            spec=self.spec,
            seeds=self.seeds,
            machine=self.machine,
            started_at=self.started_at,
            finished_at=_now(),
            steps=self.plan.steps,
            batch_size=self.plan.batch_size,
            selected_on=self.spec.protocol.selection,
            resumed_after_steps=self.resumed_after_steps,
            **found,
        )


@dataclass
class _Course:
    """How far a trial has come, for its record where it fails."""

    chooses_on_test: bool
    history: list[HistoryRow] = field(default_factory=list)
    last_readings: int = 0

    @property
    def test_readings(self) -> int:
        """How often the test split was read: at its end, and at every evaluation where it chooses the epoch."""
        return self.last_readings + (len(self.history) if self.chooses_on_test else 0)


def _learn(begun: _Begun, dataset: ImageDataset, context: TrialContext, listen: Listen, course: _Course) -> TrialResult:
    spec, plan, seeds, device = begun.spec, begun.plan, begun.seeds, context.device
    counts = trace_of(spec.network)
    train_split = split_to_device(dataset, "train", device, spec.numerics, spec.budget.train_images)
    choosing: SplitName = "test" if spec.protocol.selection == "test" else "validation"
    splits = {choosing: split_to_device(dataset, choosing, device, spec.numerics)}
    normalisation = choose_normalisation(spec.protocol, train_split)
    if spec.protocol.augmentation_use == "one_fixed_copy":
        train_split = with_fixed_copies(train_split, spec.protocol.augmentation, seeds.augmentation)
    data = TrainingData(train_split, splits[choosing], normalisation)

    def start() -> TrainingState:
        seed_generators(seeds.initialisation, device)
        network = lay_out(build(spec.network.resolved).to(device), memory_format(spec.numerics))
        settings = TrainingSettings(spec.protocol, plan, spec.numerics, seeds)
        return TrainingState(network, data, settings, trial_id=spec.trial_id)

    state, progress = begin(start, context.checkpoints, begun.started_at)
    begun, network = begun.gone_on_with(progress), state.network
    keeper = CheckpointKeeper(context.checkpoints, progress, listen, context.asks_to_stop)
    course.history = state.history
    try:
        with nondeterministic_operations() as operations:
            training = train(state, listen, keeper.after_step)
    except DivergedError as error:
        course.last_readings += error.split == "test"
        raise
    deterministic = torch.are_deterministic_algorithms_enabled()
    put_state(network, training.weights)

    evaluation_started = time.perf_counter()
    known: dict[SplitName, torch.Tensor] = {}
    if training.logits is not None and choosing != "test":  # what is read of the test split stays as it is counted
        known[choosing] = training.logits
    measures, predictions = _measure(
        network, dataset, splits, known, normalisation, spec, training.chosen.step, device, course
    )
    final_evaluation_s = time.perf_counter() - evaluation_started
    not_kept = None
    if spec.network.source_sha256 is not None:  # fbench's own are tested to be all in parameters and buffers
        not_kept = why_not_rebuilt(spec, network, training.weights, train_split, normalisation)
    record = begun.record(
        "finished",
        steps_done=training.steps_done,
        images_seen=training.history[-1].images_seen,
        chosen_step=training.chosen.step,
        chosen_epoch=training.chosen.epoch,
        normalisation=_kept(normalisation),
        validation=measures.get("validation"),
        test=measures.get("test"),
        times=_times(training, plan, context, final_evaluation_s, time.perf_counter() - begun.clock),
        targets=time_to_targets(training.history),
        trainable_params=counts.trainable_params,
        total_params_keras=counts.total_params_keras,
        macs=counts.macs,
        not_counted=uncounted(counts),
        deterministic_algorithms=deterministic,
        without_deterministic_algorithm=tuple(operations),
        weights_not_kept=not_kept,
    )
    weights = training.weights if not_kept is None else None
    return TrialResult(record, training.history, predictions, weights, course.test_readings)


def _measure(
    network: nn.Module,
    dataset: ImageDataset,
    splits: Mapping[SplitName, SplitTensors],
    known: Mapping[SplitName, torch.Tensor],
    normalisation: Normalisation,
    spec: TrialSpec,
    step: int,
    device: torch.device,
    course: _Course,
) -> tuple[dict[SplitName, SplitMeasures], Predictions]:
    """Quality and predictions on each split that the protocol reads.

    ``splits`` are those on the device already, ``known`` the logits that training left: evaluating the validation split
    once less is a twentieth of a trial of ``quick``.

    Raises:
        DivergedError: a logit is NaN or infinite.
    """
    measures: dict[SplitName, SplitMeasures] = {}
    predictions: Predictions = {}
    for split in _splits_to_read(spec):
        tensors = splits.get(split) or split_to_device(dataset, split, device, spec.numerics)
        course.last_readings += split == "test"
        logits = known.get(split)
        if logits is None:
            flip = spec.protocol.test_time_flip
            logits = predict_logits(network, tensors, normalisation, spec.numerics, flip=flip)
        loss = float(F.cross_entropy(logits, tensors.labels))
        refuse_not_finite("test" if split == "test" else "validation", logits, loss, step)
        values, labels = logits.cpu().numpy(), tensors.labels.cpu().numpy()
        measures[split] = measure_split(values, labels)
        predictions[split] = SplitPredictions(
            predicted=values.argmax(1),
            labels=labels,
            logits=rounded_logits(values),
            sample_ids=dataset.sample_ids[tensors.rows],
            clusters=clusters_of_rows(dataset, tensors.rows),
        )
    return measures, predictions


def time_to_targets(history: tuple[HistoryRow, ...]) -> tuple[TargetTime, ...]:
    """For each target accuracy, the first evaluation of the choosing split that reached it."""
    found = []
    for target in TARGET_TOP1:
        first = next((row for row in history if row.validation_top1 >= target), None)
        found.append(
            TargetTime(
                target_top1=target,
                train_time_s=first.train_time_s if first else None,
                image_passes=first.images_seen if first else None,
            )
        )
    return tuple(found)


def _kept(normalisation: Normalisation) -> PixelNormalisation | None:
    """The numbers of a normalisation that has some; fp32 values come back exactly from JSON."""
    return normalisation.values() if isinstance(normalisation, SplitNormalisation) else None


def _splits_to_read(spec: TrialSpec) -> tuple[SplitName, ...]:
    if spec.protocol.test_split == "merged_with_validation":
        return ("test",)
    return ("validation",) if spec.protocol.test == "none" else ("validation", "test")


def _times(
    training: Training, plan: StepPlan, context: TrialContext, final_evaluation_s: float, total_time_s: float
) -> TrialTimes:
    last = training.history[-1]
    return TrialTimes(
        train_time_s=last.train_time_s,
        data_time_s=last.data_time_s,
        step_time_s=last.step_time_s,
        evaluation_time_s=last.evaluation_time_s + final_evaluation_s,
        total_time_s=total_time_s,
        train_time_per_epoch_s=last.train_time_s * plan.steps_per_epoch / training.steps_done,
        concurrent_trials=context.concurrent_trials,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
