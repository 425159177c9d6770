"""The probability of the front, where it is known by reason."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbench.statistics.many.front import front_probability, on_front
from fbench.statistics.many.mean_accuracies import MeanAccuracies, with_common_seeds
from fbench.statistics.many.pareto import pareto_front


def independent(means: list[float], errors: list[float], freedom: float = 1e6) -> MeanAccuracies:
    return MeanAccuracies(np.array(means), np.diag(np.square(errors)), freedom, "own")


@given(
    st.lists(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 5)), min_size=6, max_size=6), min_size=1, max_size=5)
)
def test_the_front_of_many_sets_at_once_is_that_of_each(sets: list[list[tuple[int, int]]]) -> None:
    costs, gains = np.array(sets, dtype=float).transpose(2, 0, 1)
    expected = [pareto_front(*pair) for pair in zip(costs, gains, strict=True)]
    assert (on_front(costs, gains) == expected).all()


def test_of_two_equal_networks_the_cheaper_is_always_on_the_front_and_the_dearer_half_the_time() -> None:
    found = front_probability(independent([0.6, 0.6], [0.01, 0.01]), [1.0, 2.0])
    assert found.probability[0] == 1
    assert found.probability[1] == pytest.approx(0.5, abs=4 * found.monte_carlo_error[1])
    assert found.monte_carlo_error[1] == pytest.approx(0.005, rel=0.01)
    assert found.on_front.tolist() == [True, False]


def test_a_dearer_network_is_on_the_front_as_often_as_it_is_the_better() -> None:
    found = front_probability(independent([0.60, 0.62], [0.01, 0.01], freedom=5), [1.0, 2.0], draws=40_000)
    # The difference is t with 5 degrees of freedom: P(t > -0.02 / (0.01 sqrt 2)) = 0.8918.
    assert found.probability[1] == pytest.approx(0.8918, abs=0.006)


def test_over_data_with_no_difference_the_dearer_is_on_the_front_half_the_time() -> None:
    generator = np.random.default_rng(3)
    shares = []
    for _ in range(60):
        difficulty = generator.normal(size=200)
        luck = 0.1 * generator.normal(size=(2, 4, 1))
        correct = difficulty + luck + generator.normal(size=(2, 4, 200)) > -0.3
        shares.append(front_probability(with_common_seeds(correct), [1.0, 2.0], draws=1_000).probability)
    cheaper, dearer = np.mean(shares, axis=0)
    assert cheaper == 1
    assert dearer == pytest.approx(0.5, abs=0.15)  # 60 studies: each share is about uniform, 0.29 / sqrt(60) = 0.037


def test_networks_with_the_same_answers_are_beaten_by_the_cheaper_and_share_the_front_at_equal_cost() -> None:
    one = np.random.default_rng(0).random((3, 80)) > 0.4
    joint = with_common_seeds(np.array([one, one]))
    assert front_probability(joint, [1.0, 2.0]).probability.tolist() == [1.0, 0.0]
    assert front_probability(joint, [1.0, 1.0]).probability.tolist() == [1.0, 1.0]


def test_an_uncertain_cost_shares_the_front() -> None:
    accuracies = independent([0.7, 0.6], [1e-6, 1e-6])
    certain = front_probability(accuracies, [1.0, 1.0])
    assert certain.probability.tolist() == [1.0, 0.0]
    found = front_probability(accuracies, [1.0, 1.0], [0.1, 0.1])
    assert found.probability[0] == 1
    assert found.probability[1] == pytest.approx(0.5, abs=0.02)


def test_equal_seeds_give_equal_draws() -> None:
    accuracies = independent([0.6, 0.61, 0.62], [0.01] * 3)
    first, again = (front_probability(accuracies, [1, 2, 3], seed=4).probability for _ in range(2))
    assert (first == again).all()
    assert (first != front_probability(accuracies, [1, 2, 3], seed=5).probability).any()


def test_what_does_not_fit_is_refused() -> None:
    accuracies = independent([0.6, 0.61], [0.01, 0.01])
    with pytest.raises(ValueError, match="do not pair"):
        front_probability(accuracies, [1.0])
    with pytest.raises(ValueError, match="not measured"):
        front_probability(accuracies, [1.0, np.nan])
    with pytest.raises(ValueError, match="not measured"):
        front_probability(accuracies, [1.0, 2.0], [0.1, -1.0])
    with pytest.raises(ValueError, match="take at least 1"):
        front_probability(accuracies, [1.0, 2.0], draws=0)
