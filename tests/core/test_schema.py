"""Copies of models are held to the same rules as new ones."""

from __future__ import annotations

from typing import Self

import pytest
from pydantic import PositiveInt, ValidationError, model_validator

from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.core.errors import UserError
from fbench.core.schema import FrozenModel


class Inner(FrozenModel):
    size: PositiveInt = 1


class Outer(FrozenModel):
    name: str
    least: int = 0
    most: int = 9
    inner: Inner = Inner()

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.least > self.most:
            raise UserError(f"{self.least} is more than {self.most}; swap them.")
        return self


def test_a_copy_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="threadz"):
        choose_numerics("cpu").model_copy(update={"threadz": 9})


@pytest.mark.parametrize("value", [0, "many", 1.5])
def test_a_copy_with_a_value_that_its_field_does_not_allow_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="threads_per_trial"):
        choose_numerics("cpu").model_copy(update={"threads_per_trial": value})


def test_a_copy_passes_the_checks_of_its_model() -> None:
    with pytest.raises(UserError, match="8 is more than 5"):
        Outer(name="a", most=5).model_copy(update={"least": 8})
    with pytest.raises(UserError, match="merges the validation split into the test split"):
        load_protocol("fbench").model_copy(update={"test_split": "merged_with_validation"})


def test_a_copy_has_the_new_values_and_remembers_which_fields_were_given() -> None:
    given = Outer(name="a", inner=Inner(size=3))
    copy = given.model_copy(update={"most": 7})
    assert copy == Outer(name="a", most=7, inner=Inner(size=3))
    assert copy.model_fields_set == {"name", "most", "inner"}
    assert copy.inner is given.inner
    assert given.model_copy() == given
    assert given.model_copy(deep=True).inner is not given.inner
    assert given.most == 9
