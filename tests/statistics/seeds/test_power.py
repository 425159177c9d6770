from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestPower

from fbench.statistics.estimands import MeanEstimate, new_images
from fbench.statistics.seeds.power import (
    SeedsNeeded,
    VarianceComponents,
    certifiable_margin_of,
    chance_to_decide,
    detectable_difference_of,
    expected_estimate,
    seeds_for_margin,
    seeds_needed,
    variance_components,
)

TYPICAL = VarianceComponents(seed=0.007**2, image=0.06**2, residual=0.4**2)
COMPONENTS = st.builds(VarianceComponents, *(st.just(0.0) | st.floats(1e-9, 0.1) for _ in range(3)))


def test_components_are_those_of_the_analysis_of_variance() -> None:
    generator = np.random.default_rng(0)
    truth = VarianceComponents(seed=0.01, image=0.02, residual=0.05)
    found = []
    for _ in range(300):
        parts = (
            generator.normal(0, math.sqrt(truth.seed), (6, 1)),
            generator.normal(0, math.sqrt(truth.image), (1, 40)),
            generator.normal(0, math.sqrt(truth.residual), (6, 40)),
        )
        found.append(variance_components(sum(parts)))  # type: ignore[arg-type] # arrays add up to an array
    for name in ("seed", "image", "residual"):
        values = np.array([getattr(one, name) for one in found])
        assert abs(values.mean() - getattr(truth, name)) < 4 * values.std() / math.sqrt(len(values))


@given(COMPONENTS, st.integers(2, 40), st.integers(2, 5_000))
def test_the_expected_standard_error_is_the_models(components: VarianceComponents, seeds: int, images: int) -> None:
    variance = components.seed / seeds + components.image / images + components.residual / (seeds * images)
    variance = variance or (1 / (seeds * images)) ** 2  # the least that could be seen
    assert expected_estimate(components, seeds, images).standard_error == pytest.approx(math.sqrt(variance), abs=1e-12)


@pytest.mark.parametrize(("seeds", "power"), [(5, 0.8), (10, 0.8), (20, 0.9)])
def test_the_detectable_difference_agrees_with_statsmodels_where_only_seeds_vary(seeds: int, power: float) -> None:
    expected = expected_estimate(VarianceComponents(seed=0.02**2, image=0, residual=0), seeds, 1_000)
    effect = TTestPower().solve_power(nobs=seeds, alpha=0.05, power=power, alternative="larger")
    two_sided = TTestPower().solve_power(nobs=seeds, alpha=0.05, power=power)
    assert detectable_difference_of(expected, 0.05, power) == pytest.approx(0.02 * two_sided, rel=1e-3)
    assert detectable_difference_of(expected, 0.10, power) == pytest.approx(0.02 * effect, rel=1e-3)


def test_the_certifiable_margin_is_certified_in_80_of_100_simulated_studies() -> None:
    # Seeds only, 8 of them: the mean and the deviation of a normal sample.
    generator = np.random.default_rng(2)
    samples = generator.normal(0, 0.01, (40_000, 8))
    half = -stats.t.ppf(0.05, 7) * samples.std(axis=1, ddof=1) / math.sqrt(8)
    expected = expected_estimate(VarianceComponents(seed=0.01**2, image=0, residual=0), 8, 1_000)
    margin = certifiable_margin_of(expected, 0.05)
    assert (np.abs(samples.mean(axis=1)) + half < margin).mean() == pytest.approx(0.8, abs=0.01)


def test_the_certifiable_margin_is_the_textbooks_with_many_degrees_of_freedom() -> None:
    # Two one-sided tests at a true difference of 0 (Phillips 1990): (z[1 - level] + z[1 - (1 - power) / 2]) errors.
    wide = MeanEstimate(0.0, 0, 0, 0.004, 1e9, 0.95, "crossed")
    wanted = (stats.norm.ppf(0.95) + stats.norm.ppf(0.9)) * 0.004
    assert certifiable_margin_of(wide, 0.05) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("difference", [0.0, 0.012, 0.03])
def test_the_chance_to_decide_is_what_simulated_studies_show(difference: float) -> None:
    seeds, images, margin = 6, 400, 0.02
    truth = VarianceComponents(seed=0.008**2, image=0.05**2, residual=0.15**2)
    generator = np.random.default_rng(1)
    decided = []
    for _ in range(600):
        matrix = (
            difference
            + generator.normal(0, 0.008, (seeds, 1))
            + generator.normal(0, 0.05, (1, images))
            + generator.normal(0, 0.15, (seeds, images))
        )
        found = new_images(matrix)
        half = -stats.t.ppf(0.05, found.degrees_of_freedom) * found.standard_error
        decided.append(found.p_value < 0.05 or abs(found.estimate) + half < margin)
    chance = chance_to_decide(expected_estimate(truth, seeds, images, difference), margin, 0.05, 0.05)
    assert chance == pytest.approx(np.mean(decided), abs=4 * math.sqrt(0.25 / 600))


def test_seeds_needed_decide_and_fewer_do_not() -> None:
    found = seeds_needed(TYPICAL, 3_589, difference=0.012, margin=0.01, level=0.05)
    assert found.seeds is not None

    def chance(seeds: int) -> float:
        return chance_to_decide(expected_estimate(TYPICAL, seeds, 3_589, 0.012), 0.01, 0.05, 0.05)

    assert chance(found.seeds) >= 0.8 > chance(found.seeds - 1)


def test_a_test_set_may_be_too_small_for_any_number_of_seeds() -> None:
    # 100 images of standard deviation 0.3: the mean is uncertain by 3 points, whatever the seeds.
    images_rule = VarianceComponents(seed=0.0, image=0.3**2, residual=0.1**2)
    found = seeds_needed(images_rule, 100, difference=0.02, margin=0.01, level=0.05)
    assert found.seeds is None
    assert found.images is not None
    assert found.images > 1_000
    expected = expected_estimate(images_rule, 1_000, found.images, 0.02)
    assert chance_to_decide(expected, 0.01, 0.05, 0.05) == pytest.approx(0.8, abs=0.001)
    assert seeds_for_margin(images_rule, 100, 0.01, 0.05) is None


def test_no_test_set_decides_a_difference_right_at_the_margin_of_a_tiny_effect() -> None:
    seeds_rule = VarianceComponents(seed=10.0, image=0.0, residual=0.0)
    assert seeds_needed(seeds_rule, 100, difference=0.01, margin=0.01, level=0.05).images is None


def test_the_seeds_for_a_margin_certify_it() -> None:
    seeds = seeds_for_margin(TYPICAL, 3_589, 0.01, 0.05)
    assert seeds is not None
    assert certifiable_margin_of(expected_estimate(TYPICAL, seeds, 3_589), 0.05) <= 0.01
    assert certifiable_margin_of(expected_estimate(TYPICAL, seeds - 1, 3_589), 0.05) > 0.01


def test_without_any_variance_the_number_of_images_is_what_counts() -> None:
    """299 images rule out a point; six that favour one network are p = 2 / 2^6, so that so many must turn up."""
    nothing = VarianceComponents(0, 0, 0)
    few, enough = (expected_estimate(nothing, 10, images) for images in (298, 299))
    assert few.rule == "constant"
    assert chance_to_decide(few, 0.01, 0.05, 0.05) < 0.2 < chance_to_decide(enough, 0.01, 0.05, 0.05)
    assert certifiable_margin_of(few, 0.05) > 0.01 > certifiable_margin_of(enough, 0.05)
    assert stats.binom.sf(5, 299, detectable_difference_of(enough, 0.05)) == pytest.approx(0.8)
    assert seeds_for_margin(nothing, 298, 0.01, 0.05) is None
    assert seeds_for_margin(nothing, 299, 0.01, 0.05) is not None
    assert seeds_for_margin(nothing, 1_000, 0.01, 0.05) == 2  # fewer cannot be compared


def test_what_seven_images_leave_open_wants_images_and_not_seeds() -> None:
    assert seeds_needed(VarianceComponents(0, 0, 0), 7, 0.0, 0.01, 0.05) == SeedsNeeded(None, 299)


@pytest.mark.parametrize(("components", "seeds"), [(TYPICAL, 1), (VarianceComponents(-1, 0, 0), 3)])
def test_impossible_studies_are_refused(components: VarianceComponents, seeds: int) -> None:
    with pytest.raises(ValueError, match="at least"):
        expected_estimate(components, seeds, 100)
