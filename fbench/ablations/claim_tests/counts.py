"""Tests of counts, which arithmetic decides."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from fbench.ablations.claim_tests.base import AgainstOthers, ClaimTestBase, Needs, Percent, refuse_backwards

Count = Literal["trainable_params", "total_params_keras", "macs"]
COUNT_WORDS: Final[dict[Count, str]] = {
    "trainable_params": "trainable parameters",
    "total_params_keras": "parameters",
    "macs": "MACs",
}
"""``total_params_keras`` counts running statistics too, as the papers do."""


class Fewer(AgainstOthers):
    """Fewer of what is counted than each other network, at the input of the contract; no training is needed.

    Attributes:
        count: what is counted; ``total_params_keras`` has running statistics too, as the papers do.
    """

    needs: ClassVar[Needs] = "counts"

    kind: Literal["fewer"]
    count: Count = "total_params_keras"


class CountIs(ClaimTestBase):
    """A count as printed.

    Attributes:
        network: the one that the sentence is about.
        count: what is counted; ``total_params_keras`` has running statistics too, as the papers do.
        value: as printed.
        precision: what the last printed digit is worth.
    """

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


class CountRatio(AgainstOthers):
    """The other networks' count is a multiple of this one's.

    Attributes:
        count: what is counted; ``total_params_keras`` has running statistics too, as the papers do.
        times: the multiple.
        reading: of ``each`` of them, or of the largest (``up_to``).
        precision: what the last printed digit is worth.
    """

    needs: ClassVar[Needs] = "counts"

    kind: Literal["count_ratio"]
    count: Count = "total_params_keras"
    times: PositiveFloat
    reading: Literal["each", "up_to"] = "each"
    precision: PositiveFloat = 1.0


class CountReduction(AgainstOthers):
    """The count is lower than each other network's by a share of theirs.

    Attributes:
        count: what is counted; ``total_params_keras`` has running statistics too, as the papers do.
        low_percent: the least share.
        high_percent: the largest share.
        precision: what the last printed digit is worth.
    """

    needs: ClassVar[Needs] = "counts"

    kind: Literal["count_reduction"]
    count: Count = "total_params_keras"
    low_percent: NonNegativeFloat
    high_percent: Percent
    precision: PositiveFloat = 1.0

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        refuse_backwards(self.low_percent, self.high_percent)
        return self


CountTest = Fewer | CountIs | CountRatio | CountReduction
