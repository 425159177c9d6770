"""Tests of what a paper prints of single trainings: numbers without a spread."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveFloat

from fbench.ablations.claim_tests.base import ClaimTestBase, Names, Needs, OneTrained, Percent, TrainedAgainstOthers


class GainsUpTo(TrainedAgainstOthers):
    """The largest gain in top-1, over the other networks and the data sets, is so large or larger.

    Attributes:
        points: the printed gain.
        relative: whether it is read as per cent of the other network's accuracy: 70.3 over 62.3 % is 12.8 % more.
        precision: what the last printed digit is worth.
    """

    kind: Literal["gains_up_to"]
    points: Percent
    relative: bool = False
    precision: PositiveFloat = 1.0


class Reaches(OneTrained):
    """A printed top-1, or recall of ``class_name``, as what it is: one number of one training without a spread.

    Attributes:
        percent: the printed number.
        precision: what the last printed digit is worth.
        class_name: the class of which it is the recall; without it the number is a top-1.
        images: how many it was read on, where these were others than the test split: their sampling error is then part
            of what a new training may show.
    """

    kind: Literal["reaches"]
    percent: Percent
    precision: PositiveFloat = 0.1
    class_name: str | None = None
    images: Annotated[int, Field(gt=1)] | None = None


class MeanReaches(ClaimTestBase):
    """A printed mean of the top-1 of single trainings on several data sets.

    Attributes:
        network: the one that the sentence is about.
        data: names of at least two data sets.
        percent: the printed mean.
        precision: what the last printed digit is worth.
    """

    needs: ClassVar[Needs] = "training"

    kind: Literal["mean_reaches"]
    network: str
    data: Annotated[Names, Field(min_length=2)]
    percent: Percent
    precision: PositiveFloat = 0.1

    @property
    def networks_named(self) -> tuple[str, ...]:
        """The network alone."""
        return (self.network,)

    @property
    def data_named(self) -> tuple[str, ...]:
        """Every data set."""
        return self.data


class StopsAfter(OneTrained):
    """A printed number of epochs after which early stopping ended one training.

    Attributes:
        epochs: the printed number.
    """

    kind: Literal["stops_after"]
    epochs: Annotated[int, Field(gt=0)]


PrintedTest = GainsUpTo | Reaches | MeanReaches | StopsAfter
