"""The pooled interval is that of statsmodels' linear model."""

from __future__ import annotations

import math

import numpy as np
import pytest
from factor_models import FACTORS, example, reference_model

from fbench.statistics.factors.anova import analysis_of_variance
from fbench.statistics.factors.pooled import pooled_estimate


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (2, 2, 2)])
def test_contrasts_are_those_of_statsmodels(shape: tuple[int, ...]) -> None:
    values = example((*shape, 4))
    variance = analysis_of_variance(values, FACTORS[: len(shape)])
    model = reference_model(values)
    # The model's rows, averaged over the seeds: a contrast of cells is a contrast of its coefficients.
    cells = model.model.exog.reshape(math.prod(shape), 4, -1).mean(axis=1)
    generator = np.random.default_rng(0)
    for _ in range(5):
        weights = generator.normal(size=math.prod(shape))
        weights -= weights.mean()
        expected = model.t_test(weights @ cells)
        found = pooled_estimate(values, variance, weights.tolist())
        assert found.rule == "pooled"
        given = (found.estimate, found.standard_error, found.low, found.high, found.p_value)
        low, high = expected.conf_int()[0]
        wanted = (float(expected.effect[0]), expected.sd.item(), low, high, float(expected.pvalue))
        assert given == pytest.approx(wanted, rel=1e-6, abs=1e-12)


def test_one_seed_has_no_interval() -> None:
    values = example((2, 2, 1))
    found = pooled_estimate(values, analysis_of_variance(values, FACTORS[:2]), [1, -1, 0, 0])
    assert found.rule == "undefined"
    assert math.isnan(found.low)


def test_values_without_chance_are_exact() -> None:
    values = np.repeat(example((2, 2, 1)), 3, axis=-1)
    found = pooled_estimate(values, analysis_of_variance(values, FACTORS[:2]), [1, -1, 0, 0])
    assert found.rule == "constant"
    assert found.low == found.high == found.estimate == pytest.approx(values[0, 0, 0] - values[0, 1, 0])
