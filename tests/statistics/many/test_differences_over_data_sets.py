"""A difference over several data sets, beside scipy's t test and sums by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.many.data_sets import OverDataSets, over_data_sets


def pooled(values: list[float], errors: list[float], freedom: float = 9.0, confidence: float = 0.95) -> OverDataSets:
    differences = [
        MeanEstimate(value, value, value, error, freedom, 0.95, "crossed")
        for value, error in zip(values, errors, strict=True)
    ]
    return over_data_sets(differences, confidence)


def test_the_mean_over_new_data_sets_is_a_t_test_over_data_sets() -> None:
    values = [0.012, 0.031, -0.004, 0.02]
    found = pooled(values, [0.004] * 4).new
    by_scipy = stats.ttest_1samp(values, 0.0)
    interval = by_scipy.confidence_interval(0.95)
    assert found.estimate == pytest.approx(np.mean(values))
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert found.p_value == pytest.approx(by_scipy.pvalue, rel=1e-9)


def test_the_mean_over_these_data_sets_has_their_errors_alone() -> None:
    """By hand: sqrt(0.003^2 + 0.004^2) / 2 = 0.0025, on (9 + 16)^2 / (81 / 9 + 256 / 9) = 16.69 degrees of freedom."""
    found = pooled([0.01, 0.05], [0.003, 0.004]).these
    assert found.standard_error == pytest.approx(0.0025)
    assert found.degrees_of_freedom == pytest.approx(625 / (337 / 9))
    half = stats.t.ppf(0.975, 625 / (337 / 9)) * 0.0025
    assert (found.low, found.high) == pytest.approx((0.03 - half, 0.03 + half), rel=1e-6)


def test_what_lies_between_data_sets_is_the_spread_without_the_errors() -> None:
    """By hand: the differences 0, 3 and 6 points have the variance 9; errors of 1, 2 and 2 have the mean square 3."""
    found = pooled([0.0, 0.03, 0.06], [0.01, 0.02, 0.02])
    assert found.between_sd == pytest.approx(math.sqrt(6e-4))
    assert pooled([0.0, 0.01], [0.02, 0.02]).between_sd == 0.0


def test_the_next_data_set_is_less_certain_than_the_mean() -> None:
    values = [0.0, 0.03, 0.06]
    low, high = pooled(values, [0.01] * 3).prediction
    half = stats.t.ppf(0.975, 2) * 0.03 * math.sqrt(4 / 3)
    assert (low, high) == pytest.approx((0.03 - half, 0.03 + half), rel=1e-6)


def test_two_data_sets_that_agree_exactly_are_no_proof_that_all_do() -> None:
    found = pooled([0.02, 0.02], [0.003, 0.004])
    assert found.new.standard_error == pytest.approx(0.0025)
    assert found.new.low < 0 < found.new.high
    assert found.prediction[0] < found.new.low


def test_nothing_is_surer_in_general_than_on_these_data_sets() -> None:
    """The differences lie closer together than their errors allow."""
    found = pooled([0.100, 0.101, 0.102], [0.02] * 3)
    assert found.new.standard_error == found.these.standard_error == pytest.approx(0.02 / math.sqrt(3))
    assert found.new.low < found.these.low < found.these.high < found.new.high
    assert found.new.degrees_of_freedom == 2


def test_what_few_images_could_carry_is_in_the_pooled_error_too() -> None:
    """Ten equal images: the standard error is tiny, the interval of one data set is from -9.7 to 9.7 points."""
    half = 0.097
    one = MeanEstimate(0.0, -half, half, 1e-4, 2.0, 0.95, "crossed")
    found = over_data_sets([one] * 6)
    assert found.these.standard_error == pytest.approx(half / stats.t.ppf(0.975, 2) / math.sqrt(6))
    assert found.these.high > 0.018  # a point either way is not shown


def test_no_interval_leaves_what_is_possible() -> None:
    found = pooled([-0.3, 0.4], [0.01, 0.01])
    assert (found.new.low, found.new.high) == (-1.0, 1.0)
    assert found.prediction == (-1.0, 1.0)


@pytest.mark.parametrize(
    ("values", "errors", "message"),
    [
        ([0.1], [0.01], "1 data set was given"),
        ([0.1, 0.2], [0.01, math.nan], "no standard error"),
        ([0.1, 0.2], [0.01, 0.0], "no standard error"),
    ],
)
def test_what_cannot_be_pooled_is_refused(values: list[float], errors: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pooled(values, errors)


@given(
    values=st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=8),
    error=st.floats(1e-4, 0.05),
)
def test_the_other_way_round_it_is_the_same_with_its_sign_changed(values: list[float], error: float) -> None:
    one = pooled(values, [error] * len(values))
    other = pooled([-value for value in values], [error] * len(values))
    assert other.new.estimate == pytest.approx(-one.new.estimate, abs=1e-12)
    assert (-other.new.high, -other.new.low) == pytest.approx((one.new.low, one.new.high), abs=1e-9)
    assert (-other.prediction[1], -other.prediction[0]) == pytest.approx(one.prediction, abs=1e-9)
    assert one.prediction[0] <= one.new.low <= one.new.high <= one.prediction[1]
