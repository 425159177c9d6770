"""Tests of accuracy that compare networks, or hold one against a number, over many trainings."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fbench.ablations.claim_tests.base import (
    Margin,
    OneTrained,
    Percent,
    SeveralTrained,
    TrainedAgainstOthers,
    refuse_twice,
)


class MoreAccurate(TrainedAgainstOthers):
    """Better top-1 than each other network on each data set; equivalent within the margin is not better.

    Attributes:
        margin_points: the difference in points that matters in practice.
    """

    kind: Literal["more_accurate"]
    margin_points: Margin = 1.0


class LessAccurate(TrainedAgainstOthers):
    """Worse top-1 than each other network on each data set.

    Attributes:
        margin_points: the difference in points that matters in practice.
    """

    kind: Literal["less_accurate"]
    margin_points: Margin = 1.0


class Ordered(SeveralTrained):
    """Each network is more accurate than the next one; neighbours are compared.

    Attributes:
        networks: at least two, the most accurate first.
        margin_points: the difference in points that matters in practice.
    """

    kind: Literal["ordered"]
    networks: Annotated[tuple[str, ...], Field(min_length=2)]
    margin_points: Margin = 1.0

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        refuse_twice(self.networks)
        return self


class NoLessAccurate(TrainedAgainstOthers):
    """No loss of the margin or more against each other network on each data set (non-inferiority).

    Attributes:
        margin_points: the difference in points that matters in practice.
    """

    kind: Literal["no_less_accurate"]
    margin_points: Margin = 1.0


class Exceeds(SeveralTrained):
    """The mean top-1 of each network on each data set, for new images, is above a number.

    Attributes:
        percent: the number.
    """

    kind: Literal["exceeds"]
    percent: Percent


class PoorRecall(OneTrained):
    """The recall of a class is below the mean recall of all classes.

    Attributes:
        class_name: as the data set calls the class.
        margin_points: by so many points or more.
    """

    kind: Literal["poor_recall"]
    class_name: str
    margin_points: Margin = 1.0


class OverfitsLess(TrainedAgainstOthers):
    """A smaller gap between training and test accuracy than each other network on each data set.

    The gap is training top-1 at the chosen epoch (on augmented images, while the weights still change) less test
    top-1, in one training; chance is the seed, on this test set. Where no gap is above 0 nothing over-fits yet, and
    nothing is decided.

    Attributes:
        margin_points: the difference of two gaps that matters in practice, in points.
    """

    kind: Literal["overfits_less"]
    margin_points: Margin = 1.0


class NoOverfitting(OneTrained):
    """The gap between training and test top-1 of single trainings stays small.

    Attributes:
        margin_points: below so many points.
    """

    kind: Literal["no_overfitting"]
    margin_points: Margin = 1.0


AccuracyTest = (
    MoreAccurate | LessAccurate | Ordered | NoLessAccurate | Exceeds | PoorRecall | OverfitsLess | NoOverfitting
)
