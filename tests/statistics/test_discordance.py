"""What a number of images can carry, against scipy's exact binomial tests, arithmetic by hand, and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fbench.statistics.clusters import Clusters
from fbench.statistics.discordance import FEW, discordance, images_for_margin, images_that_carry


def row(ahead: int, behind: int, images: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """One difference an image."""
    return np.repeat([1.0, -1.0, 0.0], [ahead, behind, images - ahead - behind])


@pytest.mark.parametrize("images", [1, 2, 7, 20, 50, 147, 299, 3_589])
def test_no_difference_on_so_many_images_is_the_rule_of_three(images: int) -> None:
    found = discordance(np.zeros((3, images)))
    assert (found.differing, found.p_no_difference) == (0, 1.0)
    assert found.most_differing(0.05) == pytest.approx(1 - 0.05 ** (1 / images))
    assert found.interval(0.9) == pytest.approx((-found.most_differing(0.05), found.most_differing(0.05)))
    assert found.p_at_least(0.01) == pytest.approx(0.99**images)


def test_seven_images_leave_35_percent_open_and_a_point_needs_299() -> None:
    assert discordance(np.zeros((1, 7))).most_differing(0.05) == pytest.approx(0.348, abs=5e-4)
    assert images_for_margin(0.01, 0.05) == 299
    assert images_for_margin(0.05, 0.05) == 59  # 0.95^58 = 0.0510
    assert images_for_margin(0.01, 0.05, largest=2) == 598
    assert images_for_margin(1.0, 0.05) == 1
    with pytest.raises(ValueError, match="margin of 0"):
        images_for_margin(0, 0.05)


def test_more_seeds_are_not_more_images() -> None:
    once = row(2, 0, 30)
    assert discordance(np.tile(once, (20, 1))) == discordance(once)


@given(st.integers(0, 8), st.integers(0, 8), st.integers(1, 40))
def test_no_difference_is_mcnemars_exact_test(ahead: int, behind: int, alike: int) -> None:
    found = discordance(row(ahead, behind, ahead + behind + alike))
    exact = stats.binomtest(ahead, ahead + behind).pvalue if ahead + behind else 1.0
    assert found.p_no_difference == pytest.approx(exact)


@pytest.mark.parametrize(("ahead", "images"), [(1, 299), (3, 20), (5, 147), (24, 3_589)])
def test_where_one_network_is_never_ahead_the_bound_is_clopper_and_pearsons(ahead: int, images: int) -> None:
    found = discordance(row(ahead, 0, images)).interval(0.95)
    assert found is not None
    assert found[1] == pytest.approx(stats.binomtest(ahead, images).proportion_ci(method="exact").high)
    turned = discordance(row(0, ahead, images)).interval(0.95)
    assert turned == pytest.approx((-found[1], -found[0]))


@pytest.mark.parametrize(("mean", "behind", "images"), [(0.01, 0.0, 299), (0.01, 0.005, 500), (0.3, 0.01, 20)])
def test_a_difference_of_the_margin_is_called_smaller_in_at_most_five_of_a_hundred(
    mean: float, behind: float, images: int
) -> None:
    counts = np.random.default_rng(0).multinomial(images, [mean + behind, behind, 1 - mean - 2 * behind], size=1_500)
    few = counts[counts[:, :2].sum(axis=1) < FEW]
    p_values = {tuple(one): discordance(row(one[0], one[1], images)).p_at_least(mean) for one in np.unique(few, axis=0)}
    called = sum(p_values[tuple(one)] < 0.05 for one in few)
    assert called / len(counts) <= 0.05 + 3.5 * np.sqrt(0.05 * 0.95 / len(counts))


@given(st.integers(0, 6), st.integers(0, 6), st.integers(1, 60), st.floats(-0.98, 0.98))
def test_a_larger_mean_is_never_less_surely_refuted(ahead: int, behind: int, alike: int, mean: float) -> None:
    found = discordance(row(ahead, behind, ahead + behind + alike))
    assert found.p_at_least(mean + 0.01) <= found.p_at_least(mean) + 1e-9
    assert found.p_at_most(-mean) == pytest.approx(
        discordance(-row(ahead, behind, ahead + behind + alike)).p_at_least(mean)
    )


def test_from_25_differing_images_on_only_the_number_of_images_bounds() -> None:
    found = discordance(row(13, 12, 500))
    assert not found.is_few
    assert found.interval(0.95) is None
    assert (found.p_no_difference, found.p_at_least(-0.01)) == (0.0, 0.0)
    assert found.p_at_least(0.01) == pytest.approx(0.99**500)
    assert found.least_margin(0.05) == pytest.approx(1 - 0.05 ** (1 / 500))


def test_an_image_that_differs_in_some_seeds_counts_for_so_much() -> None:
    """One of three seeds on one image: between no image and one."""
    matrix = np.zeros((3, 20))
    matrix[0, 0] = 1
    none, third, one = (discordance(one).p_at_least(0.1) for one in (np.zeros(20), matrix, row(1, 0, 20)))
    assert none == pytest.approx(0.9**20)
    assert one == pytest.approx(stats.binom.cdf(1, 20, 0.1))
    assert none < third < one


def test_what_cancels_over_seeds_differs_but_favours_nobody() -> None:
    found = discordance([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    assert (found.differing, found.means, found.p_no_difference) == (1, (), 1.0)


def test_a_detectable_difference_brings_enough_images() -> None:
    """At 5 % six images that favour one network (2 / 2^6 = 0.031), 16 at 0.0001 (2 / 2^15 is still 0.00006)."""
    found = discordance(np.zeros(100))
    assert stats.binom.sf(5, 100, found.detectable(0.05, 0.8)) == pytest.approx(0.8)
    assert stats.binom.sf(14, 100, found.detectable(0.0001, 0.8)) == pytest.approx(0.8)
    assert discordance(np.zeros(5)).detectable(0.05, 0.8) == 1.0


def test_a_detectable_difference_of_clusters_is_less_as_each_turns_up_by_one_of_its_images() -> None:
    images = discordance(np.zeros(100))
    clusters = discordance(np.zeros(300), clusters=Clusters(np.repeat(np.arange(100), 3)))
    assert clusters.detectable(0.05, 0.8) == pytest.approx(images.detectable(0.05, 0.8) / 3)


def test_few_images_that_carry_the_variance_are_few_however_many_differ() -> None:
    assert images_that_carry(np.array([0.2, -0.2, 0.2, 0.0])) == pytest.approx(3)
    assert images_that_carry(np.zeros(5)) == 0
    differences = np.zeros((10, 400))
    differences[:, :3] = 1  # three with every seed
    differences[np.arange(30) % 10, np.arange(3, 33)] = -1  # thirty with one seed each
    found = discordance(differences)
    assert (found.differing, found.is_few) == (33, True)
    assert found.carrying == pytest.approx((3 + 30 * 0.01) ** 2 / (3 + 30 * 0.0001))
    assert found.p_at_least(0.01) > 0.05  # at most 3 of 400 ahead: chance has as few of 4 wanted
    assert 0.5 < found.p_no_difference <= 1  # as much ahead as behind
    spread = discordance(np.where(np.random.default_rng(0).random((10, 400)) < 0.5, 1, -1))
    assert not spread.is_few
    assert spread.p_no_difference == 0
