"""Tests of training time, which a measurement of cost decides."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from fbench.ablations.claim_tests.base import AgainstOthers, Margin, Needs, TrainedAgainstOthers, refuse_backwards
from fbench.core.errors import UserError


class TrainsFaster(AgainstOthers):
    """Less time for an image of a training step than each other network.

    Attributes:
        margin_percent: a difference that is as fast.
    """

    needs: ClassVar[Needs] = "time"

    kind: Literal["trains_faster"]
    margin_percent: Margin = 1.0


class TrainingTimeReduction(AgainstOthers):
    """Less time for an image of a training step than each other network, by so many per cent of theirs.

    Attributes:
        low_percent: the least share.
        high_percent: the largest share.
        precision: what the last printed digit is worth.
        reading: of ``each`` of them, or the largest of the reductions (``up_to``), whatever the others are.
    """

    needs: ClassVar[Needs] = "time"

    kind: Literal["training_time_reduction"]
    low_percent: NonNegativeFloat
    high_percent: Annotated[float, Field(gt=0, lt=100)]
    precision: PositiveFloat = 1.0
    reading: Literal["each", "up_to"] = "each"

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        refuse_backwards(self.low_percent, self.high_percent)
        if self.high_percent + self.precision / 2 >= 100:
            raise UserError(f"A time cannot be {self.high_percent:g} % shorter; give 'high_percent' below 100.")
        return self


class EpochTimeReduction(TrainedAgainstOthers):
    """Less time until the chosen epoch than each other network, by so many per cent of theirs.

    The time of a training step, as measured alone, times the steps until that epoch.

    Attributes:
        low_percent: the least share.
        high_percent: the largest share.
        precision: what the last printed digit is worth.
    """

    kind: Literal["epoch_time_reduction"]
    low_percent: NonNegativeFloat
    high_percent: Annotated[float, Field(gt=0, lt=99)]
    precision: Annotated[float, Field(gt=0, le=2)] = 1.0

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        refuse_backwards(self.low_percent, self.high_percent)
        return self


TimeTest = TrainsFaster | TrainingTimeReduction
