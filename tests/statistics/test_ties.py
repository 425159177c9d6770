from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbench.statistics.ties import ties_made_equal


def test_sums_in_another_order_are_equal() -> None:
    values = [0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1, 0.5]
    assert values[0] != values[1]
    found = ties_made_equal(values)
    assert found[0] == found[1] == min(values[:2])
    assert found[2] == 0.5


@given(st.integers(1, 10_000), st.integers(1, 100), st.data())
def test_fractions_that_differ_stay_different(images: int, seeds: int, data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(0, images * seeds), min_size=1, max_size=8))
    found = ties_made_equal([count / (images * seeds) for count in counts])
    assert np.array_equal(found[:, None] == found[None], np.equal.outer(counts, counts))
    assert np.array_equal(found[:, None] < found[None], np.less.outer(counts, counts))


def test_what_is_no_number_stays_as_it_is() -> None:
    found = ties_made_equal([math.inf, -math.inf, math.nan, 0.0, math.inf])
    assert found[:2].tolist() == [math.inf, -math.inf]
    assert math.isnan(found[2])
    assert found[3:].tolist() == [0.0, math.inf]


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [1.0]])
def test_nothing_and_single_values_are_returned(values: list[float]) -> None:
    assert ties_made_equal(values).tolist() == values
