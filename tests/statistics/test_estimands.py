from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from fbench.statistics.crossed import FEW_SEEDS, mean_squares
from fbench.statistics.estimands import new_images, this_test_set
from fbench.statistics.sum_of_t import sum_of_t

# Row means 5, 3 and 1, column means 2, 4, 2 and 4, grand mean 3. By hand:
# SS_seed = 4 (4 + 0 + 4) = 32 on 2, SS_image = 3 (1 + 1 + 1 + 1) = 12 on 3, SS_residual = 4 on 6.
SMALL = np.array([[4, 6, 5, 5], [2, 4, 1, 5], [0, 2, 0, 2]], dtype=float)


def test_what_cancels_up_to_rounding_is_no_difference() -> None:
    values = np.tile([0.1, 0.2, -0.3], (3, 1))
    assert values.mean() != 0  # but 2e-17
    found = this_test_set(values)
    assert (found.estimate, found.rule, found.p_value) == (0, "constant", 1)


def test_the_crossed_variance_and_its_degrees_of_freedom_agree_with_hand_computation() -> None:
    estimate = new_images(SMALL)
    total = 16 + 4 - 2 / 3
    freedom = total**2 / (16**2 / 2 + 4**2 / 3 + (2 / 3) ** 2 / 6)
    assert estimate.rule == "crossed"
    assert estimate.estimate == 3
    assert estimate.standard_error == pytest.approx(math.sqrt(total / 12))
    assert estimate.degrees_of_freedom == pytest.approx(freedom)


def test_with_few_seeds_the_error_is_a_sum_of_two_t_variables() -> None:
    estimate = new_images(SMALL)
    of_images = 4 - 2 / 3
    freedom = of_images**2 / (4**2 / 3 + (2 / 3) ** 2 / 6)
    wanted = sum_of_t([(16, 2), (of_images, max(freedom, 2))])
    half = wanted.quantile(0.95) * estimate.standard_error
    assert (estimate.low, estimate.high) == pytest.approx((3 - half, 3 + half))
    assert estimate.p_value == pytest.approx(2 * float(wanted.below(-3 / estimate.standard_error)))
    assert estimate.interval(1 - estimate.p_value) == pytest.approx((0, 6), abs=1e-9)


def test_from_ten_seeds_on_it_is_students_t_with_satterthwaites_degrees_of_freedom() -> None:
    generator = np.random.default_rng(0)
    for seeds in (FEW_SEEDS - 1, FEW_SEEDS):
        estimate = new_images(0.1 + generator.normal(size=(seeds, 1)) + generator.normal(size=40))
        half = stats.t.ppf(0.975, estimate.degrees_of_freedom) * estimate.standard_error
        is_student = estimate.high - estimate.estimate == pytest.approx(half)
        assert is_student == (seeds >= FEW_SEEDS)
    assert estimate.p_value == pytest.approx(
        2 * stats.t.sf(abs(estimate.estimate) / estimate.standard_error, estimate.degrees_of_freedom)
    )


def test_this_test_set_is_the_t_test_over_the_means_of_the_seeds() -> None:
    estimate = this_test_set(SMALL, confidence=0.9)
    reference = stats.ttest_1samp(SMALL.mean(axis=1), 0)
    low, high = reference.confidence_interval(0.9)
    assert (estimate.low, estimate.high) == pytest.approx((low, high))
    assert estimate.p_value == pytest.approx(reference.pvalue)
    assert (estimate.degrees_of_freedom, estimate.rule) == (2, "seeds")


def test_a_negative_image_component_leaves_the_chance_of_the_seeds() -> None:
    matrix = np.array([[3.0, 1.0, 3.0], [0.0, 2.0, 1.0]])
    squares = mean_squares(matrix)
    assert squares.image < squares.residual
    estimate = new_images(matrix)
    assert estimate.rule == "seeds_only"
    assert estimate.standard_error == pytest.approx(math.sqrt(squares.seed / 6))
    assert estimate.degrees_of_freedom == 1


def test_with_both_components_at_zero_the_residual_is_the_chance() -> None:
    estimate = new_images([[1, -1], [-1, 1]])
    assert estimate.rule == "residual_only"
    assert estimate.standard_error == pytest.approx(math.sqrt(4 / 4))
    assert estimate.p_value == 1


def test_the_residual_alone_has_the_degrees_of_freedom_of_both_sides() -> None:
    """Rows and columns sum to 0, the squares to 6: (3 - 1) (3 - 1) degrees of freedom."""
    estimate = new_images([[1, -1, 0], [0, 1, -1], [-1, 0, 1]])
    assert (estimate.rule, estimate.degrees_of_freedom) == ("residual_only", 4)
    assert estimate.standard_error == pytest.approx(math.sqrt(6 / 4 / 9))


def test_one_seed_has_the_chance_of_its_images() -> None:
    values = np.array([0.5, 1.0, -0.25, 2.0, 0.0])
    estimate, reference = new_images(values[None]), stats.ttest_1samp(values, 0)
    assert (estimate.rule, estimate.degrees_of_freedom) == ("one_seed", 4)
    assert estimate.p_value == pytest.approx(reference.pvalue)


@pytest.mark.parametrize("seeds", [2, 3, 10])
@pytest.mark.parametrize("images", [2, 7, 20])
def test_equal_answers_have_the_error_of_answers_of_which_one_differs(seeds: int, images: int) -> None:
    differing = np.zeros((seeds, images))
    differing[0, 0] = 1
    for estimator in (this_test_set, new_images):
        for value in (0.0, 1.0):
            found, wanted = estimator(np.full((seeds, images), value)), estimator(differing)
            assert (found.rule, found.estimate) == ("constant", value)
            assert found.standard_error == pytest.approx(wanted.standard_error)
            assert found.degrees_of_freedom == seeds - 1
            half = stats.t.ppf(0.975, seeds - 1) / (seeds * images)
            assert (found.low, found.high) == pytest.approx((value - half, value + half))


def test_one_seed_stays_one_seed_whatever_its_answers() -> None:
    found = new_images(np.ones((1, 7)))
    assert found.rule == "one_seed"
    assert found.low < 1 < found.high


def test_images_as_the_only_chance_leave_no_interval_for_this_test_set_and_a_normal_one_for_new_images() -> None:
    per_image = np.random.default_rng(0).normal(size=50)
    matrix = np.tile(per_image, (4, 1))
    assert this_test_set(matrix).rule == "constant"
    reference = stats.ttest_1samp(per_image, 0)
    estimate = new_images(matrix)
    assert estimate.standard_error == pytest.approx(stats.sem(per_image))
    assert estimate.degrees_of_freedom == pytest.approx(49)
    assert estimate.p_value == pytest.approx(reference.pvalue)


def test_one_seed_is_marked_and_knows_only_the_chance_of_images() -> None:
    row = np.random.default_rng(1).normal(size=30)
    fixed = this_test_set(row[None])
    assert fixed.rule == "undefined"
    assert fixed.estimate == pytest.approx(row.mean())
    assert all(math.isnan(value) for value in (fixed.low, fixed.high, fixed.standard_error, fixed.p_value))
    general = new_images(row[None])
    assert (general.rule, general.degrees_of_freedom) == ("one_seed", 29)
    assert general.p_value == pytest.approx(stats.ttest_1samp(row, 0).pvalue)


NOISE = {
    "seeds only": (0.05, 0.0, 0.0),
    "images only": (0.0, 1.0, 0.0),
    "mixed": (0.05, 1.0, 1.0),
    "residual only": (0.0, 0.0, 1.0),
}


def simulate(noise: str, generator: np.random.Generator) -> tuple[npt.NDArray[np.float64], float]:
    """Five seeds by 200 images around a true mean of 0, and the true mean for these images."""
    by_seed, by_image, residual = NOISE[noise]
    images = by_image * generator.normal(size=200)
    seeds = by_seed * generator.normal(size=(5, 1))
    return images + seeds + residual * generator.normal(size=(5, 200)), float(images.mean())


@pytest.mark.parametrize("noise", NOISE)
def test_both_intervals_cover_what_they_claim(noise: str) -> None:
    generator = np.random.default_rng(20)
    repetitions = 1000
    covered = np.zeros(2)
    for _ in range(repetitions):
        matrix, mean_of_these_images = simulate(noise, generator)
        fixed, general = this_test_set(matrix), new_images(matrix)
        covered += [
            fixed.low - 1e-12 <= mean_of_these_images <= fixed.high + 1e-12,
            general.low <= 0 <= general.high,
        ]
    monte_carlo_error = math.sqrt(0.95 * 0.05 / repetitions)
    expected = [1.0 if noise == "images only" else 0.95, 0.95]
    assert covered / repetitions == pytest.approx(expected, abs=3.5 * monte_carlo_error)


def test_the_interval_covers_with_right_and_wrong_answers_too() -> None:
    generator = np.random.default_rng(8)
    repetitions, hits = 600, 0
    for _ in range(repetitions):
        difficulty = generator.normal(size=300)
        taste = 0.5 * generator.normal(size=(2, 1, 300))
        luck = 0.15 * generator.normal(size=(2, 5, 1))
        noise = 0.7 * generator.normal(size=(2, 5, 300))
        correct = (0.8 + taste + luck + noise > difficulty).astype(int)
        estimate = new_images(correct[0] - correct[1])
        hits += estimate.low <= 0 <= estimate.high
    assert hits / repetitions == pytest.approx(0.95, abs=3.5 * math.sqrt(0.95 * 0.05 / repetitions))


@pytest.mark.parametrize("shape", [(3,), (0, 4), (3, 1), (2, 2, 2)])
def test_a_shape_that_is_not_seeds_by_images_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least one seed and two images"):
        new_images(np.zeros(shape))


def test_a_value_that_is_not_finite_is_named() -> None:
    matrix = np.zeros((2, 3))
    matrix[1, 2] = np.nan
    with pytest.raises(ValueError, match="seed 1, image 2 is nan"):
        this_test_set(matrix)
