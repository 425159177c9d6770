from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbench.statistics.many.pareto import pareto_front


def test_the_front_of_the_table_of_xu_2021() -> None:
    parameters = [642900, 559700, 1587000, 58400, 10646600, 54900]
    accuracy = [60.71, 61.84, 63.84, 64.04, 64.71, 66.29]
    assert pareto_front(parameters, accuracy).tolist() == [False] * 5 + [True]


def test_equal_points_are_on_the_front_together_and_dearer_ones_of_equal_gain_are_not() -> None:
    assert pareto_front([1, 1, 2, 3], [5, 5, 5, 6]).tolist() == [True, True, False, True]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12))
def test_a_point_is_on_the_front_unless_another_beats_it(points: list[tuple[int, int]]) -> None:
    costs, gains = zip(*points, strict=True)
    expected = [not any(c <= cost and g >= gain and (c, g) != (cost, gain) for c, g in points) for cost, gain in points]
    assert pareto_front(costs, gains).tolist() == expected


def test_a_point_with_an_unknown_number_is_off_the_front_and_beats_none() -> None:
    assert pareto_front([1, np.nan, 2], [1, 9, np.nan]).tolist() == [True, False, False]
    assert pareto_front([5, -np.inf], [1, 9]).tolist() == [True, False]


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="do not pair"):
        pareto_front([1, 2], [1])


def test_gains_that_differ_by_rounding_alone_are_equal() -> None:
    gain = (0.1 + 0.2 + 0.3) / 3, (0.3 + 0.2 + 0.1) / 3
    assert gain[0] != gain[1]
    assert pareto_front([1, 2], gain).tolist() == pareto_front([1, 2], gain[::-1]).tolist() == [True, False]
    assert pareto_front([1, 1], gain).tolist() == [True, True]
