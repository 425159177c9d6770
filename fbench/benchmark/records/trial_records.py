"""What was found: the record of a trial, the counts of a network, the configuration of a run. Fields name units."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import AliasChoices, Field, field_validator

from fbench.ablations.suite import Suite
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.protocol import Choice, Protocol
from fbench.benchmark.records.specs import DataSpec, TrialSpec
from fbench.core.machine import Machine
from fbench.core.schema import FrozenModel

SCHEMA_VERSION: Final = 1


class SplitMeasures(FrozenModel):
    """Quality on one split, from the classes predicted by fp32 logits. Fractions, not per cent.

    ``recall_by_class`` has one entry per class, none where the split has no image of it; balanced accuracy and
    macro F1 average over the classes that occur. ``expected_calibration_error`` uses 15 equal-width bins
    (Guo et al. 2017). ``loss`` is the mean cross-entropy in nats, without label smoothing.
    """

    images: int
    top1: float
    balanced_accuracy: float
    macro_f1: float
    recall_by_class: tuple[float | None, ...]
    loss: float
    expected_calibration_error: float


class TrialTimes(FrozenModel):
    """Where the time of a trial went. Informative only: ``concurrent_trials`` says how many shared the machine."""

    train_time_s: float
    data_time_s: float
    step_time_s: float
    evaluation_time_s: float
    total_time_s: float
    train_time_per_epoch_s: float
    concurrent_trials: int


class TargetTime(FrozenModel):
    """When the validation split first reached an accuracy; none where it never did."""

    target_top1: float
    train_time_s: float | None
    image_passes: int | None


class Seeds(FrozenModel):
    """The seeds of one trial, derived from its seed number alone, so that equal numbers are pairs."""

    initialisation: int
    order: int
    augmentation: int


class PixelNormalisation(FrozenModel):
    """What a trial made of pixels 0 to 255, by channel: ``(pixel - mean) * inverse_deviation``."""

    mean: tuple[float, ...]
    inverse_deviation: tuple[float, ...]


class UncountedOperation(FrozenModel):
    """An operation whose multiply-accumulates no known formula gives, and how often a forward pass runs it.

    ``on_parameters`` says that it meets no image, so that no multiply-accumulates of an image are missing.
    """

    operation: str
    calls: int
    on_parameters: bool = False


class TrialRecord(FrozenModel):
    """One trial, finished or failed, with every setting that its result depends on."""

    schema_version: int = SCHEMA_VERSION
    trial_id: str
    status: Literal["finished", "failed"]
    failure_reason: str | None = None
    spec: TrialSpec
    seeds: Seeds
    machine: Machine
    started_at: str
    finished_at: str
    steps: int = 0
    steps_done: int = 0
    batch_size: int = 0
    images_seen: int = 0
    chosen_step: int | None = None
    chosen_epoch: float | None = None
    selected_on: Choice = "validation"
    normalisation: PixelNormalisation | None = None
    """None where each image was normalised by itself, and in records of before it was kept."""
    validation: SplitMeasures | None = Field(default=None, validation_alias=AliasChoices("validation", "selection"))
    test: SplitMeasures | None = None
    times: TrialTimes | None = None
    targets: tuple[TargetTime, ...] = ()
    trainable_params: int = 0
    total_params_keras: int = 0
    macs: int = 0
    not_counted: tuple[UncountedOperation, ...] = ()
    """What is missing in ``macs``."""
    resumed_after_steps: tuple[int, ...] = ()
    """After how many steps the trial was interrupted and gone on with, each time; its times are those of all parts."""
    fitting_microbatch: int | None = None
    """Of a trial that failed for lack of the device's memory: how many images at a time fit."""
    deterministic_algorithms: bool | None = None
    """Whether PyTorch was told to take deterministic algorithms where it has them, as at the end of training. None in
    records of before, whose trainings were told so on CUDA, and in those of failed trials."""
    without_deterministic_algorithm: tuple[str, ...] = ()
    """Operations of the training that PyTorch then said to have none, so that it may not give the same bits again."""
    weights_not_kept: str | None = None
    """Why a finished trial has no weights beside its record; none where it has, and in records of before."""

    @field_validator("spec")
    @classmethod
    def _recorded(cls, spec: TrialSpec) -> TrialSpec:
        return spec.recorded()


class CounterGap(FrozenModel):
    """Operations of one kind that a counter counts nothing for: how many calls, and how many of them by our count."""

    operation: str
    calls: int
    operations: int


class CounterReading(FrozenModel):
    """What another counter says of the same network.

    ``total`` is its own figure, ``beside`` what that holds beside multiply-accumulates, by kind and by its own
    convention (``counted`` has it in words), and ``macs`` the rest. Records of before have no ``total``.
    """

    counter: str
    macs: int | None
    counted: str
    total: int | None = None
    beside: dict[str, int] = Field(default_factory=dict)
    left_out: tuple[CounterGap, ...] = ()
    error: str | None = None


class StaticCost(FrozenModel):
    """Cost that follows from the network alone, for one image in evaluation mode.

    ``macs_per_call`` are taken once a call whatever the batch, and are no part of ``macs``. Records of before have
    neither them nor the kinds.
    """

    trainable_params: int
    bn_running_stats: int
    frozen_params: int = 0
    total_params_keras: int
    macs: int
    macs_by_kind: dict[str, int] = Field(default_factory=dict)
    macs_per_call: int = 0
    not_counted: tuple[UncountedOperation, ...] = ()
    elementwise_ops: int
    elementwise_ops_by_kind: dict[str, int]
    counters: tuple[CounterReading, ...]
    test_time_passes: int
    """Forward passes per prediction: 2 where the protocol flips at test time."""


class HistoryRow(FrozenModel):
    """One evaluation point of a trial: a row of ``history.csv``."""

    evaluation: int
    step: int
    epoch: float
    images_seen: int
    learning_rate: float
    train_loss: float
    train_top1: float
    validation_loss: float = Field(validation_alias=AliasChoices("validation_loss", "selection_loss"))
    validation_top1: float = Field(validation_alias=AliasChoices("validation_top1", "selection_top1"))
    data_time_s: float
    step_time_s: float
    evaluation_time_s: float
    train_time_s: float


class PlannedTrial(FrozenModel):
    """A line of a run's plan: which trial answers for a network, data set and seed.

    ``added_after_results`` marks a seed that was asked for when others of its network had finished, by no rule that was
    fixed beforehand.
    """

    network: str
    data: str
    seed: int
    trial_id: str
    added_after_results: bool = False


class SplitOff(FrozenModel):
    """Networks that cannot be computed as the others of a run are, and so cannot be compared with them.

    Attributes:
        because: their names, with reasons.
        numerics: how they are computed.
        folder: the name of the folder of their own run, beside that of the others.
    """

    because: dict[str, str]
    numerics: Numerics
    folder: str


class RunConfig(FrozenModel):
    """What a run folder belongs to. Seeds, jobs and studies chosen with ``--only`` are not part of it."""

    schema_version: int = SCHEMA_VERSION
    name: str
    suite: Suite
    protocol: Protocol
    preset: str
    budget: Budget
    data: tuple[DataSpec, ...]
    numerics: Numerics
    asked_numerics: Numerics | None = None
    """What was asked for, where ``numerics`` are others."""
    moved_because: dict[str, str] = Field(
        default_factory=dict, validation_alias=AliasChoices("moved_because", "eager_because")
    )
    """Networks that could not be computed as was asked when the run was created, with reasons: all are computed as
    ``numerics`` say then, which in runs of before is eagerly."""
    split_off: SplitOff | None = None
    """The networks that are left to a run of their own, where only comparable ones were asked for."""
    plugins: tuple[str, ...] = ()
    shard: str | None = None
    """Which part of the plan's trials is trained here, such as ``2/8``; none where all are."""
    created_at: str
    fbench_version: str
