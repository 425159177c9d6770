"""Comparison with the best, held against bounds by hand and against many simulated data sets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from fbench.statistics.comparison.best import MOST_IN_PAIRS, best_bounds
from fbench.statistics.estimands import MeanEstimate

ERROR, FREEDOM = 1.0, 12.0


def estimate(value: float, error: float = ERROR) -> MeanEstimate:
    half = stats.t.ppf(0.975, FREEDOM) * error
    return MeanEstimate(value, value - half, value + half, error, FREEDOM, 0.95, "seeds")


def bounds_of(means: list[float], alpha: float = 0.05) -> list[tuple[float, float]]:
    found = best_bounds(lambda a, b: estimate(means[a] - means[b]), len(means), alpha)
    return [(one.low, one.high) for one in found]


def test_bounds_are_those_of_hsu_by_hand() -> None:
    """Three means of 10, 9 and 2 with a critical difference d: the third cannot be the best, so that the lower bounds
    of the others come from each other alone."""
    d = stats.t.ppf(1 - 0.05 / 2, FREEDOM) * ERROR
    assert 1 < d < 7
    expected = [(1 - d, min(1 + d, 8 + d)), (-1 - d, -1 + d), (-8 - d, 0.0)]
    for found, wanted in zip(bounds_of([10, 9, 2]), expected, strict=True):
        assert found == pytest.approx(wanted)


def test_one_that_is_far_ahead_is_the_best_beyond_doubt() -> None:
    found = best_bounds(lambda a, b: estimate([50.0, 1.0, 2.0][a] - [50.0, 1.0, 2.0][b]), 3)
    assert [one.may_be_best for one in found] == [True, False, False]
    assert found[0].low == 0


def test_an_interval_that_is_not_known_leaves_both_in_the_running() -> None:
    unknown = MeanEstimate(5.0, math.nan, math.nan, math.nan, math.nan, 0.95, "undefined")
    found = best_bounds(lambda a, b: unknown, 2)
    assert [one.may_be_best for one in found] == [True, True]
    assert [one.low for one in found] == [-math.inf, -math.inf]


def test_of_many_means_the_largest_are_compared_with_each_other_and_the_rest_with_the_largest() -> None:
    asked: list[tuple[int, int]] = []

    def difference(ours: int, theirs: int) -> MeanEstimate:
        asked.append((ours, theirs))
        return estimate(100.0 * (theirs - ours))

    found = best_bounds(difference, 300)
    assert len(asked) == len(set(asked)) == MOST_IN_PAIRS * (MOST_IN_PAIRS - 1) // 2 + 300 - MOST_IN_PAIRS
    assert [one.may_be_best for one in found] == [True] + [False] * 299
    assert found[299].low < -29_000  # held against the only one that may be the best

    equal = best_bounds(lambda ours, theirs: estimate(0.0), 30)
    assert all(one.may_be_best for one in equal)
    assert {one.low for one in equal[1:]} == {-math.inf}  # some that may be the best were not compared with it


def test_one_mean_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="give two or more"):
        best_bounds(lambda a, b: estimate(0), 1)


@pytest.mark.slow
def test_all_bounds_hold_together_in_at_least_95_of_100_data_sets() -> None:
    """Five means with paired observations, whose differences are correlated; two of them are equally the best."""
    generator = np.random.default_rng(8)
    truth = np.array([0.0, 0.0, -0.3, -0.6, -2.0])
    others = [max(np.delete(truth, place)) for place in range(5)]
    wrong, repetitions, pairs = 0, 2000, 10
    for _ in range(repetitions):
        data = truth + generator.normal(size=(pairs, 1)) + generator.normal(size=(pairs, 5))

        def difference(a: int, b: int, data: np.ndarray = data) -> MeanEstimate:
            values = data[:, a] - data[:, b]
            error = float(stats.sem(values))
            half = stats.t.ppf(0.975, pairs - 1) * error
            mean = float(values.mean())
            return MeanEstimate(mean, mean - half, mean + half, error, pairs - 1, 0.95, "seeds")

        found = best_bounds(difference, 5)
        held = [one.low <= truth[place] - others[place] <= one.high for place, one in enumerate(found)]
        wrong += not all(held)
    assert stats.binomtest(wrong, repetitions, 0.05, alternative="greater").pvalue > 0.05
    assert wrong > 0  # not so wide that nothing is said
