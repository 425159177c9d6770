"""A protocol: how a trial is trained and how its epoch is chosen. All of it is data, versioned, and hashed."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from fbench.benchmark.data.dataset import SplitName, validation_for_selection
from fbench.benchmark.records.tuning import Tuning
from fbench.core.errors import UserError
from fbench.core.schema import FrozenModel, is_finite
from fbench.statistics.collapse import CHANCE, LOSS_FACTOR

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Epochs = Annotated[int, Field(ge=1, le=100_000)]
BatchSize = Annotated[int, Field(ge=1, le=1_000_000)]
FILE_NAME: Final = r"^[^/\\\x00-\x1f\x7f]*$"
"""Of a name that becomes part of a folder's: no slash and no control character."""
Choice = Annotated[Literal["validation", "test", "last"], BeforeValidator(validation_for_selection)]
"""What chooses the epoch: a split, or that it is the last."""


class Settings(FrozenModel):
    """Values that a person gives: every number is finite, as JSON has no others."""

    model_config = ConfigDict(allow_inf_nan=False)


class AdamW(Settings):
    """AdamW (Loshchilov & Hutter 2019): weight decay apart from the gradient.

    Attributes:
        learning_rate: the highest of the schedule.
        weight_decay: of the parameters that ``weight_decay_on`` names.
        beta1: decay of the mean of the gradients.
        beta2: decay of the mean of their squares.
        epsilon: added to the denominator.
    """

    kind: Literal["adamw"] = "adamw"
    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat = 0.0
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    epsilon: PositiveFloat = 1e-8


class Adam(Settings):
    """Adam (Kingma & Ba 2015): weight decay is an L2 penalty inside the gradient.

    Attributes:
        learning_rate: the highest of the schedule.
        weight_decay: of the parameters that ``weight_decay_on`` names.
        beta1: decay of the mean of the gradients.
        beta2: decay of the mean of their squares.
        epsilon: added to the denominator.
    """

    kind: Literal["adam"] = "adam"
    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat = 0.0
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    epsilon: PositiveFloat = 1e-8


class Sgd(Settings):
    """Stochastic gradient descent with momentum, Nesterov's where asked.

    Attributes:
        learning_rate: the highest of the schedule.
        weight_decay: of the parameters that ``weight_decay_on`` names.
        momentum: decay of the mean of the gradients.
        nesterov: whether the gradient is taken ahead of the momentum.
    """

    kind: Literal["sgd"] = "sgd"
    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat = 0.0
    momentum: Fraction = 0.9
    nesterov: bool = True


Optimizer = Annotated[AdamW | Adam | Sgd, Field(discriminator="kind")]


class WarmupCosine(Settings):
    """Linear warm-up over a fraction of the steps, then half a cosine down to a fraction of the peak.

    Attributes:
        warmup_fraction: of the steps, in which the learning rate rises.
        final_fraction: of the highest learning rate, at the end.
    """

    kind: Literal["warmup_cosine"] = "warmup_cosine"
    warmup_fraction: Fraction = 0.1
    final_fraction: Fraction = 0.0


class ConstantRate(Settings):
    """One learning rate from the first step to the last."""

    kind: Literal["constant"] = "constant"


class ReduceOnPlateau(Settings):
    """Multiply the learning rate by a factor after a number of evaluations without a lower validation loss.

    Attributes:
        factor: of the learning rate.
        patience: evaluations in a row without a lower validation loss.
        minimum_fraction: of the first learning rate, below which it never falls.
        minimum_improvement: lower means by more than this, in nats.
    """

    kind: Literal["reduce_on_plateau"] = "reduce_on_plateau"
    factor: Fraction = 0.1
    patience: PositiveInt = 5
    minimum_fraction: Fraction = 1e-4
    minimum_improvement: NonNegativeFloat = 0.0


Schedule = Annotated[WarmupCosine | ConstantRate | ReduceOnPlateau, Field(discriminator="kind")]


class Augmentation(Settings):
    """Random changes of training images; 0 turns one off.

    Attributes:
        flip_probability: of a mirror image.
        rotation_degrees: at most so far, to either side.
        shift_fraction: at most so much of the side, in either direction.
        zoom_fraction: at most so much larger or smaller.
        crop_padding_px: pixels around the image, of which a crop of its size is taken.
        erasing_probability: of a rectangle without content.
        erasing_max_fraction: of the image's area, which the rectangle has at most.
        mixup_alpha: of the beta distribution by which two images and their labels are mixed.
    """

    flip_probability: Fraction = 0.0
    rotation_degrees: NonNegativeFloat = 0.0
    shift_fraction: Fraction = 0.0
    zoom_fraction: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    crop_padding_px: Annotated[int, Field(ge=0)] = 0
    erasing_probability: Fraction = 0.0
    erasing_max_fraction: Fraction = 0.25
    mixup_alpha: NonNegativeFloat = 0.0


class Stopping(Settings):
    """Stop early after a number of evaluations without a lower validation loss.

    Attributes:
        patience: evaluations in a row without a lower validation loss.
        minimum_improvement: lower means by more than this, in nats.
    """

    patience: PositiveInt
    minimum_improvement: NonNegativeFloat = 0.0


class Collapse(Settings):
    """Which trainings count as collapsed (:mod:`fbench.statistics.collapse`); fixed before any result.

    A training that names one class only always does, and one of which the loss is no number.

    Attributes:
        chance: the one-sided level of the test of its accuracy against the share of the largest class.
        loss_factor: how many times ln(classes) its training loss may be at the end.
    """

    chance: Annotated[float, Field(gt=0.0, lt=1.0)] = CHANCE
    loss_factor: PositiveFloat = LOSS_FACTOR


class Protocol(Settings):
    """Everything that decides how a trial learns, and which of its epochs is reported.

    ``collapse`` is the rule by which finished trials are judged; no result depends on it, so it is no part of a trial's
    identity, but a run keeps the one that it began with. ``description``, ``source``, ``stated`` and ``choices`` are
    for readers and no part of any identity either.

    Attributes:
        name: what a run and its report call it.
        version: raised by every change of a setting.
        description: what the protocol is for.
        source: the paper that it follows, if any.
        stated: what the source says, by topic.
        choices: what the source leaves open, and what was chosen, by topic.
        epochs: passes over the training split, where the preset has no budget of its own.
        batch_size: of training.
        reference_batch_size: at which the learning rate holds.
        batch_size_for_data: other batch sizes, for data sets by name.
        learning_rate_scaling: with ``square_root`` the learning rate is multiplied by the square root of the ratio of
            batch and reference batch (Malladi et al. 2022, for Adam-like optimizers).
        optimizer: how the weights change.
        schedule: how the learning rate changes.
        normalisation: mean and deviation from the ``training_split``, for each channel, or ``per_image``, over all its
            values.
        augmentation: random changes of training images.
        augmentation_use: ``each_pass`` draws anew whenever an image is seen; ``one_fixed_copy`` draws one augmented
            copy of each training image before training, which doubles the training split, and nothing later.
        label_smoothing: the share of a label that is spread over all classes.
        gradient_clip_norm: the largest norm of the gradient of all parameters; without it none is clipped.
        weight_decay_on: which parameters decay; ``kernels`` are all of two or more dimensions.
        ema_decay: of an exponential moving average of the weights, which is then evaluated and kept; without it the
            weights themselves are.
        test_time_flip: whether logits are the mean over an image and its mirror image.
        stopping: when a training ends early; without it never.
        selection: what chooses the epoch. ``validation`` is honest, ``test`` exists only to imitate published numbers
            and is marked wherever it was used, ``last`` takes the final epoch.
        test: whether the test split is read ``once``, at the end, or never (``none``).
        test_split: ``merged_with_validation`` makes one split of both, which then tests and, as only the selections
            ``test`` and ``last`` make sense with it, perhaps selects.
        architecture_options: go to every builder that takes them, before the identity of a trial is hashed.
        collapse: which trainings count as collapsed.
        tuning: the search that each network gets on the validation split; a trial is trained, and its id hashed, with
            the protocol that the search resolved, which has none.

    Raises:
        UserError: settings that contradict each other.
    """

    name: Annotated[str, Field(min_length=1, pattern=FILE_NAME)]
    version: PositiveInt
    description: str = ""
    source: str = ""
    stated: dict[str, str] = Field(default_factory=dict)
    choices: dict[str, str] = Field(default_factory=dict)
    epochs: Epochs
    batch_size: BatchSize
    reference_batch_size: BatchSize
    batch_size_for_data: dict[str, BatchSize] = Field(default_factory=dict)
    learning_rate_scaling: Literal["square_root", "none"] = "square_root"
    optimizer: Optimizer
    schedule: Schedule
    normalisation: Literal["training_split", "per_image"] = "training_split"
    augmentation: Augmentation = Augmentation()
    augmentation_use: Literal["each_pass", "one_fixed_copy"] = "each_pass"
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    gradient_clip_norm: PositiveFloat | None = None
    weight_decay_on: Literal["kernels", "dense_kernels", "convolution_kernels_3x3", "all_parameters"] = "kernels"
    ema_decay: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    test_time_flip: bool = False
    stopping: Stopping | None = None
    selection: Choice = "validation"
    test: Literal["once", "none"] = "once"
    test_split: Annotated[Literal["own", "merged_with_validation"], BeforeValidator(validation_for_selection)] = "own"
    architecture_options: dict[str, Any] = Field(default_factory=dict)
    collapse: Collapse = Collapse()
    tuning: Tuning | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_older(cls, values: Any) -> Any:
        """Records of version 0.1 have ``decay_all_parameters`` in place of ``weight_decay_on``."""
        if not isinstance(values, dict) or "decay_all_parameters" not in values:
            return values
        newer = {key: value for key, value in values.items() if key != "decay_all_parameters"}
        return newer | ({"weight_decay_on": "all_parameters"} if values["decay_all_parameters"] else {})

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.test_split == "merged_with_validation" and (self.selection == "validation" or self.test == "none"):
            raise UserError(
                f"Protocol '{self.name}' merges the validation split into the test split, so no validation split is "
                "left to choose the epoch; set selection to 'test' or 'last', and test to 'once'."
            )
        if self.tuning is not None and (self.selection == "test" or self.test_split == "merged_with_validation"):
            raise UserError(
                f"Protocol '{self.name}' has [tuning], which scores candidates on the validation split, and chooses "
                "its epoch on the test split; set selection to 'validation' or 'last' and test_split to 'own', or "
                "leave [tuning] out."
            )
        if not is_finite(self.architecture_options):
            raise UserError(
                f"Protocol '{self.name}' has an infinite number, or none, among its architecture_options; give finite "
                "ones."
            )
        if self.augmentation_use == "one_fixed_copy" and self.augmentation.mixup_alpha > 0:
            raise UserError(
                f"Protocol '{self.name}' asks for mixup in a fixed copy of each image, which has one label; set "
                "augmentation_use to 'each_pass' or leave mixup_alpha out."
            )
        return self

    def settings(self) -> dict[str, Any]:
        """What a result depends on: all but words for readers and how it is judged; no fields at their defaults.

        It is hashed, so it keeps the name ``merged_with_selection``, under which trials got their ids.
        """
        found = self.model_dump(mode="json", exclude={*WORDS, *JUDGING}, exclude_defaults=True)
        if self.test_split == "merged_with_validation":
            found["test_split"] = "merged_with_selection"
        return found

    def for_data(self, name: str) -> Protocol:
        """The protocol as it is used on the data set of this catalogue name: with its own batch size, if any."""
        size = self.batch_size_for_data.get(name)
        return self.model_copy(update={"batch_size": size or self.batch_size, "batch_size_for_data": {}})

    @property
    def augmentation_of_each_pass(self) -> Augmentation:
        """What is drawn while training: nothing where the copies are fixed before."""
        return self.augmentation if self.augmentation_use == "each_pass" else Augmentation()

    def training_images(self, images: int) -> int:
        """How many training images an epoch has for a training split of ``images``: twice as many with fixed copies."""
        return 2 * images if self.augmentation_use == "one_fixed_copy" else images


def choosing_splits(protocol: Protocol) -> tuple[SplitName, ...]:
    """The splits of the data set whose images choose the epoch."""
    if protocol.test_split == "merged_with_validation":
        return ("validation", "test")
    return ("test",) if protocol.selection == "test" else ("validation",)


WORDS: Final = ("description", "source", "stated", "choices")
"""Fields of a protocol that are for readers alone."""

JUDGING: Final = ("collapse",)
"""Fields of a protocol by which finished trials are judged, and on which no result depends."""
