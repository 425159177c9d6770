from __future__ import annotations

import math

import numpy as np
import pytest

from fbench.statistics.intervals import Interval, t_interval
from fbench.statistics.mover import interval_difference


def test_errors_of_independent_estimates_add_in_squares() -> None:
    found = interval_difference([Interval(10, 7, 14, 0.95)], [Interval(4, 0, 16, 0.95)])
    assert found == Interval(6, 6 - math.hypot(3, 12), 6 + math.hypot(4, 4), 0.95)


def test_a_known_deviation_widens_by_its_normal_quantile() -> None:
    sharp = Interval(1, 1, 1, 0.95)
    found = interval_difference([sharp], [sharp], 2.0)
    assert (found.low, found.high) == pytest.approx((-3.919928, 3.919928))


def test_normal_samples_give_nearly_welchs_interval() -> None:
    """Welch's t on statsmodels' side: CompareMeans(first, second).tconfint_diff(usevar='unequal')."""
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

    generator = np.random.default_rng(0)
    first, second = generator.normal(3, 1, 400), generator.normal(1, 2, 300)
    found = interval_difference([t_interval(first)], [t_interval(second)])
    low, high = CompareMeans(DescrStatsW(first), DescrStatsW(second)).tconfint_diff(usevar="unequal")
    assert (found.low, found.high) == pytest.approx((low, high), rel=2e-3)


def test_an_unbounded_interval_stays_unbounded() -> None:
    found = interval_difference([Interval(1, -math.inf, math.inf, 0.9)], [Interval(1, 0, 2, 0.9)])
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_intervals_of_different_confidence_are_refused() -> None:
    with pytest.raises(ValueError, match=r"confidences \[0\.9, 0\.95\]"):
        interval_difference([Interval(1, 0, 2, 0.9)], [Interval(1, 0, 2, 0.95)])
