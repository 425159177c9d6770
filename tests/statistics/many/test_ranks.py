"""Ranks and Friedman's test, against a published table, scipy, and arithmetic by hand."""

from __future__ import annotations

import math
import random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from fbench.statistics.many.ranks import average_ranks, friedman, ranks

# Demsar 2006, table 6: areas under the curve of four classifiers (C4.5, with m, with cf, with both) on 14 data sets.
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)

SCORES = arrays(np.float64, st.tuples(st.integers(2, 8), st.integers(3, 7)), elements=st.integers(0, 4).map(float))


def test_average_ranks_are_those_of_demsar() -> None:
    assert average_ranks(DEMSAR) == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)


def test_friedman_is_that_of_demsar_but_for_his_ties() -> None:
    # He prints 9.28, without the correction for ties, which divides by 1 - sum(t^3 - t) / (n (k^3 - k)).
    found = friedman(DEMSAR)
    sizes = [np.unique(row, return_counts=True)[1] for row in DEMSAR]
    ties = 1 - sum(float((t**3 - t).sum()) for t in sizes) / (14 * (4**3 - 4))
    assert found.chi_squared * ties == pytest.approx(9.28, abs=0.01)
    assert found.degrees_of_freedom == (3, 39)
    assert found.f_statistic == pytest.approx(13 * found.chi_squared / (14 * 3 - found.chi_squared))
    assert found.p_value == pytest.approx(stats.f.sf(found.f_statistic, 3, 39), rel=1e-9)


@given(SCORES)
def test_ranks_and_chi_squared_are_scipys(scores: npt.NDArray[np.float64]) -> None:
    found = ranks(scores)
    assert found == pytest.approx(stats.rankdata(-scores, axis=1))
    test = friedman(scores)
    if test.rule in ("f_distribution", "exact"):
        reference = stats.friedmanchisquare(*scores.T)
        assert test.chi_squared == pytest.approx(reference.statistic, rel=1e-9, abs=1e-9)
        assert test.chi_squared_p_value == pytest.approx(reference.pvalue, rel=1e-6)


def test_blocks_of_ties_have_a_p_value_of_1() -> None:
    found = friedman(np.full((5, 4), 0.7))
    assert (found.rule, found.p_value, found.chi_squared_p_value) == ("all_equal", 1.0, 1.0)


def test_blocks_that_agree_have_the_exact_chance_of_agreeing() -> None:
    found = friedman([[0.1, 0.2, 0.3], [0.4, 0.5, 0.9], [0.0, 0.5, 0.6]])
    assert (found.rule, found.f_statistic) == ("perfect_agreement", math.inf)
    assert found.p_value == pytest.approx(1 / 36)  # each of the second and third block agrees in 1 of 6 orders
    tied = friedman([[1, 1, 2], [3, 3, 4]])
    assert tied.p_value == pytest.approx(1 / 3)  # which of the three is alone


def test_two_networks_make_a_sign_test() -> None:
    found = friedman([[1, 0], [1, 0], [1, 0], [0, 1]])
    assert found.chi_squared == pytest.approx((3 - 1) ** 2 / 4)


@pytest.mark.parametrize("scores", [[[1, 2, 3]], [[1], [2], [3]]])
def test_one_block_or_one_network_is_undefined(scores: list[list[int]]) -> None:
    found = friedman(scores)
    assert found.rule == "undefined"
    assert math.isnan(found.p_value)


def test_a_missing_score_is_refused_by_block_and_network() -> None:
    with pytest.raises(ValueError, match="block 1, network 2 is NaN"):
        friedman([[1, 2, 3], [1, 2, math.nan]])
    with pytest.raises(ValueError, match="a row for each block"):
        ranks([1, 2, 3])


def test_means_that_are_equal_as_fractions_are_ties() -> None:
    """Seed means of one and the same sum, in orders that binary rounding tells apart."""
    by_seed = np.array([[0.1, 0.2, 0.3], [0.3, 0.2, 0.1], [0.2, 0.1, 0.3]])  # three networks, three seeds
    assert len(set(by_seed.mean(axis=1).tolist()) | set(by_seed.sum(axis=1).tolist())) > 1
    scores = np.tile(by_seed.mean(axis=1), (5, 1))
    assert ranks(scores).tolist() == [[2.0] * 3] * 5
    found = friedman(scores)
    assert (found.rule, found.p_value) == ("all_equal", 1.0)


@given(st.integers(2, 4_000), st.integers(2, 50), st.randoms(use_true_random=False))
def test_ranks_of_means_over_seeds_are_those_of_their_counts(images: int, seeds: int, random: random.Random) -> None:
    counts = [[random.randint(0, min(images, 3)) for _ in range(seeds)] for _ in range(5)]
    shuffled = [random.sample(counts[0], seeds) for _ in range(3)]  # the same sum, added in other orders
    everything = counts + shuffled
    means = [float(np.mean([count / images for count in row])) for row in everything]
    assert ranks([means]).tolist() == stats.rankdata([[-sum(row) for row in everything]], axis=1).tolist()
