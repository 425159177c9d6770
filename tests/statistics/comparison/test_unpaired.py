from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from fbench.statistics.comparison.unpaired import unpaired_new_images, unpaired_this_test_set
from fbench.statistics.estimands import new_images


def answers(seeds: int, images: int = 300, chance: float = 0.6, seed: int = 0) -> npt.NDArray[np.int8]:
    """Right and wrong answers with an ability of each training and a difficulty of each image."""
    generator = np.random.default_rng(seed)
    difficulty = np.random.default_rng(99).normal(0, 0.3, images)
    return (generator.random((seeds, images)) < chance + generator.normal(0, 0.05, (seeds, 1)) + difficulty).astype(
        np.int8
    )


def test_this_test_set_is_welchs_interval_over_seeds() -> None:
    ours, theirs = answers(7, seed=1), answers(4, chance=0.5, seed=2)
    found = unpaired_this_test_set(ours, theirs)
    reference = stats.ttest_ind(ours.mean(axis=1), theirs.mean(axis=1), equal_var=False)
    interval = reference.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-12)
    assert found.p_value == pytest.approx(reference.pvalue, abs=1e-12)
    assert found.degrees_of_freedom == pytest.approx(reference.df)


def test_the_variance_for_new_images_is_the_sum_of_its_parts() -> None:
    # The other order of difficulties: what is easy for ours is hard for theirs.
    ours, theirs = answers(5, seed=1).astype(float), answers(3, chance=0.5, seed=2)[:, ::-1].astype(float)
    images = ours.shape[1]
    parts = 0.0
    for side in (ours, theirs):
        residual = side - side.mean(axis=1, keepdims=True) - side.mean(axis=0) + side.mean()
        mean_square = (residual**2).sum() / ((len(side) - 1) * (images - 1))
        parts += side.mean(axis=1).var(ddof=1) / len(side) - mean_square / side.size
    parts += (ours.mean(axis=0) - theirs.mean(axis=0)).var(ddof=1) / images
    found = unpaired_new_images(ours, theirs)
    assert found.rule == "crossed"
    assert found.standard_error**2 == pytest.approx(parts, rel=1e-12)


def test_its_variance_is_that_of_pairs_where_pairing_gains_nothing() -> None:
    # The mean over all ways to pair the seeds of one side with those of the other.
    ours, theirs = answers(6, images=2_000, seed=1), answers(6, images=2_000, chance=0.5, seed=2)
    orders = [np.random.default_rng(k).permutation(6) for k in range(60)]
    paired = np.mean([new_images(ours - theirs[order].astype(float)).standard_error ** 2 for order in orders])
    assert unpaired_new_images(ours, theirs).standard_error ** 2 == pytest.approx(paired, rel=0.05)


def test_without_an_image_component_the_seeds_decide() -> None:
    def balanced(seed: int) -> npt.NDArray[np.int8]:
        """Every image is right in half of the trainings, which differ in how often they are right."""
        once = answers(3, chance=0.6, seed=seed)
        return np.concatenate([once, 1 - once])

    ours, theirs = balanced(1), balanced(2)
    found, by_seed = unpaired_new_images(ours, theirs), unpaired_this_test_set(ours, theirs)
    assert found.rule == "seeds_only"
    assert (found.standard_error, found.degrees_of_freedom) == pytest.approx(
        (by_seed.standard_error, by_seed.degrees_of_freedom)
    )


def test_one_seed_on_a_side_knows_only_the_images() -> None:
    found = unpaired_new_images(answers(1, seed=1), answers(4, seed=2))
    assert found.rule == "one_seed"
    assert unpaired_this_test_set(answers(1), answers(4)).rule == "undefined"


def test_equal_answers_everywhere_are_constant() -> None:
    found = unpaired_new_images(np.ones((3, 10)), np.ones((4, 10)))
    assert (found.rule, found.estimate, found.p_value) == ("constant", 0.0, 1.0)
    bound = 1 - 0.025 ** (1 / 10)
    assert (found.low, found.high) == pytest.approx((-bound, bound))


def test_equal_seeds_on_both_sides_leave_an_interval_for_this_test_set() -> None:
    """One answer of one seed would have been another one: errors of 1/30 and 1/40, by Welch."""
    found = unpaired_this_test_set(np.ones((3, 10)), np.zeros((4, 10)))
    variances = (1 / 30) ** 2, (1 / 40) ** 2
    freedom = sum(variances) ** 2 / (variances[0] ** 2 / 2 + variances[1] ** 2 / 3)
    half = stats.t.ppf(0.975, freedom) * math.sqrt(sum(variances))
    assert (found.low, found.high) == pytest.approx((1 - half, 1 + half))


def test_one_seed_a_side_stays_one_seed_whatever_the_answers() -> None:
    found = unpaired_new_images(np.ones((1, 7)), np.ones((3, 7)))
    assert found.rule == "one_seed"
    assert found.low < 0 < found.high


@given(
    arrays(np.int8, st.tuples(st.integers(1, 4), st.just(6)), elements=st.sampled_from([0, 1])),
    arrays(np.int8, st.tuples(st.integers(1, 4), st.just(6)), elements=st.sampled_from([0, 1])),
)
def test_swapping_the_networks_mirrors_the_interval(ours: npt.NDArray[np.int8], theirs: npt.NDArray[np.int8]) -> None:
    there, back = unpaired_new_images(ours, theirs), unpaired_new_images(theirs, ours)
    assert there.rule == back.rule
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-12)
    assert there.low <= there.estimate <= there.high


def test_other_images_are_refused() -> None:
    with pytest.raises(ValueError, match="10 and 9 images do not pair"):
        unpaired_new_images(np.ones((3, 10)), np.ones((3, 9)))


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="seed 1, image 2 is nan"):
        unpaired_new_images([[1, 0, 1], [1, 0, float("nan")]], np.ones((2, 3)))
