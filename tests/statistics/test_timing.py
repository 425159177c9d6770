from __future__ import annotations

import math

import numpy as np
import pytest

from fbench.statistics.timing import design_effect, time_quantile, time_ratio, turn_log_times


def test_turns_are_medians_and_a_ratio_is_paired_within_turns() -> None:
    """Machine twice as slow in every second block: times differ wildly, the ratio is 1.1 in each turn."""
    pace = np.array([1.0, 2.0] * 6)
    blocks, turns = np.arange(12), np.zeros(12, dtype=int)
    theirs, ours = turn_log_times(pace, blocks, turns), turn_log_times(1.1 * pace, blocks, turns)
    found = time_ratio(ours, theirs)
    assert found.ratio == pytest.approx(1.1)
    assert found.blocks == 12


def test_equal_ratios_are_known_to_a_step_of_the_clock() -> None:
    """A clock of 10 us: 1.00 and 2.00 ms against 1.02 and 2.04 ms; the least step seen is that from 2.00 to 2.04."""
    pace = np.array([100.0, 200.0] * 6)
    blocks, turns = np.arange(12), np.zeros(12, dtype=int)
    found = time_ratio(turn_log_times(1.02 * pace, blocks, turns), turn_log_times(pace, blocks, turns))
    assert (found.low, found.high) == (pytest.approx(1.0), pytest.approx(1.02**2))
    assert found.largest_difference == pytest.approx(1.02**2 - 1)


def test_equal_times_say_nothing_of_their_difference() -> None:
    logs = turn_log_times(np.full(12, 1e-3), np.arange(12), np.zeros(12, dtype=int))
    found = time_ratio(logs, dict(logs))
    assert (found.ratio, found.low, found.high, found.p_value) == (1.0, 0.0, math.inf, 1.0)
    assert not found.decided
    assert math.isinf(found.largest_difference)
    quantile = time_quantile(np.full(12, 1e-3), np.arange(12), 0.5)
    assert (quantile.time_s, quantile.low_s, quantile.high_s) == (1e-3, 0.0, math.inf)


def test_the_median_of_a_turn_passes_over_a_wild_call() -> None:
    logs = turn_log_times([1.0, 1.0, 50.0, 2.0], [0, 0, 0, 1], [0, 0, 0, 0])
    assert logs == {(0, 0): 0.0, (1, 0): pytest.approx(math.log(2))}


@pytest.mark.slow
def test_equal_calls_are_called_different_at_most_as_often_as_the_level_says() -> None:
    generator = np.random.default_rng(1)
    blocks, turns = np.repeat(np.arange(12), 4), np.tile(np.arange(4), 12)
    alarms = 0
    for _ in range(1000):
        weather = np.exp(np.repeat(generator.standard_t(2, 12), 4))
        one, two = (turn_log_times(weather * generator.lognormal(0, 0.1, 48), blocks, turns) for _ in range(2))
        alarms += time_ratio(one, two).decided
    assert alarms <= 70  # 50 are expected, 70 are exceeded once in 500 times


def test_blocks_to_tell_follow_the_square_root_law() -> None:
    generator = np.random.default_rng(2)
    blocks, turns = np.arange(40), np.zeros(40, dtype=int)
    found = time_ratio(*(turn_log_times(generator.lognormal(0, 0.05, 40), blocks, turns) for _ in range(2)))
    half = max(math.log(found.high / found.ratio), math.log(found.ratio / found.low))
    assert found.blocks_to_tell(math.expm1(half / 2)) == pytest.approx(160, abs=1)


def test_calls_without_a_common_turn_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="no turn in common"):
        time_ratio({(0, 0): 0.0}, {(1, 0): 0.0})


def test_an_independent_sample_has_the_binomial_interval_of_its_median() -> None:
    """Of 100 ordered values the exact 95 % interval of the median is the 40th to the 61st."""
    found = time_quantile(np.arange(1.0, 101.0), np.arange(100), 0.5)
    assert found.independent_samples == pytest.approx(100, abs=1)
    assert found.low_s == pytest.approx(40, abs=1)
    assert found.high_s == pytest.approx(61, abs=1)


def test_a_sample_too_small_to_bound_a_quantile_says_so() -> None:
    found = time_quantile(np.arange(1.0, 51.0), np.arange(50), 0.99)
    assert math.isinf(found.high_s)


def test_clustered_values_are_worth_fewer() -> None:
    """Blocks whose values are all alike: ten calls are worth one, so the design effect is about ten."""
    blocks = np.repeat(np.arange(100), 10)
    marked = np.repeat(np.random.default_rng(0).random(100) < 0.5, 10)
    assert design_effect(marked, blocks) == pytest.approx(10, rel=0.05)
    assert design_effect(np.ones(1000, dtype=bool), blocks) == 1
