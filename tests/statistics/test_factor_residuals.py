"""Residual checks against scipy and statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from factor_models import example, reference_model
from scipy import stats

from fbench.statistics.factors.anova import residuals
from fbench.statistics.factors.design import CrossedDesign
from fbench.statistics.factors.residuals import brown_forsythe, check_residuals

DESIGN = CrossedDesign(("a", "b"), (("a0", "a1"), ("b0", "b1")), ("one", "two", "three", "four"))


@pytest.mark.parametrize("random_seed", [1, 2, 3])
def test_the_checks_are_those_of_scipy_and_statsmodels(random_seed: int) -> None:
    values = example((2, 2, 5), random_seed)
    found = check_residuals(values, DESIGN, (10, 11, 12, 13, 14))
    model = reference_model(values)
    assert found.standard_deviation == pytest.approx(math.sqrt(model.mse_resid), rel=1e-6)

    assert found.normality is not None
    shapiro = stats.shapiro(model.resid)
    assert (found.normality.statistic, found.normality.p_value) == pytest.approx(tuple(shapiro), rel=1e-6)

    assert found.equal_spread is not None
    levene = stats.levene(*np.asarray(model.resid).reshape(4, 5), center="median")
    assert (found.equal_spread.statistic, found.equal_spread.p_value) == pytest.approx(tuple(levene), rel=1e-6)

    assert found.largest is not None
    outliers = model.outlier_test().to_numpy()
    place = int(np.argmax(np.abs(outliers[:, 0])))
    assert found.largest.cell == DESIGN.cells[place // 5]
    assert found.largest.seed == 10 + place % 5
    assert found.largest.residual == pytest.approx(np.asarray(model.resid)[place], rel=1e-6)
    assert (found.largest.studentised, found.largest.p_value) == pytest.approx(tuple(outliers[place, [0, 2]]), rel=1e-6)


def test_a_training_that_went_wrong_is_named() -> None:
    values = example((2, 2, 6))
    values[1, 0, 3] -= 0.3
    largest = check_residuals(values, DESIGN, tuple(range(6))).largest
    assert largest is not None
    assert (largest.cell, largest.seed) == ("three", 3)
    assert largest.residual < 0
    assert largest.p_value < 0.001


def test_a_single_deviation_from_an_exact_model_is_infinitely_far() -> None:
    values = np.full((2, 2, 4), 0.5)
    values[0, 1, 2] = 0.6
    largest = check_residuals(values, DESIGN, (0, 1, 2, 3)).largest
    assert largest is not None
    assert (largest.cell, largest.seed, largest.studentised, largest.p_value) == ("two", 2, math.inf, 0)


def test_one_seed_and_equal_results_have_nothing_to_check() -> None:
    one = check_residuals(example((2, 2, 1)), DESIGN, (0,))
    assert math.isnan(one.standard_deviation)
    equal = check_residuals(np.full((2, 2, 3), 0.5), DESIGN, (0, 1, 2))
    assert equal.standard_deviation == 0
    for found in (one, equal):
        assert (found.normality, found.equal_spread, found.largest) == (None, None, None)


def test_two_seeds_allow_no_test_of_spread_and_each_residual_has_a_twin() -> None:
    values = example((2, 2, 2))
    found = check_residuals(values, DESIGN, (4, 5))
    assert found.equal_spread is None
    assert found.largest is not None
    assert found.largest.seed == 4
    assert residuals(values)[..., 0] == pytest.approx(-residuals(values)[..., 1])


def test_distances_without_spread_are_handled() -> None:
    assert math.isnan(brown_forsythe(np.array([[0.0, 1, 2, 3], [0.0, 1, 2, 3]]) * 0).statistic)
    found = brown_forsythe(np.array([[0.0, 0, 1, 1], [0.0, 0, 2, 2]]))
    assert math.isinf(found.statistic)
    assert math.isnan(found.p_value)  # distances that never vary have no known chance


def test_values_that_do_not_fit_the_design_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 2, 3\); the design and its seeds ask for \(2, 2, 2\)"):
        check_residuals(example((2, 2, 3)), DESIGN, (0, 1))
