"""The distributions of action-unit intensities: they integrate to one, samples follow them, Bayes' rule holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from fbench.benchmark.data.synthetic import expressions
from fbench.benchmark.data.synthetic.action_units import AU_NUMBERS
from fbench.benchmark.data.synthetic.ceiling import bayes_rate
from fbench.benchmark.data.synthetic.expressions import (
    BACKGROUND_PROBABILITIES,
    BACKGROUND_SHAPES,
    CLASS_NAMES,
    EXPRESSIONS,
    LEVEL_PROBABILITIES,
    LEVEL_SHAPES,
    UNIFORMS_PER_IMAGE,
    bayes_posterior,
    sample_intensities,
)


def draw(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    return sample_intensities(labels, np.random.default_rng(seed).random((len(labels), UNIFORMS_PER_IMAGE)))


def kumaraswamy(a: float, median: float) -> tuple[float, float]:
    """Shapes from the median: 1 - (1 - median^a)^b = 1/2."""
    return a, float(np.log(0.5) / np.log(1 - median**a))


def test_the_prototypes_are_the_stated_action_units_in_the_order_of_fer2013() -> None:
    assert EXPRESSIONS == {
        "angry": (4, 5, 7, 23),
        "disgust": (9, 15, 16),
        "fear": (1, 2, 4, 5, 7, 20, 26),
        "happy": (6, 12),
        "sad": (1, 4, 15),
        "surprise": (1, 2, 5, 26),
        "neutral": (),
    }
    assert CLASS_NAMES == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def test_mixture_probabilities_sum_to_one() -> None:
    assert LEVEL_PROBABILITIES.sum() == pytest.approx(1)
    assert BACKGROUND_PROBABILITIES.sum() == pytest.approx(1)


@pytest.mark.parametrize("shape", [*LEVEL_SHAPES, *BACKGROUND_SHAPES], ids=str)
def test_densities_integrate_to_one_with_half_of_it_below_the_median(shape: np.ndarray) -> None:
    def density(x: float) -> float:
        return float(expressions._density(np.array([x]), shape[:1], shape[1:])[0])

    below, above = (integrate.quad(density, *ends, limit=200)[0] for ends in ((0, shape[1]), (shape[1], 1)))
    assert below == pytest.approx(0.5, abs=1e-5)
    assert above == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize(("label", "number"), [(3, 12), (3, 26), (2, 7), (6, 1)])
def test_sampled_intensities_follow_their_mixture(label: int, number: int) -> None:
    targeted = number in EXPRESSIONS[CLASS_NAMES[label]]
    weights = LEVEL_PROBABILITIES if targeted else BACKGROUND_PROBABILITIES
    shapes = [kumaraswamy(*pair) for pair in (LEVEL_SHAPES if targeted else BACKGROUND_SHAPES)]

    def distribution(x: np.ndarray) -> np.ndarray:
        return sum(w * (1 - (1 - x**a) ** b) for w, (a, b) in zip(weights, shapes, strict=True))

    values = draw(np.full(20_000, label))[:, AU_NUMBERS.index(number)]
    assert stats.kstest(values, distribution).pvalue > 1e-3


def test_the_posterior_is_bayes_rule_written_out_for_one_image() -> None:
    intensities = draw(np.array([0, 3, 6]), seed=5)

    def density(x: float, pair: np.ndarray) -> float:
        a, b = kumaraswamy(*pair)
        return float(a * b * x ** (a - 1) * (1 - x**a) ** (b - 1))

    for row, posterior in zip(intensities, bayes_posterior(intensities), strict=True):
        background = [
            sum(w * density(x, pair) for w, pair in zip(BACKGROUND_PROBABILITIES, BACKGROUND_SHAPES, strict=True))
            for x in row
        ]
        joint = []
        for units in EXPRESSIONS.values():
            likelihood = 0.0
            for weight, pair in zip(LEVEL_PROBABILITIES, LEVEL_SHAPES, strict=True):
                factors = [
                    density(x, pair) if number in units else other
                    for number, x, other in zip(AU_NUMBERS, row, background, strict=True)
                ]
                likelihood += weight * float(np.prod(factors))
            joint.append(likelihood)
        np.testing.assert_allclose(posterior, np.array(joint) / sum(joint), rtol=1e-8, atol=1e-12)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=13, max_size=13))
def test_the_posterior_is_a_probability_for_any_intensities(row: list[float]) -> None:
    posterior = bayes_posterior(np.array([row]))
    assert posterior.shape == (1, 7)
    assert np.all(posterior >= 0)
    assert posterior.sum() == pytest.approx(1)


def test_the_posterior_is_calibrated() -> None:
    labels = np.arange(70_000) % 7
    posterior = bayes_posterior(draw(labels, seed=1))
    uncertain = posterior[:, 6]
    for low, high in ((0.1, 0.4), (0.4, 0.7), (0.7, 0.95)):
        chosen = (uncertain > low) & (uncertain < high)
        error = 4 * np.sqrt(0.25 / chosen.sum())
        assert (labels[chosen] == 6).mean() == pytest.approx(uncertain[chosen].mean(), abs=error)


def test_the_bayes_rate_is_well_above_chance_and_at_most_96_percent() -> None:
    overall, *classes = bayes_rate(70_000, np.random.default_rng(0))
    assert overall.class_name == "all"
    assert 0.90 < overall.rate + 4 * overall.standard_error < 0.96
    assert [row.class_name for row in classes] == list(CLASS_NAMES)
    mean_recall = np.mean([row.rate for row in classes])
    spread = 4 * np.sqrt(overall.rate * (1 - overall.rate) / 70_000)
    assert mean_recall == pytest.approx(overall.rate, abs=spread)
