"""Accuracies alone, held against Welch's test in SciPy."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from fbench.statistics.comparison.accuracies import accuracies_difference

OURS, THEIRS = [0.61, 0.63, 0.60, 0.64], [0.58, 0.59, 0.55, 0.60, 0.57, 0.61]


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_the_interval_is_welchs(confidence: float) -> None:
    found = accuracies_difference(OURS, THEIRS, 1000, confidence)
    welch = stats.ttest_ind(OURS, THEIRS, equal_var=False)
    interval = welch.confidence_interval(confidence)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-12)
    assert found.degrees_of_freedom == pytest.approx(welch.df, rel=1e-12)
    assert found.p_value == pytest.approx(welch.pvalue, rel=1e-9)
    assert found.rule == "seeds"


def test_equal_accuracies_vary_by_the_least_that_could_have_been_seen() -> None:
    """One answer of one training is another one: 1 / (seeds x images), on each side."""
    found = accuracies_difference([0.5] * 3, [0.5] * 3, 100)
    error = math.sqrt(2) / 300
    assert found.standard_error == pytest.approx(error, rel=1e-12)
    assert found.high == pytest.approx(stats.t.ppf(0.975, 4) * error, rel=1e-12)


def test_nothing_is_said_without_any_sign_of_chance() -> None:
    assert accuracies_difference([0.5, 0.5], [0.6, 0.6], None).rule == "undefined"
    assert accuracies_difference([0.5], [0.6, 0.7], 100).rule == "undefined"


def test_no_interval_leaves_what_accuracies_can_be() -> None:
    found = accuracies_difference([0.1, 0.9], [0.1, 0.9], 10)
    assert (found.low, found.high) == (-1.0, 1.0)


def test_a_side_without_accuracies_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no accuracy"):
        accuracies_difference([], [0.5], 10)
