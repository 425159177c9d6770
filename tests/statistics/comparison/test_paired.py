from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fbench.statistics.comparison.paired import compare
from fbench.statistics.estimands import new_images, this_test_set
from fbench.statistics.sign_flip import sign_flip

DIFFERENCES = arrays(np.int8, st.tuples(st.integers(1, 6), st.integers(2, 12)), elements=st.sampled_from([-1, 0, 1]))


def test_both_estimands_and_the_sign_flip_test_come_together() -> None:
    matrix = np.random.default_rng(0).integers(-1, 2, size=(6, 400))
    result = compare(matrix, 0.9)
    assert result.this_test_set == this_test_set(matrix, 0.9)
    assert result.new_images == new_images(matrix, 0.9)
    assert result.sign_flip == sign_flip(matrix.mean(axis=1))
    assert (result.seeds, result.images) == (6, 400)
    assert result.this_test_set.estimate == result.new_images.estimate == matrix.mean()


@given(DIFFERENCES)
def test_swapping_the_networks_negates_the_difference_and_changes_no_p_value(
    differences: npt.NDArray[np.int8],
) -> None:
    there, back = compare(differences), compare(-differences)
    for one, other in ((there.this_test_set, back.this_test_set), (there.new_images, back.new_images)):
        assert one.rule == other.rule
        assert [-one.estimate, -one.high, -one.low, one.p_value] == pytest.approx(
            [other.estimate, other.low, other.high, other.p_value], nan_ok=True, abs=1e-12
        )
    assert there.sign_flip == back.sign_flip


@given(DIFFERENCES, st.integers(0, 1000))
def test_the_order_of_images_and_seeds_does_not_matter(differences: npt.NDArray[np.int8], seed: int) -> None:
    generator = np.random.default_rng(seed)
    shuffled = generator.permutation(generator.permutation(differences, axis=0), axis=1)
    one, other = compare(differences), compare(shuffled)
    assert one.sign_flip.p_value == other.sign_flip.p_value
    assert one.new_images.rule == other.new_images.rule
    assert one.new_images.standard_error == pytest.approx(other.new_images.standard_error, abs=1e-12)


@given(DIFFERENCES)
def test_the_estimate_lies_within_its_intervals(differences: npt.NDArray[np.int8]) -> None:
    result = compare(differences)
    for estimate in (result.this_test_set, result.new_images):
        if estimate.rule == "undefined":
            assert result.seeds == 1
        else:
            assert estimate.low <= estimate.estimate <= estimate.high
            assert 0 <= estimate.p_value <= 1


def test_equal_networks_are_compared_without_an_error() -> None:
    result = compare(np.zeros((3, 10)))
    bound = 1 - 0.025 ** (1 / 10)  # of the images on which they may differ, which is wider than that of the seeds
    assert (result.new_images.low, result.new_images.high) == pytest.approx((-bound, bound))
    assert result.new_images.p_value == result.sign_flip.p_value == 1


def test_one_seed_has_no_interval_for_this_test_set() -> None:
    result = compare([[1, 0, -1, 1, 0]])
    assert (result.this_test_set.rule, result.new_images.rule) == ("undefined", "one_seed")
    assert result.sign_flip.p_value == 1
