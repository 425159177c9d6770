"""A budget: how much a trial may learn. Presets name the usual ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, PositiveInt, model_validator

from fbench.benchmark.records.protocol import BatchSize, Epochs, Protocol
from fbench.core.errors import UserError, did_you_mean
from fbench.core.schema import FrozenModel, parse, read_toml

MOST_IMAGE_PASSES: Final = 10**12
PRESET_FILE: Final = Path(__file__).parent / "presets.toml"


class Budget(FrozenModel):
    """How many images a trial sees. Everything left out is the protocol's own.

    Either ``epochs`` (passes over the training images, an evaluation after each) or ``image_passes`` (images seen
    in all, with ``evaluation_points`` spread evenly over them) may be given, not both.
    ``train_images`` caps the training split (the first rows of a fixed, stratified order).
    """

    epochs: Epochs | None = None
    image_passes: Annotated[int, Field(ge=1, le=MOST_IMAGE_PASSES)] | None = None
    evaluation_points: Epochs | None = None
    batch_size: BatchSize | None = None
    train_images: PositiveInt | None = None

    @model_validator(mode="after")
    def _one_measure(self) -> Budget:
        if self.epochs is not None and self.image_passes is not None:
            raise ValueError("give epochs or image_passes, not both")
        if self.evaluation_points is not None and self.image_passes is None:
            raise ValueError("evaluation_points goes with image_passes; with epochs every epoch is evaluated")
        return self


class Preset(FrozenModel):
    """A named budget with the number of seeds that goes with it."""

    description: str
    seeds: PositiveInt
    budget: Budget


def load_presets() -> dict[str, Preset]:
    """All presets by name, smallest first."""
    return {
        name: parse(Preset, table, f"{PRESET_FILE.name} [{name}]") for name, table in read_toml(PRESET_FILE).items()
    }


def load_preset(name: str) -> Preset:
    """One preset by name.

    Raises:
        UserError: the name is unknown.
    """
    presets = load_presets()
    if name not in presets:
        raise UserError(f"There is no preset '{name}'.{did_you_mean(name, presets)} Allowed: {', '.join(presets)}.")
    return presets[name]


@dataclass(frozen=True)
class StepPlan:
    """The steps of one trial: how many, of what size, and after which of them the validation split is read.

    ``evaluate_after`` holds 1-based step numbers, ascending; the last is always ``steps``.
    """

    steps: int
    batch_size: int
    steps_per_epoch: int
    evaluate_after: tuple[int, ...]


def plan_steps(protocol: Protocol, budget: Budget, available: int) -> StepPlan:
    """Turn a protocol and a budget into steps for a training split of ``available`` images.

    The budget may cap them and the protocol may double them. An epoch is ``train_images // batch_size`` full batches
    (the rest of a shuffled epoch is left out, so that every step has the same shape), at least one.
    """
    train_images = protocol.training_images(min(available, budget.train_images or available))
    batch_size = min(budget.batch_size or protocol.batch_size, train_images)
    per_epoch = max(1, train_images // batch_size)
    if budget.image_passes is not None:
        steps = max(1, budget.image_passes // batch_size)
        points = min(budget.evaluation_points or 1, steps)
        evaluate = tuple(round(steps * (k + 1) / points) for k in range(points))
    else:
        epochs = budget.epochs or protocol.epochs
        steps = epochs * per_epoch
        evaluate = tuple(per_epoch * (k + 1) for k in range(epochs))
    return StepPlan(steps=steps, batch_size=batch_size, steps_per_epoch=per_epoch, evaluate_after=evaluate)


def budget_share(protocol: Protocol, budget: Budget, available: int, share: float) -> Budget:
    """A budget with this share of another's image passes and evaluation points, at least one step and one point.

    A share of 1 is the budget itself. ``available`` are the images of the training split.
    """
    if share == 1.0:
        return budget
    whole = plan_steps(protocol, budget, available)
    return Budget(
        image_passes=max(1, round(whole.steps * share)) * whole.batch_size,
        evaluation_points=max(1, round(len(whole.evaluate_after) * share)),
        batch_size=budget.batch_size,
        train_images=budget.train_images,
    )
