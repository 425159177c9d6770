"""What every identity is hashed from: equal values give equal text, and what has no text is a sentence."""

from __future__ import annotations

import math

import pytest

from fbench.core.errors import UserError
from fbench.core.hashing import canonical_json, short_hash


def test_equal_values_give_equal_text_in_any_order() -> None:
    assert canonical_json({"b": 1, "a": [1.5, "é"]}) == '{"a":[1.5,"\\u00e9"],"b":1}'
    assert short_hash({"b": 1, "a": 2}) == short_hash({"a": 2, "b": 1})


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_a_number_that_is_not_finite_is_one_sentence(number: float) -> None:
    with pytest.raises(UserError, match="is infinite or no number; give a finite one"):
        short_hash({"options": {"dropout": number}})
