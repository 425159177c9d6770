"""The price of a point, by hand and against Fieller's interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbench.statistics.intervals import Interval
from fbench.statistics.many.price import exact, price_of_a_point


def interval(estimate: float, half: float) -> Interval:
    return Interval(estimate, estimate - half, estimate + half, 0.95)


def test_a_decided_gain_at_an_exact_cost_has_a_bounded_price() -> None:
    found = price_of_a_point(interval(0.02, 0.01), exact(6_000))
    assert found.bargain == "price"
    assert (found.low, found.per_point, found.high) == pytest.approx((2_000, 3_000, 6_000))


def test_a_gain_that_may_be_none_has_a_least_price_and_no_greatest() -> None:
    found = price_of_a_point(interval(0.01, 0.02), exact(6_000))
    assert (found.bargain, found.high) == ("no gain shown", math.inf)
    assert found.low == pytest.approx(2_000)


def test_cheaper_and_better_is_a_free_lunch_from_either_side() -> None:
    for sign in (1, -1):
        found = price_of_a_point(interval(0.02 * sign, 0.01), interval(-5 * sign, 1))
        assert (found.bargain, found.per_point, found.high) == ("free lunch", 0, 0)
        assert (found.points.low, found.cost.low) == pytest.approx((1, -6))
    assert price_of_a_point(interval(0.02, 0.01), exact(0)).bargain == "free lunch"


def test_a_cost_that_may_be_none_has_a_greatest_price_only() -> None:
    found = price_of_a_point(interval(0.02, 0.01), interval(1, 2))
    assert (found.bargain, found.low) == ("no cost shown", 0)
    assert 1 / 2 < found.high < math.inf


@given(st.floats(0.5, 10), st.floats(0.01, 0.9), st.floats(0.5, 10), st.floats(0.01, 0.9))
def test_with_symmetric_intervals_it_is_fiellers(gain: float, share: float, cost: float, part: float) -> None:
    found = price_of_a_point(interval(gain / 100, gain / 100 * share), interval(cost, cost * part))
    # Fieller: the roots of (cost - p gain)^2 = half_cost^2 + p^2 half_gain^2.
    roots = np.roots([gain**2 * (1 - share**2), -2 * gain * cost, cost**2 * (1 - part**2)])
    assert (found.low, found.high) == pytest.approx(tuple(sorted(roots.real)), rel=1e-6)


def test_no_difference_at_all_has_no_price() -> None:
    found = price_of_a_point(exact(0), exact(5))
    assert found.bargain == "no gain shown"
    assert math.isnan(found.per_point)
    assert found.high == math.inf


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="give equal ones"):
        price_of_a_point(interval(1, 1), exact(1, confidence=0.9))
    with pytest.raises(ValueError, match="does not hold"):
        price_of_a_point(Interval(1, math.nan, math.nan, 0.95), exact(1))
