from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from fbench.statistics.intervals import proportion_interval, t_interval, t_p_value, wilson_interval

# Student 1908, Biometrika 6, 20: additional hours of sleep under two drugs, ten patients.
SLEEP_DIFFERENCES = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]


def test_t_interval_agrees_with_scipy_on_students_sleep_data() -> None:
    for confidence in (0.8, 0.95, 0.99):
        ours = t_interval(SLEEP_DIFFERENCES, confidence)
        reference = stats.ttest_1samp(SLEEP_DIFFERENCES, 0).confidence_interval(confidence)
        assert ours.estimate == pytest.approx(1.58)
        assert (ours.low, ours.high) == pytest.approx((reference.low, reference.high), abs=1e-10)


def test_t_p_value_agrees_with_scipy_far_into_the_tail() -> None:
    for statistic in (0.0, 0.5, -2.0, 12.0, 40.0):
        for freedom in (1, 2.5, 9, 3588):
            assert t_p_value(statistic, freedom) == pytest.approx(2 * stats.t.sf(abs(statistic), freedom), rel=1e-9)


def test_equal_values_say_nothing_of_their_spread() -> None:
    interval = t_interval([0.5, 0.5, 0.5])
    assert (interval.low, interval.high) == (-math.inf, math.inf)


def test_with_a_step_equal_values_are_spread_as_if_one_differed_by_it() -> None:
    found, differing = t_interval([0.5, 0.5, 0.5], step=0.1), np.array([0.5, 0.5, 0.6])
    half = stats.t.ppf(0.975, 2) * stats.sem(differing)
    assert (found.low, found.high) == pytest.approx((0.5 - half, 0.5 + half))


@given(total=st.integers(1, 10_000), data=st.data(), confidence=st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_the_exact_interval_agrees_with_statsmodels(total: int, data: st.DataObject, confidence: float) -> None:
    successes = data.draw(st.integers(0, total))
    ours = proportion_interval(successes, total, confidence)
    low, high = proportion_confint(successes, total, alpha=1 - confidence, method="beta")
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=1e-9)


@given(total=st.integers(1, 10_000), data=st.data(), confidence=st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_interval_agrees_with_statsmodels(total: int, data: st.DataObject, confidence: float) -> None:
    successes = data.draw(st.integers(0, total))
    ours = wilson_interval(successes, total, confidence)
    low, high = proportion_confint(successes, total, alpha=1 - confidence, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=1e-12)
    assert 0 <= ours.low <= ours.estimate <= ours.high <= 1


@pytest.mark.parametrize("values", [[1.0], [], [1.0, float("nan")], [[1.0, 2.0]]])
def test_t_interval_refuses_what_is_no_sample(values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least two finite values"):
        t_interval(values)


@pytest.mark.parametrize(("successes", "total"), [(-1, 5), (6, 5), (0, 0)])
def test_wilson_interval_refuses_what_is_no_proportion(successes: int, total: int) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        wilson_interval(successes, total)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_a_confidence_outside_0_and_1_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        wilson_interval(1, 2, confidence)
    with pytest.raises(ValueError, match="between 0 and 1"):
        t_interval(np.arange(3), confidence)
