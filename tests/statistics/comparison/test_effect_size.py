from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from fbench.statistics.comparison.effect_size import (
    paired_effect_size,
    small_sample_correction,
    unpaired_effect_size,
)

OURS = np.array([0.62, 0.64, 0.61, 0.66, 0.63, 0.65])
THEIRS = np.array([0.60, 0.63, 0.61, 0.62, 0.60, 0.63])


def test_g_is_the_difference_over_the_average_spread_times_hedges_factor() -> None:
    spread = math.sqrt((OURS.var(ddof=1) + THEIRS.var(ddof=1)) / 2)
    factor = math.gamma(2.5) / (math.sqrt(2.5) * math.gamma(2.0))  # 5 degrees of freedom
    found = paired_effect_size(OURS, THEIRS).hedges_g
    assert found.estimate == pytest.approx(factor * (OURS - THEIRS).mean() / spread, rel=1e-12)


@pytest.mark.parametrize(("freedom", "factor"), [(2, 0.5642), (3, 0.7236), (10, 0.9228), (20, 0.9619)])
def test_the_small_sample_factor_is_that_of_hedges_table(freedom: int, factor: float) -> None:
    assert small_sample_correction(freedom) == pytest.approx(factor, abs=1e-4)


def test_its_ends_are_the_noncentralities_that_the_statistic_does_not_reject() -> None:
    # Algina and Keselman 2003, equation 5: limits of the noncentrality times the ratio of the standard errors.
    difference = OURS - THEIRS
    error = difference.std(ddof=1) / math.sqrt(6)
    statistic = difference.mean() / error
    scale = error / math.sqrt((OURS.var(ddof=1) + THEIRS.var(ddof=1)) / 2) * small_sample_correction(5)
    found = paired_effect_size(OURS, THEIRS, 0.9).hedges_g
    assert stats.nct.sf(statistic, 5, found.low / scale) == pytest.approx(0.05, abs=1e-6)
    assert stats.nct.cdf(statistic, 5, found.high / scale) == pytest.approx(0.05, abs=1e-6)


def test_the_chance_to_beat_is_the_normal_share_above_zero_and_its_interval_that_of_the_noncentrality() -> None:
    difference = OURS - THEIRS
    found = paired_effect_size(OURS, THEIRS).chance_better
    assert found.estimate == pytest.approx(stats.norm.cdf(difference.mean() / difference.std(ddof=1)), rel=1e-9)
    statistic = difference.mean() / difference.std(ddof=1) * math.sqrt(6)
    assert stats.nct.sf(statistic, 5, stats.norm.ppf(found.low) * math.sqrt(6)) == pytest.approx(0.025, abs=1e-6)


def test_the_interval_of_the_chance_covers_it_in_95_of_100_studies() -> None:
    generator = np.random.default_rng(0)
    true = stats.norm.cdf(0.5)
    covered = []
    for _ in range(1_000):
        found = paired_effect_size(generator.normal(0.5, 1, 8), np.zeros(8)).chance_better
        covered.append(found.low <= true <= found.high)
    assert abs(np.mean(covered) - 0.95) < 3 * math.sqrt(0.95 * 0.05 / 1_000)


def test_unpaired_seeds_use_welchs_statistic() -> None:
    theirs = THEIRS[:4]
    reference = stats.ttest_ind(OURS, theirs, equal_var=False)
    found = unpaired_effect_size(OURS, theirs)
    beats = (OURS.mean() - theirs.mean()) / math.hypot(OURS.std(ddof=1), theirs.std(ddof=1))
    assert found.chance_better.estimate == pytest.approx(stats.norm.cdf(beats), rel=1e-9)
    spread = math.sqrt((OURS.var(ddof=1) + theirs.var(ddof=1)) / 2)
    size = small_sample_correction(reference.df) * (OURS.mean() - theirs.mean()) / spread
    assert found.hedges_g.estimate == pytest.approx(size, rel=1e-9)


@pytest.mark.parametrize(
    ("ours", "theirs", "size", "chance"),
    [
        ([0.5, 0.5], [0.5, 0.5], 0.0, 0.5),
        ([0.6, 0.6], [0.5, 0.5], math.inf, 1.0),
        ([0.1, 0.1], [0.3, 0.3], -math.inf, 0.0),
    ],
)
def test_equal_differences_of_two_seeds_are_no_certainty(
    ours: list[float], theirs: list[float], size: float, chance: float
) -> None:
    """A share that was 1 in two seeds is at least 0.025^(1/2); new seeds beyond it may go either way."""
    least = 0.025**0.5
    for found in (paired_effect_size(ours, theirs), unpaired_effect_size(ours, theirs)):
        assert found.hedges_g.estimate == size
        assert found.hedges_g.low <= size <= found.hedges_g.high
        assert found.chance_better.estimate == chance
        assert (found.chance_better.low, found.chance_better.high) == pytest.approx(
            (chance * least, 1 - (1 - chance) * least)
        )


def test_two_seeds_have_no_unbiased_size_but_a_chance() -> None:
    found = paired_effect_size([0.6, 0.65], [0.5, 0.52])
    assert math.isnan(found.hedges_g.estimate)
    assert 0 <= found.chance_better.low <= found.chance_better.estimate <= found.chance_better.high <= 1


@pytest.mark.parametrize("ours", [[0.5], [0.5, float("nan")], [[0.5, 0.4]]])
def test_too_few_or_broken_accuracies_are_refused(ours: npt.ArrayLike) -> None:
    with pytest.raises(ValueError, match="at least two seeds"):
        paired_effect_size(ours, ours)
