from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fbench.statistics.signed_rank import centre

finite = st.floats(-100, 100).map(lambda value: round(value, 6))


def test_hodges_and_lehmanns_estimate_for_the_depression_data_of_hollander_and_wolfe() -> None:
    """Hollander, Wolfe, Chicken, example 3.1 to 3.4: estimate -0.46, 96 % interval -0.786 to -0.010, p 0.0391."""
    before = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
    after = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
    found = centre(after - before, confidence=0.96)
    assert found.estimate == pytest.approx(-0.46, abs=0.0005)
    assert (found.low, found.high) == (pytest.approx(-0.786, abs=0.0005), pytest.approx(-0.010, abs=0.0005))
    assert found.p_value == pytest.approx(0.0390625)


@pytest.mark.parametrize("count", [5, 12, 40, 60])
def test_p_values_are_scipys(count: int) -> None:
    values = np.random.default_rng(count).normal(0.3, 1, count)
    assert centre(values).p_value == pytest.approx(stats.wilcoxon(values, method="exact").pvalue, abs=1e-12)


def test_beyond_the_exact_range_the_normal_distribution_is_close_to_scipys_exact_one() -> None:
    values = np.random.default_rng(3).normal(0.2, 1, 100)
    assert centre(values).p_value == pytest.approx(stats.wilcoxon(values, method="exact").pvalue, abs=1e-3)


def test_too_few_values_have_no_interval() -> None:
    found = centre([1.0, 2.0, 3.0])  # the most extreme of 8 sign patterns has p = 0.25
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert found.p_value == 0.25


@given(st.lists(finite, min_size=6, max_size=30), st.floats(-10, 10).map(lambda value: round(value, 6)))
def test_estimate_and_interval_move_with_the_data(values: list[float], shift: float) -> None:
    one, other = centre(values), centre(np.array(values) + shift)
    assert other.estimate == pytest.approx(one.estimate + shift, abs=1e-8)
    assert other.low == pytest.approx(one.low + shift, abs=1e-8)
    assert other.high == pytest.approx(one.high + shift, abs=1e-8)


def test_the_interval_covers_the_centre_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    found = [centre(generator.standard_t(2, 12), 0.9) for _ in range(2000)]
    assert 0.88 <= np.mean([one.low <= 0 <= one.high for one in found]) <= 0.93


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [[1.0, 2.0]]])
def test_what_is_no_row_of_values_is_refused(values: object) -> None:
    with pytest.raises(ValueError, match="finite values"):
        centre(values)  # type: ignore[arg-type] # that is the point
