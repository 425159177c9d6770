"""Intervals keep to what is possible, at every confidence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from fbench.statistics.comparison.networks import compare_networks
from fbench.statistics.estimands import MeanEstimate, this_test_set
from fbench.statistics.possible import DifferenceOfShares, Range, Share, bounded
from fbench.statistics.single import summarise

CONFIDENCES = (0.5, 0.95, 0.999)


def estimate(middle: float, error: float) -> MeanEstimate:
    return MeanEstimate(middle, math.nan, math.nan, error, 2.0, 0.95, "crossed")


def test_a_share_is_from_0_to_1_and_no_surer_than_its_units() -> None:
    assert bounded(estimate(0.7, 0.2), Share(70, 100, is_few=False)).interval(0.95)[1] == 1
    alike = bounded(estimate(1.0, 0.0001), Share(147, 147, is_few=True))
    for confidence in CONFIDENCES:
        low, high = proportion_confint(147, 147, 1 - confidence, method="beta")
        assert alike.interval(confidence) == (pytest.approx(low, abs=1e-3), high)


def test_a_difference_is_at_most_what_the_other_side_leaves() -> None:
    ours, theirs = (Share(0, 1, is_few=False) for _ in range(2))
    sides = DifferenceOfShares(bounded(estimate(0.6, 0.01), ours), bounded(estimate(0.9, 0.01), theirs))
    half = 4.302653 * 0.01  # Student's t of two degrees of freedom
    wide = bounded(estimate(-0.3, 0.5), sides)
    assert (wide.low, wide.high) == (pytest.approx(0.6 - half - 1), pytest.approx(1 - 0.9 + half))
    narrow = bounded(estimate(-0.3, 0.001), sides)
    assert (narrow.low, narrow.high) == pytest.approx((-0.3 - half / 10, -0.3 + half / 10))


@pytest.mark.parametrize("seeds", [(0, 1), (5, 6)])
def test_no_difference_is_beyond_100_points_however_few_the_seeds(seeds: tuple[int, ...]) -> None:
    generator = np.random.default_rng(0)
    ours = generator.random((2, 40)) < np.array([[0.1], [0.9]])
    theirs = generator.random((2, 40)) < np.array([[0.5], [0.95]])
    found = compare_networks(ours, theirs, (0, 1), seeds)
    for confidence in CONFIDENCES:
        for one in (found.new_images, found.this_test_set):
            low, high = one.interval(confidence)
            assert -1 <= low <= one.estimate <= high <= 1
    assert found.this_test_set.low <= -0.9  # two seeds allow nearly everything


def test_where_nothing_is_known_of_a_side_it_bounds_nothing() -> None:
    ours, theirs = np.ones((1, 30)), np.zeros((2, 30))
    found = compare_networks(ours, theirs, (0,), (1, 2))
    assert math.isnan(found.this_test_set.low)
    assert found.new_images.high == 1
    assert found.new_images.low < 1  # 30 images, all right once and all wrong twice


def test_one_seed_that_is_all_right_leaves_room_for_the_other() -> None:
    found = compare_networks(np.ones((1, 30)), np.ones((1, 30)), (0,), (0,)).new_images
    assert found.low < 0 < found.high


def test_a_range_cuts_and_an_undefined_interval_stays_so() -> None:
    cut = bounded(estimate(0.5, 0.4), Range(-0.8, 0.8))
    assert (cut.low, cut.high) == (-0.8, 0.8)
    undefined = this_test_set([[1, 0, 1]])
    assert bounded(undefined, Range(0, 1)) is undefined


def test_both_accuracies_of_ten_equal_seeds_know_the_number_of_images() -> None:
    found = summarise(np.ones((10, 147)))
    assert found.new_images.low == pytest.approx(0.025 ** (1 / 147))
    assert found.new_images.interval(0.99)[0] == pytest.approx(0.005 ** (1 / 147))
