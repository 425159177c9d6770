from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.api import OLS

from fbench.statistics.prediction import predict_mean, predict_one

SAMPLE = [0.61, 0.63, 0.60, 0.64, 0.62, 0.615]


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_the_interval_is_that_of_one_more_observation_of_a_regression_on_a_constant(confidence: float) -> None:
    found = predict_one(SAMPLE, confidence, step=0.001)
    fitted = OLS(SAMPLE, np.ones(len(SAMPLE))).fit().get_prediction([1.0])
    low, high = fitted.conf_int(obs=True, alpha=1 - confidence)[0]
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert found.mean == pytest.approx(fitted.predicted_mean[0], abs=1e-12)


def test_worked_by_hand() -> None:
    """Mean 4, deviation 2, n = 4: 4 +- 3.182 * 2 * sqrt(1.25) and 4 + 2.353 * 2 * sqrt(1.25) (tables of t)."""
    found = predict_one([4 - math.sqrt(3), 4 - math.sqrt(3), 4 + math.sqrt(3), 4 + math.sqrt(3)], step=1)
    assert found.high == pytest.approx(4 + 3.182 * 2 * math.sqrt(1.25), abs=2e-3)
    assert found.upper == pytest.approx(4 + 2.353 * 2 * math.sqrt(1.25), abs=2e-3)


def test_the_chance_to_reach_is_the_tail_of_t() -> None:
    found = predict_one(SAMPLE, step=0.001)
    scale = np.std(SAMPLE, ddof=1) * math.sqrt(1 + 1 / len(SAMPLE))
    for target in (0.55, 0.62, 0.66):
        assert found.chance_to_reach(target) == pytest.approx(
            stats.t.sf((target - np.mean(SAMPLE)) / scale, len(SAMPLE) - 1), abs=1e-9
        )
    assert found.chance_to_reach(found.upper) == pytest.approx(0.05, abs=1e-9)


def test_new_trainings_stay_below_the_upper_bound_as_often_as_it_says() -> None:
    draws = np.random.default_rng(3).normal(size=(4_000, 6))
    below = [float(row[-1]) < predict_one(row[:-1], step=1e-9).upper for row in draws]
    assert 0.935 < np.mean(below) < 0.965  # Monte Carlo error of 4,000 tries: 0.0034


@pytest.mark.parametrize("equal", [[0.6, 0.6, 0.6], [0.1 + 0.2, 0.3, 0.3]])  # the latter but for rounding
def test_equal_trainings_are_spread_as_if_one_differed_by_an_image(equal: list[float]) -> None:
    """On 20 images: values of which one of three differs by 0.05 have the deviation 0.05 / sqrt(3)."""
    found = predict_one(equal, step=1 / 20)
    assert found.deviation == pytest.approx(0.05 / math.sqrt(3) * math.sqrt(1 + 1 / 3))
    assert found.high == pytest.approx(equal[1] + stats.t.ppf(0.975, 2) * found.deviation)
    assert found.chance_to_reach(equal[1]) == pytest.approx(0.5)
    assert 0 < found.chance_to_reach(equal[1] + 0.3) < 0.05


@pytest.mark.parametrize("values", [[0.5], [], [0.5, math.nan], [[0.1, 0.2]]])
def test_bad_input_is_told_in_a_sentence(values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least two finite values"):
        predict_one(values, step=0.01)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12), st.floats(-1, 2))
def test_the_chance_is_a_probability_that_falls_with_the_target(values: list[float], target: float) -> None:
    found = predict_one(values, step=0.01)
    assert 0 <= found.chance_to_reach(target + 0.1) <= found.chance_to_reach(target) <= 1


def test_the_mean_of_predictions_has_their_variances_and_degrees_of_freedom_after_satterthwaite() -> None:
    parts = [predict_one(SAMPLE, step=0.001), predict_one([0.9, 0.92, 0.95], step=0.001)]
    found = predict_mean(parts)
    variances = [np.var(values, ddof=1) * (1 + 1 / len(values)) / 4 for values in (SAMPLE, [0.9, 0.92, 0.95])]
    freedom = sum(variances) ** 2 / (variances[0] ** 2 / 5 + variances[1] ** 2 / 2)
    assert found.mean == pytest.approx((np.mean(SAMPLE) + np.mean([0.9, 0.92, 0.95])) / 2)
    assert found.degrees_of_freedom == pytest.approx(freedom)
    assert found.high - found.mean == pytest.approx(stats.t.ppf(0.975, freedom) * math.sqrt(sum(variances)))
    assert predict_mean(parts[:1]) == parts[0]
    with pytest.raises(ValueError, match="no prediction"):
        predict_mean([])


def test_the_sampling_error_of_other_images_widens_a_prediction() -> None:
    plain = predict_one(SAMPLE, step=0.001)
    found = plain.with_sampling(0.02)
    assert found.deviation == pytest.approx(math.hypot(plain.deviation, 0.02))
    assert found.degrees_of_freedom == pytest.approx(5 * (found.deviation / plain.deviation) ** 4)
    assert found.chance_to_reach(plain.mean) == pytest.approx(0.5)
    assert found.chance_to_reach(0.66) > plain.chance_to_reach(0.66)
