"""One trial from its specification to its result. Nothing is written here; the caller keeps what is returned."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

import torch

from fbench.architectures.registry import build
from fbench.benchmark.data.dataset import ImageDataset, SplitName
from fbench.benchmark.machine.allocator import freed_memory_kept
from fbench.benchmark.machine.determinism import nondeterministic_operations
from fbench.benchmark.machine.device import lay_out, memory_format, numerics_in_force, seed_generators
from fbench.benchmark.machine.lost_device import why_lost
from fbench.benchmark.records.budget import StepPlan, plan_steps
from fbench.benchmark.records.events import Listen, Started, ignore
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.records.trial_records import HistoryRow, Seeds, TrialRecord
from fbench.benchmark.store.trial_result import TrialResult
from fbench.benchmark.training.arrange import arrange_splits, with_fixed_copies
from fbench.benchmark.training.checkpoints import CheckpointKeeper, CheckpointPlace, Progress, begin
from fbench.benchmark.training.failures import TrialFailure
from fbench.benchmark.training.final_measure import kept_normalisation, measure_splits, time_to_targets, trial_times
from fbench.benchmark.training.loop import DivergedError, to_the_end, training_steps
from fbench.benchmark.training.microbatch import fitting_microbatch
from fbench.benchmark.training.network_state import put_state
from fbench.benchmark.training.networks import trace_of, uncounted
from fbench.benchmark.training.rebuilt import why_not_rebuilt
from fbench.benchmark.training.seeds import derive_seeds
from fbench.benchmark.training.state import TrainingData, TrainingSettings, TrainingState
from fbench.benchmark.training.tensors import SplitTensors, choose_normalisation, split_to_device
from fbench.core.errors import StoppedError
from fbench.core.machine import Machine, describe_machine
from fbench.core.working_clock import working_s


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
    course = TrialCourse(spec, dataset, context, listen)
    try:
        with (
            freed_memory_kept(),
            numerics_in_force(spec.numerics, context.device),
            nondeterministic_operations(course.without_deterministic_algorithm),
        ):
            return to_the_end(course.steps())
    except DivergedError as error:
        return course.diverged(error)
    except (KeyboardInterrupt, StoppedError):
        raise
    except BaseException as error:  # SystemExit too: a failing network must not take the run with it
        failure = TrialFailure.of(error).with_device(why_lost(context.device) if context.device.type == "cuda" else "")
    fits = None
    if failure.out_of_device_memory:
        fits = fitting_microbatch(spec, course.dataset, course.plan, context.device)
    return course.failed(failure, fits)


@dataclass(frozen=True)
class _Begun:
    """What is known of a trial when it begins; ``clock`` is the working clock then, in seconds."""

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


class TrialCourse:
    """A trial on its way, a step at a time, in the numerics that are in force.

    Attributes:
        spec: the trial.
        dataset: with the splits that its protocol uses.
        plan: its steps.
        without_deterministic_algorithm: for whoever takes the steps to note such operations in, as the keys.
    """

    def __init__(self, spec: TrialSpec, dataset: ImageDataset, context: TrialContext, listen: Listen = ignore) -> None:
        started_at, clock = _now(), working_s()
        self.spec, self._context, self._listen = spec, context, listen
        self.dataset = arrange_splits(dataset, spec.protocol)
        self.plan = plan_steps(spec.protocol, spec.budget, int(self.dataset.rows("train").size))
        machine = describe_machine(context.device.index or 0)
        self._begun = _Begun(spec, derive_seeds(spec.seed), self.plan, machine, started_at, clock)
        self.without_deterministic_algorithm: dict[str, None] = {}
        self._history: list[HistoryRow] = []
        self._last_readings = 0
        listen(Started(spec.trial_id, self.plan.steps))

    @property
    def test_readings(self) -> int:
        """How often the test split was read: at its end, and at every evaluation where it chooses the epoch."""
        return self._last_readings + (len(self._history) if self.spec.protocol.selection == "test" else 0)

    def diverged(self, error: DivergedError) -> TrialResult:
        """The result where a loss was no number."""
        return self.failed(TrialFailure(f"diverged: {error}"))

    def failed(self, failure: TrialFailure, fits: int | None = None) -> TrialResult:
        """The result where it failed, with its history until then; ``fits`` is a microbatch that would fit."""
        reason = failure.reason if fits is None else failure.with_fitting(fits)
        return TrialResult(
            record=self._begun.record("failed", failure_reason=reason, fitting_microbatch=fits),
            history=tuple(self._history),
            test_readings=self.test_readings,
            failure_details=failure.details,
            may_pass=failure.may_pass,
        )

    def steps(self) -> Generator[None, None, TrialResult]:
        """Train, pausing after each optimizer step, and measure.

        Raises:
            DivergedError: a loss or a logit was NaN or infinite.
            StoppedError: it was asked to stop, and did so where it can be gone on with.
            BaseException: of any type, of the network.
        """
        spec, plan, device = self.spec, self.plan, self._context.device
        counts = trace_of(spec.network)
        train_split = split_to_device(self.dataset, "train", device, spec.numerics, spec.budget.train_images)
        choosing: SplitName = "test" if spec.protocol.selection == "test" else "validation"
        splits = {choosing: split_to_device(self.dataset, choosing, device, spec.numerics)}
        normalisation = choose_normalisation(spec.protocol, train_split)
        if spec.protocol.augmentation_use == "one_fixed_copy":
            train_split = with_fixed_copies(train_split, spec.protocol.augmentation, self._begun.seeds.augmentation)
        state, progress = self._begin(TrainingData(train_split, splits[choosing], normalisation))
        keeper = CheckpointKeeper(self._context.checkpoints, progress, self._listen, self._context.asks_to_stop)
        self._history = state.history
        try:
            training = yield from training_steps(state, self._listen, keeper.after_step)
        except DivergedError as error:
            self._last_readings += error.split == "test"
            raise
        deterministic = torch.are_deterministic_algorithms_enabled()
        put_state(state.network, training.weights)

        evaluation_started = working_s()
        known: dict[SplitName, torch.Tensor] = {}
        if training.logits is not None and choosing != "test":  # what is read of the test split stays as it is counted
            known[choosing] = training.logits
        measures, predictions = measure_splits(
            state.network, self.dataset, splits, known, normalisation, spec, training.chosen.step, device, self._reads
        )
        evaluation_s = working_s() - evaluation_started
        not_kept = self._why_not_kept(state, training.weights, train_split)
        total_s = working_s() - self._begun.clock
        record = self._begun.record(
            "finished",
            steps_done=training.steps_done,
            images_seen=training.history[-1].images_seen,
            chosen_step=training.chosen.step,
            chosen_epoch=training.chosen.epoch,
            normalisation=kept_normalisation(normalisation),
            validation=measures.get("validation"),
            test=measures.get("test"),
            times=trial_times(training, plan, self._context.concurrent_trials, evaluation_s, total_s),
            targets=time_to_targets(training.history),
            trainable_params=counts.trainable_params,
            total_params_keras=counts.total_params_keras,
            macs=counts.macs,
            not_counted=uncounted(counts),
            deterministic_algorithms=deterministic,
            without_deterministic_algorithm=tuple(self.without_deterministic_algorithm),
            weights_not_kept=not_kept,
        )
        weights = training.weights if not_kept is None else None
        return TrialResult(record, training.history, predictions, weights, self.test_readings)

    def _begin(self, data: TrainingData) -> tuple[TrainingState, Progress]:
        """A new training, or one that goes on from its checkpoint."""
        spec, seeds, device = self.spec, self._begun.seeds, self._context.device

        def start() -> TrainingState:
            seed_generators(seeds.initialisation, device)
            network = lay_out(build(spec.network.resolved).to(device), memory_format(spec.numerics))
            settings = TrainingSettings(spec.protocol, self.plan, spec.numerics, seeds)
            return TrainingState(network, data, settings, trial_id=spec.trial_id)

        state, progress = begin(start, self._context.checkpoints, self._begun.started_at)
        self._begun = self._begun.gone_on_with(progress)
        return state, progress

    def _reads(self, split: SplitName) -> None:
        self._last_readings += split == "test"

    def _why_not_kept(self, state: TrainingState, weights: dict[str, Any], split: SplitTensors) -> str | None:
        """Why the weights do not make the network again; fbench's own are tested to be all in theirs."""
        if self.spec.network.source_sha256 is None:
            return None
        return why_not_rebuilt(self.spec, state.network, weights, split, state.data.normalisation)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
