from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fbench.statistics.comparison.multiplicity import holm
from fbench.statistics.sign_flip import MONTE_CARLO_FLIPS, sign_flip, smallest_p_value, smallest_reachable

# Darwin's maize: crossed minus self-fertilised height in eighths of an inch, 15 pairs. Fisher (1935, section
# 21) counts 863 of the 32,768 sign patterns at the observed sum of 314 or beyond, as many on the other side.
DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]


def test_darwins_maize_gives_fishers_count() -> None:
    assert sign_flip(DARWIN).p_value == 2 * 863 / 2**15


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=8))
def test_the_p_value_is_the_share_of_all_patterns(values: list[int]) -> None:
    patterns = itertools.product((-1, 1), repeat=len(values))
    sums = [abs(sum(s * v for s, v in zip(signs, values, strict=True))) for signs in patterns]
    result = sign_flip(np.array(values) / 3589)
    assert result.exact
    assert result.p_value == np.mean([total >= abs(sum(values)) for total in sums])


def test_it_agrees_with_scipys_permutation_test() -> None:
    values = np.random.default_rng(4).normal(0.5, 1, size=9)
    reference = stats.permutation_test(
        (values,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    assert sign_flip(values).p_value == pytest.approx(reference.pvalue)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=12))
def test_the_p_value_lies_between_the_smallest_and_one(values: list[float]) -> None:
    result = sign_flip(values)
    assert result.smallest_p_value == 2 / 2 ** len(values)
    assert result.smallest_p_value <= result.p_value <= 1


def test_differences_of_one_sign_reach_the_smallest_p_value() -> None:
    for seeds in (1, 3, 5, 10, 20):
        assert sign_flip(np.linspace(0.1, 0.2, seeds)).p_value == smallest_p_value(seeds)


def test_no_difference_at_all_gives_one() -> None:
    assert sign_flip(np.zeros(5)).p_value == 1


def test_beyond_twenty_seeds_random_patterns_repeat_with_the_seed_and_stay_near_the_t_test() -> None:
    values = np.random.default_rng(2).normal(0.4, 1, size=25)
    result = sign_flip(values, random_seed=7)
    assert not result.exact
    assert result == sign_flip(values, random_seed=7)
    assert result.p_value == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.02)
    assert sign_flip(np.full(25, 0.3)).p_value == smallest_p_value(25) == 1e-5


def test_five_seeds_cannot_reach_five_percent() -> None:
    assert smallest_reachable(5, 1) == 0.0625
    assert smallest_reachable(5, 3) == 0.1875
    assert smallest_reachable(3, 15) == 1
    assert smallest_reachable(10, 3) == 3 * 2 / 1024


@given(st.integers(1, 20), st.integers(1, 10))
def test_the_smallest_reachable_is_what_holm_makes_of_the_smallest_p_values(seeds: int, family: int) -> None:
    assert holm(np.full(family, smallest_p_value(seeds))).min() == smallest_reachable(seeds, family)


@pytest.mark.parametrize("differences", [[], [float("nan"), 1.0], [[1.0, 2.0]]])
def test_what_is_no_row_of_differences_is_refused(differences: list[float]) -> None:
    with pytest.raises(ValueError, match="one finite difference per seed"):
        sign_flip(differences)


def test_no_seed_and_no_comparison_are_refused() -> None:
    with pytest.raises(ValueError, match="0 seeds"):
        smallest_reachable(0, 1)
    with pytest.raises(ValueError, match="0 comparisons"):
        smallest_reachable(5, 0)


@pytest.mark.parametrize("seeds", [21, 23, 301])
@pytest.mark.slow
def test_random_patterns_are_those_of_one_large_draw(seeds: int) -> None:
    values = np.random.default_rng(seeds).normal(0.02, 1, size=seeds)
    signs = np.random.default_rng(5).integers(0, 2, size=(MONTE_CARLO_FLIPS, seeds), dtype=np.int8) * 2 - 1
    sums = np.append(signs @ values, values.sum())
    assert sign_flip(values, random_seed=5).p_value == np.mean(np.abs(sums) >= abs(values.sum()) - 1e-9)
