"""The atomic tests of which claims are made, told apart by ``kind``; each is data, evaluated by the reports floor.

Networks are registered names, or a run's own; data sets are names of :data:`DATA_WORDS` or of ``fbench data list``. A
test of several networks or data sets has a part for each. Figures that a paper prints are known to half of their last
digit: ``precision`` says what the last digit is worth.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BeforeValidator, Field, NonNegativeFloat, PositiveFloat, model_validator

from fbench.core.errors import UserError
from fbench.core.schema import FrozenModel

DATA_WORDS: Final = {"fer2013": "FER2013", "ck_plus": "CK+", "imed": "IMED"}
"""The data sets of the papers, as a reader calls them."""

CATALOGUE_NAMES: Final = {"fer2013": "fer2013", "ck48": "ck_plus", "imed": "imed"}
"""What ``--data`` calls them."""

Count = Literal["trainable_params", "total_params_keras", "macs"]
COUNT_WORDS: Final[dict[Count, str]] = {
    "trainable_params": "trainable parameters",
    "total_params_keras": "parameters",
    "macs": "MACs",
}
"""``total_params_keras`` counts running statistics too, as the papers do."""

Percent = Annotated[float, Field(gt=0, le=100)]
Margin = Annotated[float, Field(gt=0, lt=100)]


def _as_list(value: Any) -> Any:
    """A single name may stand without brackets."""
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(min_length=1)]


Needs = Literal["counts", "training", "time"]
"""What decides a test: counts of the network itself, trained networks, or times of training steps."""


class _Test(FrozenModel):
    """What every test tells of itself; ``needs`` is what decides it."""

    needs: ClassVar[Needs]

    @property
    @abstractmethod
    def networks_named(self) -> tuple[str, ...]:
        """Every network that it names."""

    @property
    def data_named(self) -> tuple[str, ...]:
        """Every data set on which it wants trainings."""
        return ()


class _AgainstOthers(_Test):
    """A network, and those that it is held against.

    Raises:
        UserError: the network is held against itself, or a name stands twice.
    """

    network: str
    than: Names

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        if self.network in self.than:
            raise UserError(f"A test holds '{self.network}' against itself; leave '{self.network}' out of its 'than'.")
        _refuse_twice(self.than)
        return self

    @property
    def networks_named(self) -> tuple[str, ...]:
        """The network, then the others."""
        return (self.network, *self.than)


class _TrainedAgainstOthers(_AgainstOthers):
    """A network held against others on data sets."""

    needs: ClassVar[Needs] = "training"

    data: Names

    @property
    def data_named(self) -> tuple[str, ...]:
        """Every data set."""
        return self.data


class Fewer(_AgainstOthers):
    """Fewer of what is counted than each other network, at the input of the contract; no training is needed."""

    needs: ClassVar[Needs] = "counts"

    kind: Literal["fewer"]
    count: Count = "total_params_keras"


class CountIs(_Test):
    """A count as printed."""

    needs: ClassVar[Needs] = "counts"

    kind: Literal["count_is"]
    network: str
    count: Count = "total_params_keras"
    value: Annotated[int, Field(gt=0)]
    precision: Annotated[int, Field(gt=0)] = 1

    @property
    def networks_named(self) -> tuple[str, ...]:
        """The network alone."""
        return (self.network,)


class CountRatio(_AgainstOthers):
    """The other networks' count is ``times`` this one's: of ``each`` of them, or of the largest (``up_to``)."""

    needs: ClassVar[Needs] = "counts"

    kind: Literal["count_ratio"]
    count: Count = "total_params_keras"
    times: PositiveFloat
    reading: Literal["each", "up_to"] = "each"
    precision: PositiveFloat = 1.0


class CountReduction(_AgainstOthers):
    """The count is lower than each other network's by ``low_percent`` to ``high_percent`` of theirs."""

    needs: ClassVar[Needs] = "counts"

    kind: Literal["count_reduction"]
    count: Count = "total_params_keras"
    low_percent: NonNegativeFloat
    high_percent: Percent
    precision: PositiveFloat = 1.0

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        _refuse_backwards(self.low_percent, self.high_percent)
        return self


class MoreAccurate(_TrainedAgainstOthers):
    """Better top-1 than each other network on each data set; equivalent within the margin is not better."""

    kind: Literal["more_accurate"]
    margin_points: Margin = 1.0


class LessAccurate(_TrainedAgainstOthers):
    """Worse top-1 than each other network on each data set."""

    kind: Literal["less_accurate"]
    margin_points: Margin = 1.0


class Ordered(_Test):
    """Each network is more accurate than the next one in ``networks``; neighbours are compared."""

    needs: ClassVar[Needs] = "training"

    kind: Literal["ordered"]
    networks: Annotated[tuple[str, ...], Field(min_length=2)]
    data: Names
    margin_points: Margin = 1.0

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        _refuse_twice(self.networks)
        return self

    @property
    def networks_named(self) -> tuple[str, ...]:
        """The networks in their order."""
        return self.networks

    @property
    def data_named(self) -> tuple[str, ...]:
        """Every data set."""
        return self.data


class NoLessAccurate(_TrainedAgainstOthers):
    """No loss of the margin or more against each other network on each data set (non-inferiority)."""

    kind: Literal["no_less_accurate"]
    margin_points: Margin = 1.0


class GainsUpTo(_TrainedAgainstOthers):
    """The largest gain in top-1, over the other networks and the data sets, is ``points`` or more."""

    kind: Literal["gains_up_to"]
    points: Percent
    precision: PositiveFloat = 1.0


class Reaches(_Test):
    """A printed top-1, as what it is: one number of one training without a spread."""

    needs: ClassVar[Needs] = "training"

    kind: Literal["reaches"]
    network: str
    data: str
    percent: Percent
    precision: PositiveFloat = 0.1

    @property
    def networks_named(self) -> tuple[str, ...]:
        """The network alone."""
        return (self.network,)

    @property
    def data_named(self) -> tuple[str, ...]:
        """The data set alone."""
        return (self.data,)


class OverfitsLess(_TrainedAgainstOthers):
    """A smaller gap between training and test accuracy than each other network on each data set.

    The gap is training top-1 at the chosen epoch (on augmented images, while the weights still change) less test
    top-1, in one training; chance is the seed, on this test set. Where no gap is above 0 nothing over-fits yet, and
    nothing is decided.
    """

    kind: Literal["overfits_less"]
    margin_points: Margin = 1.0


class TrainsFaster(_AgainstOthers):
    """Less time for an image of a training step than each other network; ``margin_percent`` faster is as fast."""

    needs: ClassVar[Needs] = "time"

    kind: Literal["trains_faster"]
    margin_percent: Margin = 1.0


class TrainingTimeReduction(_AgainstOthers):
    """Less time for an image of a training step than each other network, by so many per cent of theirs."""

    needs: ClassVar[Needs] = "time"

    kind: Literal["training_time_reduction"]
    low_percent: NonNegativeFloat
    high_percent: Annotated[float, Field(gt=0, lt=100)]
    precision: PositiveFloat = 1.0

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        _refuse_backwards(self.low_percent, self.high_percent)
        if self.high_percent + self.precision / 2 >= 100:
            raise UserError(f"A time cannot be {self.high_percent:g} % shorter; give 'high_percent' below 100.")
        return self


CountTest = Fewer | CountIs | CountRatio | CountReduction
TimeTest = TrainsFaster | TrainingTimeReduction
AccuracyTest = MoreAccurate | LessAccurate | Ordered | NoLessAccurate | GainsUpTo | Reaches | OverfitsLess
ClaimTest = Annotated[CountTest | AccuracyTest | TimeTest, Field(discriminator="kind")]


def data_words(name: str) -> str:
    """A data set as a reader calls it."""
    return DATA_WORDS.get(name, name)


def _refuse_twice(names: tuple[str, ...]) -> None:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(f"A test names '{twice[0]}' twice; name it once.")


def _refuse_backwards(low: float, high: float) -> None:
    if low > high:
        raise UserError(f"A test asks for {low:g} to {high:g} %; give the smaller number as 'low_percent'.")
