from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from fbench.statistics.many.performance_profile import band_half_width, performance_profile


def test_shares_count_the_runs_above_a_threshold() -> None:
    found = performance_profile([[0.5, 0.6, 0.7, 0.8]], [0.4, 0.5, 0.65, 0.8])
    assert found.shares == pytest.approx([1, 0.75, 0.5, 0])
    assert (found.low.min(), found.high.max()) == (0, 1)


def test_a_score_that_equals_the_threshold_but_for_rounding_is_not_above_it() -> None:
    scores = [0.3, 0.1 + 0.2]
    assert len(set(scores)) == 2
    assert performance_profile([scores], [0.3, 0.1 + 0.2]).shares.tolist() == [0.0, 0.0]


def test_data_sets_count_equally_whatever_their_runs() -> None:
    assert performance_profile([[0.1], [0.9, 0.9, 0.1]], [0.5]).shares == pytest.approx([(0 + 2 / 3) / 2])


def test_the_band_is_massarts() -> None:
    assert band_half_width([10]) == pytest.approx(math.sqrt(math.log(40) / 20))
    both = (math.sqrt(math.log(80) / 20) + math.sqrt(math.log(80) / 40)) / 2
    assert band_half_width([10, 20]) == pytest.approx(both)


def test_the_band_holds_everywhere_at_once_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    at = np.linspace(-3, 5, 400)
    truth = (stats.norm.sf(at) + stats.norm.sf(at - 2)) / 2
    missed = 0
    for _ in range(400):
        found = performance_profile([generator.normal(size=8), generator.normal(2, 1, size=8)], at)
        missed += bool(((truth < found.low - 1e-12) | (truth > found.high + 1e-12)).any())
    assert missed / 400 <= 0.05


def test_what_has_no_profile_is_refused() -> None:
    with pytest.raises(ValueError, match="finite scores"):
        performance_profile([[0.5, math.nan]], [0.5])
    with pytest.raises(ValueError, match="finite scores"):
        performance_profile([], [0.5])
    with pytest.raises(ValueError, match="no band"):
        band_half_width([3, 0])
