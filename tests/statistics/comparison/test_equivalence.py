from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from fbench.statistics.clusters import clusters_of
from fbench.statistics.comparison.equivalence import (
    certified_margin,
    equivalence_interval,
    equivalence_p_values,
    smallest_margins,
)
from fbench.statistics.comparison.multiplicity import Correction, adjust
from fbench.statistics.comparison.paired import new_images_difference
from fbench.statistics.estimands import MeanEstimate, new_images, this_test_set

ESTIMATES = st.builds(
    lambda estimate, error, freedom: MeanEstimate(estimate, 0, 0, error, freedom, 0.95, "crossed"),
    st.floats(-0.05, 0.05),
    st.floats(0.001, 0.05),
    st.floats(1, 200),
)


@pytest.mark.parametrize("margin", [0.02, 0.05, 0.2])
def test_it_agrees_with_statsmodels_over_seeds(margin: float) -> None:
    differences = np.random.default_rng(3).integers(-1, 2, size=(6, 50))
    by_seed = differences.mean(axis=1)
    found = equivalence_p_values([this_test_set(differences)], margin)
    assert found == pytest.approx([ttost_paired(by_seed, np.zeros(6), -margin, margin)[0]], abs=1e-9)


@given(ESTIMATES, st.floats(0.001, 0.1))
def test_it_is_below_five_percent_exactly_where_the_90_percent_interval_lies_within(
    estimate: MeanEstimate, margin: float
) -> None:
    half = stats.t.ppf(0.95, estimate.degrees_of_freedom) * estimate.standard_error
    inside = margin - abs(estimate.estimate) - half
    if abs(inside) > 1e-9:
        assert (equivalence_p_values([estimate], margin)[0] < 0.05) == (inside > 0)


@given(st.lists(ESTIMATES, min_size=1, max_size=5), st.sampled_from(["holm", "false_discovery_rate"]))
def test_the_smallest_margin_is_where_the_corrected_test_turns(estimates: list[MeanEstimate], correction: str) -> None:
    correct = partial(adjust, correction=correction)  # type: ignore[arg-type] # one of the two literals
    for place, margin in enumerate(smallest_margins(estimates, correct)):
        assert correct(equivalence_p_values(estimates, margin * (1 + 1e-9)))[place] < 0.05
        assert correct(equivalence_p_values(estimates, margin * (1 - 1e-6)))[place] >= 0.05


def test_one_comparison_certifies_the_farther_end_of_its_90_percent_interval() -> None:
    differences = np.random.default_rng(4).integers(-1, 2, size=(5, 200))
    ninety = new_images(differences, 0.9)
    farther = max(abs(ninety.low), abs(ninety.high))
    assert smallest_margins([new_images(differences)], adjust)[0] == pytest.approx(farther, rel=1e-9)
    assert certified_margin(new_images(differences), 0.05) == pytest.approx(farther, rel=1e-9)


def test_a_known_value_is_equivalent_within_any_margin_beyond_it() -> None:
    known = replace(new_images(np.zeros((3, 5))), standard_error=0.0)
    assert equivalence_p_values([known, replace(known, estimate=0.5)], 0.1).tolist() == [0.0, 1.0]
    assert smallest_margins([known], adjust).tolist() == [0.0]


@pytest.mark.parametrize(("images", "certified"), [(7, False), (298, False), (299, True), (500, True)])
def test_without_a_difference_299_images_certify_a_point(images: int, certified: bool) -> None:
    found = new_images_difference(np.zeros((10, images)))
    assert equivalence_p_values([found], 0.01)[0] == pytest.approx(0.99**images)
    assert (equivalence_p_values([found], 0.01)[0] < 0.05) == certified
    assert certified_margin(found, 0.05) == pytest.approx(1 - 0.05 ** (1 / images))


def test_an_image_that_differs_wants_the_bound_of_clopper_and_pearson() -> None:
    differences = np.zeros((3, 299))
    differences[:, 0] = 1
    assert certified_margin(new_images_difference(differences), 0.05) == pytest.approx(stats.beta.ppf(0.95, 2, 298))


def test_many_differing_images_certify_no_more_than_none_would() -> None:
    """Forty images that each differ in one seed of ten, up and down: the model alone would certify a point."""
    differences = np.zeros((10, 147))
    differences[np.arange(40) % 10, np.arange(40)] = np.where(np.arange(40) % 20 < 10, 1, -1)
    assert new_images(differences).p_at_least(0.01) < 0.05
    assert equivalence_p_values([new_images_difference(differences)], 0.01)[0] == pytest.approx(0.99**147)


def test_an_empty_family_stays_empty() -> None:
    assert equivalence_p_values([], 0.01).shape == smallest_margins([], adjust).shape == (0,)


@pytest.mark.parametrize("margin", [0.0, -1.0, float("nan")])
def test_a_margin_must_be_above_zero(margin: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        equivalence_p_values([], margin)


@pytest.mark.parametrize("clustered", [False, True])
def test_intervals_and_tests_say_the_same_of_zero_and_of_the_margin(clustered: bool) -> None:
    """Also where few images differ, or few clusters, or none."""
    generator = np.random.default_rng(5)
    for images, seeds in itertools.product((8, 20, 60, 400), (2, 3, 10)):
        clusters = clusters_of(list(np.repeat(np.arange(images), 3)[:images])) if clustered else None
        base = generator.random(images) < 0.9
        for changed in (0.0, 0.03, 0.3):
            rows = np.where(generator.random((seeds, images)) < changed, generator.random(images) < 0.95, base)
            found = new_images_difference(rows.astype(float) - base, clusters=clusters)
            for level in (0.05, 0.004):
                low, high = found.interval(1 - level)
                assert (low >= 0 or high <= 0) == (found.p_value < level)
                low, high = equivalence_interval(found, level)
                for margin in (0.01, 0.05):
                    is_within = -margin < low and high < margin
                    assert is_within == (equivalence_p_values([found], margin)[0] < level)


@pytest.mark.parametrize("correction", ["holm", "false_discovery_rate"])
def test_margins_of_a_large_family_are_those_of_tails_that_are_computed(
    monkeypatch: pytest.MonkeyPatch, correction: Correction
) -> None:
    chance = np.random.default_rng(3)
    estimates = [
        new_images_difference(chance.choice([-1, 0, 1], p=[0.1, 0.8, 0.1], size=(3, 80)), confidence=0.95)
        for _ in range(12)
    ]
    correct = partial(adjust, correction=correction)
    computed = smallest_margins(estimates, correct)
    monkeypatch.setattr("fbench.statistics.comparison.equivalence.FEW", 5)
    np.testing.assert_allclose(smallest_margins(estimates, correct), computed, rtol=1e-4)
