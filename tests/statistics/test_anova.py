"""The analysis of variance against statsmodels, a textbook's table, and its edge cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from factor_models import FACTORS, example, reference_model
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.oneway import confint_noncentrality

from fbench.statistics.factors.anova import analysis_of_variance, eta_squared_interval

SHAPES = [(2, 2, 5), (2, 3, 4), (3, 2, 2), (2, 2, 2, 6), (2, 3, 2, 3), (4, 10)]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_table_is_that_of_statsmodels(shape: tuple[int, ...]) -> None:
    values = example(shape)
    found = analysis_of_variance(values, FACTORS[: len(shape) - 1])
    table = anova_lm(reference_model(values))
    for row in found.effects:
        expected = table.loc[":".join(f"C({factor})" for factor in row.factors)]
        given = (row.degrees_of_freedom, row.sum_of_squares, row.mean_square, row.f, row.p_value)
        assert given == pytest.approx(tuple(expected[["df", "sum_sq", "mean_sq", "F", "PR(>F)"]]), rel=1e-6)
        share = expected["sum_sq"] / (expected["sum_sq"] + table.loc["Residual", "sum_sq"])
        assert row.partial_eta_squared.estimate == pytest.approx(share, rel=1e-6)
    assert found.seed.f == pytest.approx(table.loc["C(seed)", "F"], rel=1e-6)
    assert found.seed.degrees_of_freedom == table.loc["C(seed)", "df"]
    assert found.residual_degrees_of_freedom == table.loc["Residual", "df"]
    assert found.residual_sum_of_squares == pytest.approx(table.loc["Residual", "sum_sq"], rel=1e-6)
    assert found.residual_mean_square == pytest.approx(table.loc["Residual", "mean_sq"], rel=1e-6)
    assert len(found.effects) == len(table) - 2


def test_the_vascular_grafts_of_the_textbook() -> None:
    """Montgomery, Design and Analysis of Experiments: four pressures, six batches of resin as blocks."""
    grafts = [
        [90.3, 89.2, 98.2, 93.9, 87.4, 97.9],
        [92.5, 89.5, 90.6, 94.7, 87.0, 95.8],
        [85.5, 90.8, 89.6, 86.2, 88.0, 93.4],
        [82.5, 89.5, 85.6, 87.4, 78.9, 90.7],
    ]
    found = analysis_of_variance(grafts, ["pressure"])
    (pressure,) = found.effects
    assert pressure.sum_of_squares == pytest.approx(178.17, abs=0.005)
    assert found.seed.sum_of_squares == pytest.approx(192.25, abs=0.005)
    assert found.residual_sum_of_squares == pytest.approx(109.89, abs=0.005)
    assert pressure.f == pytest.approx(8.11, abs=0.005)
    assert pressure.p_value == pytest.approx(0.0019, abs=5e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 3), st.integers(2, 4), st.integers(1, 5), st.integers(0, 10**6))
def test_the_parts_add_up_to_the_whole(first: int, second: int, seeds: int, random_seed: int) -> None:
    values = example((first, second, seeds), random_seed)
    found = analysis_of_variance(values, ["a", "b"])
    parts = [*found.effects, found.seed]
    assert sum(row.sum_of_squares for row in parts) + found.residual_sum_of_squares == pytest.approx(
        ((values - values.mean()) ** 2).sum(), rel=1e-9
    )
    assert sum(row.degrees_of_freedom for row in parts) + found.residual_degrees_of_freedom == values.size - 1


@pytest.mark.parametrize(("f", "numerator", "denominator"), [(11.2213, 4, 50), (5.0, 1, 6), (1.3, 2, 22), (900, 1, 9)])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_the_interval_of_eta_squared_inverts_the_noncentral_f(
    f: float, numerator: int, denominator: int, confidence: float
) -> None:
    found = eta_squared_interval(f, numerator, denominator, confidence)
    total = numerator + denominator + 1
    for end, probability in ((found.low, (1 + confidence) / 2), (found.high, (1 - confidence) / 2)):
        if end > 0:
            assert mixture(f, numerator, denominator, end * total / (1 - end)) == pytest.approx(probability, rel=1e-6)
        else:
            assert stats.f.cdf(f, numerator, denominator) <= probability
    low, high = confint_noncentrality(f, (numerator, denominator), alpha=1 - confidence)
    # statsmodels inverts with scipy's ncfdtrinc, which stops at about four digits.
    assert (found.low, found.high) == pytest.approx((low / (low + total), high / (high + total)), rel=1e-3, abs=1e-6)


def mixture(f: float, numerator: int, denominator: int, noncentrality: float) -> float:
    """The noncentral F distribution by its definition: central beta distributions, weighted by a Poisson's."""
    terms = np.arange(int(noncentrality + 40 * math.sqrt(noncentrality + 1)))
    share = numerator * f / (numerator * f + denominator)
    weights = stats.poisson.pmf(terms, noncentrality / 2)
    return float(weights @ stats.beta.cdf(share, numerator / 2 + terms, denominator / 2))


def test_the_lower_end_leaves_zero_where_f_is_significant_at_half_of_alpha() -> None:
    just_below, just_above = (stats.f.isf(0.025 * factor, 2, 12) for factor in (1.01, 0.99))
    assert eta_squared_interval(just_below, 2, 12).low == 0
    assert eta_squared_interval(just_above, 2, 12).low > 0


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1e7), st.integers(1, 6), st.integers(1, 300))
def test_the_interval_lies_between_nothing_and_everything(f: float, numerator: int, denominator: int) -> None:
    found = eta_squared_interval(f, numerator, denominator)
    assert 0 <= found.low <= found.high <= 1


def test_one_seed_leaves_no_residual() -> None:
    found = analysis_of_variance(example((2, 2, 1)), ["a", "b"])
    assert found.residual_degrees_of_freedom == 0
    assert math.isnan(found.residual_mean_square)
    for row in found.effects:
        assert row.sum_of_squares > 0
        assert math.isnan(row.f)
        assert math.isnan(row.p_value)
        assert math.isnan(row.partial_eta_squared.low)


def test_equal_results_have_no_f() -> None:
    found = analysis_of_variance(np.full((2, 2, 4), 0.7), ["a", "b"])
    assert found.residual_mean_square == 0
    assert [row.sum_of_squares for row in found.effects] == [0, 0, 0]
    assert all(math.isnan(row.f) and math.isnan(row.p_value) for row in (*found.effects, found.seed))


def test_an_effect_without_any_chance_has_no_p_value() -> None:
    values = np.full((2, 2, 3), 0.7)
    values[1] = 0.8
    found = analysis_of_variance(values, ["a", "b"])
    main, other, interaction = found.effects
    assert main.f == math.inf
    assert math.isnan(main.p_value)
    assert math.isnan(main.partial_eta_squared.low)
    assert math.isnan(other.f)
    assert math.isnan(interaction.f)


def test_rounding_is_small_beside_the_largest_result_though_another_is_zero() -> None:
    """0, 0.1, 0.2 and 0.3 do not interact, though 0.3 - 0.2 - 0.1 is not 0 in binary."""
    values = np.broadcast_to(np.array([[0.0, 0.1], [0.2, 0.3]])[..., None], (2, 2, 3))
    a, b, interaction = analysis_of_variance(values, ["a", "b"]).effects
    squares = (a.sum_of_squares, b.sum_of_squares, interaction.sum_of_squares)
    assert squares == (pytest.approx(0.12), pytest.approx(0.03), 0.0)  # 12 (0.2 / 2)^2 and 12 (0.1 / 2)^2


def test_with_a_step_the_residual_is_that_of_one_training_that_differs_by_it() -> None:
    values = np.full((2, 2, 3), 0.7)
    values[1] = 0.8
    differing = values.copy()
    differing[0, 1, 2] += 0.05
    found = analysis_of_variance(values, ["a", "b"], step=0.05)
    assert found.residual_mean_square == pytest.approx(analysis_of_variance(differing, ["a", "b"]).residual_mean_square)
    assert found.effects[0].f == pytest.approx(12 * 0.05**2 / found.residual_mean_square)


def test_a_value_that_is_not_a_number_is_named() -> None:
    values = example((2, 2, 3))
    values[1, 0, 2] = np.nan
    with pytest.raises(ValueError, match="a 1, b 0, seed 2 is nan"):
        analysis_of_variance(values, ["a", "b"])


@pytest.mark.parametrize(
    ("shape", "factors"), [((2, 2, 3), ["a"]), ((2, 1, 3), ["a", "b"]), ((2, 2, 0), ["a", "b"]), ((2, 3), ["a", "b"])]
)
def test_axes_that_do_not_fit_the_factors_are_refused(shape: tuple[int, ...], factors: list[str]) -> None:
    with pytest.raises(ValueError, match="give an axis of at least two levels for each factor"):
        analysis_of_variance(np.ones(shape), factors)


def test_a_factor_named_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="name at least one, each once"):
        analysis_of_variance(np.ones((2, 2, 3)), ["a", "a"])
