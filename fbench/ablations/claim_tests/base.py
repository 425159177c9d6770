"""What tests of claims have in common: names, data sets, and what decides them."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from fbench.core.errors import UserError
from fbench.core.schema import FrozenModel

DATA_WORDS: Final = {
    "fer2013": "FER2013",
    "ck_plus": "CK+",
    "ck_plus_by_frame": "CK+ split by frame",
    "imed": "IMED",
}
"""The data sets of the papers, as a reader calls them."""

CATALOGUE_NAMES: Final = {
    "fer2013": "fer2013",
    "ck48": "ck_plus",
    "ck48-by_frame": "ck_plus_by_frame",
    "imed": "imed",
}
"""What ``--data`` calls them; a split by frame measures another thing than one by subject."""

Percent = Annotated[float, Field(gt=0, le=100)]
Margin = Annotated[float, Field(gt=0, lt=100)]


def _as_list(value: Any) -> Any:
    """A single name may stand without brackets."""
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(min_length=1)]


Needs = Literal["counts", "training", "time"]
"""What decides a test: counts of the network itself, trained networks, or times of training steps."""


class ClaimTestBase(FrozenModel):
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


class AgainstOthers(ClaimTestBase):
    """A network, and those that it is held against.

    Attributes:
        network: the one that the sentence is about.
        than: the others, a name or several.

    Raises:
        UserError: the network is held against itself, or a name stands twice.
    """

    network: str
    than: Names

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        if self.network in self.than:
            raise UserError(f"A test holds '{self.network}' against itself; leave '{self.network}' out of its 'than'.")
        refuse_twice(self.than)
        return self

    @property
    def networks_named(self) -> tuple[str, ...]:
        """The network, then the others."""
        return (self.network, *self.than)


class TrainedAgainstOthers(AgainstOthers):
    """A network held against others on data sets.

    Attributes:
        data: names of data sets, one or several.
    """

    needs: ClassVar[Needs] = "training"

    data: Names

    @property
    def data_named(self) -> tuple[str, ...]:
        """Every data set."""
        return self.data


class SeveralTrained(ClaimTestBase):
    """Several networks, each on several data sets.

    Attributes:
        networks: a name or several.
        data: names of data sets, one or several.
    """

    needs: ClassVar[Needs] = "training"

    networks: Names
    data: Names

    @property
    def networks_named(self) -> tuple[str, ...]:
        """Every network, in its order."""
        return self.networks

    @property
    def data_named(self) -> tuple[str, ...]:
        """Every data set."""
        return self.data


class OneTrained(ClaimTestBase):
    """One network on one data set.

    Attributes:
        network: the one that the sentence is about.
        data: the name of a data set.
    """

    needs: ClassVar[Needs] = "training"

    network: str
    data: str

    @property
    def networks_named(self) -> tuple[str, ...]:
        """The network alone."""
        return (self.network,)

    @property
    def data_named(self) -> tuple[str, ...]:
        """The data set alone."""
        return (self.data,)


def data_words(name: str) -> str:
    """A data set as a reader calls it."""
    return DATA_WORDS.get(name, name)


def refuse_twice(names: tuple[str, ...]) -> None:
    """Hold that no name stands twice."""
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(f"A test names '{twice[0]}' twice; name it once.")


def refuse_backwards(low: float, high: float) -> None:
    """Hold that a range of per cent is given from its smaller end."""
    if low > high:
        raise UserError(f"A test asks for {low:g} to {high:g} %; give the smaller number as 'low_percent'.")
