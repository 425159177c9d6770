"""Post-hoc tests, against scikit-posthocs, scipy's studentised range and published tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scikit_posthocs
from scipy import stats

from fbench.statistics.many.post_hoc import conover, critical_difference, nemenyi

# Conover 1999, section 5.8: twelve homeowners rank four grasses (as scores: less is better there, so negated).
GRASSES = -np.array(
    [
        [4, 3, 2, 1],
        [4, 2, 3, 1],
        [3, 1.5, 1.5, 4],
        [3, 1, 2, 4],
        [4, 2, 1, 3],
        [2, 2, 2, 4],
        [1, 3, 2, 4],
        [2, 4, 1, 3],
        [3.5, 1, 2, 3.5],
        [4, 1, 3, 2],
        [4, 2, 3, 1],
        [3.5, 1, 2, 3.5],
    ]
)


def random_scores(blocks: int, networks: int, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    generator = np.random.default_rng(seed)
    return np.round(generator.normal(size=(blocks, networks)) + 0.3 * np.arange(networks), 1)


def test_of_two_networks_it_is_the_normal_test_of_the_difference_of_their_ranks() -> None:
    # All 9 blocks but one prefer the second: average ranks 17/9 and 10/9; the standard error of a rank is sqrt(1/18).
    scores = [[0.0, 1.0]] * 8 + [[1.0, 0.0]]
    expected = 2 * stats.norm.sf(7 / 9 / math.sqrt(1 / 18) / math.sqrt(2))
    assert nemenyi(scores)[0, 1] == pytest.approx(expected, rel=1e-9, abs=0)


def test_hundreds_of_blocks_that_agree_have_a_p_value_of_nothing_and_not_below() -> None:
    found = nemenyi(np.tile(np.arange(40.0), (500, 1)))
    assert 0 <= found.min() <= found[0, 39] < 1e-12
    assert found.max() == 1


def test_critical_values_are_those_of_demsar() -> None:
    # Demsar 2006, table 5a, which is cut after the third digit.
    table = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]
    found = [critical_difference(6, groups) / math.sqrt(groups * (groups + 1) / 36) for groups in range(2, 11)]
    assert found == pytest.approx(table, abs=1.1e-3)
    assert critical_difference(blocks=14, networks=4) == pytest.approx(1.25, abs=5e-3)
    assert critical_difference(blocks=14, networks=4, level=0.1) == pytest.approx(1.12, abs=5e-3)


@pytest.mark.parametrize("shape", [(3, 4), (12, 6), (30, 9), (5, 2)])
def test_p_values_are_those_of_scikit_posthocs(shape: tuple[int, int]) -> None:
    scores = random_scores(*shape, seed=sum(shape))
    expected = scikit_posthocs.posthoc_nemenyi_friedman(scores).to_numpy()
    assert nemenyi(scores) == pytest.approx(expected, abs=1e-6)
    expected = scikit_posthocs.posthoc_conover_friedman(scores, p_adjust="holm").to_numpy()
    assert conover(scores) == pytest.approx(expected, abs=1e-6)


def test_conover_finds_what_his_book_finds() -> None:
    # The book: rank sums 38, 23.5, 24.5, 34; pairs differ from 11.49 on at 0.05, one by one.
    found = conover(GRASSES)
    alone = 2 * stats.t.sf(14.5 / 11.49 * stats.t.isf(0.025, 33), 33)
    assert found[0, 1] == pytest.approx(6 * alone, rel=1e-2)  # 11.49 is rounded; Holm multiplies by six


def test_blocks_that_agree_leave_conover_without_a_variance() -> None:
    scores = np.tile([3.0, 2.0, 2.0, 1.0], (4, 1))
    found = conover(scores)
    assert found[1, 2] == 1
    assert found[0, 3] == 0
    assert (conover(np.ones((4, 3))) == 1).all()
    assert nemenyi(np.ones((4, 3))) == pytest.approx(1)


def test_one_block_is_not_tested() -> None:
    for found in (nemenyi([[1, 2, 3]]), conover([[1, 2, 3]])):
        assert np.isnan(found[~np.eye(3, dtype=bool)]).all()
    assert math.isnan(critical_difference(1, 3))


def test_errors_say_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="level of 0"):
        critical_difference(5, 5, 0)
    with pytest.raises(ValueError, match="NaN"):
        nemenyi([[1, math.nan], [1, 2]])


def test_equal_networks_differ_seldom_by_either_test() -> None:
    generator = np.random.default_rng(0)
    draws = [generator.normal(size=(10, 5)) for _ in range(400)]
    most = 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)
    for test in (nemenyi, conover):
        assert np.mean([(test(scores) < 0.05).any() for scores in draws]) <= most
