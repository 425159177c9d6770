"""What is wrong with a file's values, in words that name no library and no index."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import Field

from fbench.core.errors import UserError
from fbench.core.problems import place_in
from fbench.core.schema import FrozenModel, parse


class Part(FrozenModel):
    name: str = Field(pattern="^[a-z]+$")
    size: int = Field(default=1, ge=1, lt=9)
    kind: Literal["one", "two"] = "one"
    on: bool = False
    share: float = 0.5


class Whole(FrozenModel):
    parts: tuple[Part, ...] = Field(min_length=1)
    table: dict[str, tuple[float, ...]] = Field(default_factory=dict)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"parts": [{"name": 3}]}, "'name' in number 1 of 'parts' is 3: give a text."),
        ({"parts": [{"name": "A"}]}, "'name' in 'A' of 'parts' is 'A': give a text of the form ^[a-z]+$."),
        ({"parts": [{"name": "a", "size": 0}]}, "'size' in 'a' of 'parts' is 0: give at least 1."),
        ({"parts": [{"name": "a", "size": 9}]}, "'size' in 'a' of 'parts' is 9: give less than 9."),
        ({"parts": [{"name": "a", "size": "x"}]}, "'size' in 'a' of 'parts' is 'x': give a whole number."),
        ({"parts": [{"name": "a", "size": 1.5}]}, "'size' in 'a' of 'parts' is 1.5: give a whole number."),
        ({"parts": [{"name": "a", "kind": "six"}]}, "'kind' in 'a' of 'parts' is 'six': give 'one' or 'two'."),
        ({"parts": [{"name": "a", "on": "so"}]}, "'on' in 'a' of 'parts' is 'so': give true or false."),
        ({"parts": [{"name": "a", "share": "x"}]}, "'share' in 'a' of 'parts' is 'x': give a number."),
        ({"parts": [{}]}, "the key 'name' in number 1 of 'parts' is missing; add it."),
        ({"parts": [{"name": "a"}, {"name": "b", "sise": 1}]}, "unknown key 'sise' in 'b' of 'parts'. Did you mean"),
        ({"parts": []}, "'parts' is []: give at least 1 entry."),
        ({"parts": 3}, "'parts' is 3: give a list."),
        ({"parts": [3]}, "number 1 of 'parts' is 3: give a table."),
        ({"parts": [{"name": "a"}], "table": {"x": [1, "y"]}}, "number 2 of 'table.x' is 'y': give a number."),
        (3, "the whole is 3: give a table."),
    ],
)
def test_the_place_is_named_as_a_reader_finds_it_and_what_to_give_is_said(values: Any, sentence: str) -> None:
    with pytest.raises(UserError) as error:
        parse(Whole, values, "my.toml")
    assert str(error.value).startswith(f"my.toml: {sentence}")
    assert "nput should" not in str(error.value)


def test_a_place_that_is_not_there_is_named_all_the_same() -> None:
    assert place_in({}, ("a", 0, "b")) == "'b' in number 1 of 'a'"
