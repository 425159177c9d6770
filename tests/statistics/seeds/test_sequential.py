from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fbench.statistics.estimands import MeanEstimate, new_images
from fbench.statistics.seeds.power import (
    VarianceComponents,
    chance_to_decide,
    expected_estimate,
    variance_components,
)
from fbench.statistics.seeds.sequential import (
    AnalysisLevels,
    AnalysisResult,
    analysis_levels,
    analysis_seeds,
    judge_analysis,
    nominal_levels,
    spent,
)


@pytest.mark.parametrize(
    ("shares", "bounds"),
    [
        # Published bounds for two-sided 5 % by the spending function of Lan and DeMets that is like O'Brien-Fleming's
        # (Reboussin, DeMets, Kim, Lan 2000, Controlled Clinical Trials 21, 190-207).
        ([0.2, 0.4, 0.6, 0.8, 1.0], [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
        ([0.5, 1.0], [2.9626, 1.9686]),
        ([1.0], [1.9600]),
    ],
)
def test_bounds_are_the_published_ones(shares: list[float], bounds: list[float]) -> None:
    found = [-stats.norm.ppf(level / 2) for level in nominal_levels(shares, 0.05)]
    assert found == pytest.approx(bounds, abs=2e-4)


@settings(max_examples=25)
@given(st.floats(0.001, 0.2), st.integers(2, 40))
@pytest.mark.slow
def test_analyses_spend_the_level_and_no_more(level: float, max_seeds: int) -> None:
    found = analysis_levels(max_seeds, level)
    assert [one.seeds for one in found] == list(analysis_seeds(max_seeds))
    assert all(0 < one.different <= level * (1 + 1e-9) for one in found)
    assert spent(1.0, level) == pytest.approx(level)
    assert sum(one.different for one in found) >= level * 0.999  # looks overlap


def test_brownian_motion_crosses_as_often_as_stated() -> None:
    generator = np.random.default_rng(0)
    steps = generator.normal(size=(200_000, 4))
    statistics = np.cumsum(steps, axis=1) / np.sqrt([1, 2, 3, 4])
    levels = nominal_levels([0.25, 0.5, 0.75, 1.0], 0.05)
    crossed = (2 * stats.norm.sf(np.abs(statistics)) < levels).any(axis=1).mean()
    assert crossed == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 200_000))


@pytest.mark.parametrize(("max_seeds", "analyses"), [(20, (5, 10, 15, 20)), (12, (5, 10, 12)), (4, (4,)), (5, (5,))])
def test_analyses_are_every_five_seeds_and_at_the_last(max_seeds: int, analyses: tuple[int, ...]) -> None:
    assert analysis_seeds(max_seeds) == analyses


@pytest.mark.parametrize("level", [0.05, 0.4])
def test_a_single_analysis_may_spend_the_whole_level(level: float) -> None:
    (found,) = analysis_levels(5, level)
    assert (found.seeds, found.different, found.equivalent) == (5, pytest.approx(level), pytest.approx(level))


def judged(matrix: npt.NDArray[np.float64], index: int, margin: float = 0.01, max_seeds: int = 20) -> AnalysisResult:
    return judge_analysis(
        new_images(matrix),
        variance_components(matrix),
        matrix.shape[1],
        margin,
        analysis_levels(max_seeds, 0.05),
        index,
    )


def noise(seeds: int, mean: float, seed: float, image: float, residual: float) -> npt.NDArray[np.float64]:
    """Differences around ``mean`` with these standard deviations; each part is centred, so that the mean is exact."""
    generator = np.random.default_rng(7)
    parts = [generator.normal(0, 1, shape) for shape in ((seeds, 1), (1, 500), (seeds, 500))]
    centred = [part - part.mean() for part in parts]
    return np.asarray(mean + seed * centred[0] + image * centred[1] + residual * centred[2])


def test_a_large_difference_stops_and_its_repeated_interval_is_wider_than_the_usual_one() -> None:
    matrix = noise(10, 0.1, 0.01, 0.05, 0.1)
    found, usual = judged(matrix, 1), new_images(matrix)
    assert (found.verdict, found.futile, found.chance_to_decide) == ("better", False, 1.0)
    assert 0 < found.low < usual.low
    assert judged(-matrix, 1).verdict == "worse"


def test_equal_networks_are_certified_as_equivalent_and_stop() -> None:
    assert judged(noise(10, 0.0, 0.001, 0.01, 0.02), 1).verdict == "equivalent"


def test_where_images_rule_more_seeds_are_futile() -> None:
    found = judged(noise(5, 0.0, 0.0, 1.0, 0.05), 0)
    assert (found.verdict, found.futile) == ("undecided", True)
    assert found.chance_to_decide < 0.05


def test_where_seeds_rule_one_goes_on() -> None:
    found = judged(noise(5, 0.01, 0.02, 0.0, 0.05), 0)
    assert (found.verdict, found.futile) == ("undecided", False)
    assert found.chance_to_decide > 0.05


def test_the_last_analysis_is_not_called_futile() -> None:
    found = judged(noise(20, 0.0, 0.0, 1.0, 0.05), 3)
    assert (found.verdict, found.futile, found.chance_to_decide) == ("undecided", False, 0.0)


def certain(estimate: float, error: float) -> MeanEstimate:
    """An estimate with so many degrees of freedom that Student's t is the normal distribution to ten digits."""
    reach = 1.96 * error
    return MeanEstimate(estimate, estimate - reach, estimate + reach, error, 1e12, 0.95, "crossed")


COMPONENTS = VarianceComponents(seed=1e-4, image=0.0, residual=0.05)
LEVELS = (AnalysisLevels(5, 0.01, 0.02), AnalysisLevels(10, 0.03, 0.04))


@pytest.mark.parametrize(
    ("index", "p_value", "verdict"),
    [(0, 0.0099, "better"), (0, 0.0101, "undecided"), (1, 0.0299, "better"), (1, 0.0301, "undecided")],
)
def test_an_analysis_finds_a_difference_at_its_own_level(index: int, p_value: float, verdict: str) -> None:
    z = float(stats.norm.isf(p_value / 2))
    for sign in (1.0, -1.0):
        found = judge_analysis(certain(sign * z, 1.0), COMPONENTS, 500, 1e-3, LEVELS, index)
        assert found.verdict == ("worse" if verdict == "better" and sign < 0 else verdict)
        assert found.p_value == pytest.approx(p_value, rel=1e-6)
        half = float(stats.norm.isf(LEVELS[index].different / 2))
        assert (found.low, found.high) == pytest.approx((sign * z - half, sign * z + half), rel=1e-6)
        assert found.seeds == LEVELS[index].seeds


@pytest.mark.parametrize(
    ("index", "p_value", "verdict"),
    [(0, 0.0199, "equivalent"), (0, 0.0201, "undecided"), (1, 0.0399, "equivalent"), (1, 0.0401, "undecided")],
)
def test_an_analysis_certifies_equivalence_at_its_own_level(index: int, p_value: float, verdict: str) -> None:
    margin = float(stats.norm.isf(p_value))
    found = judge_analysis(certain(0.0, 1.0), COMPONENTS, 500, margin, LEVELS, index)
    assert found.verdict == verdict
    assert found.p_equivalent == pytest.approx(p_value, rel=1e-6)


def test_an_analysis_finds_a_difference_before_it_certifies_equivalence_and_nothing_where_neither_learned() -> None:
    both = certain(4.0, 1.0)  # within a margin of 100, and far from 0
    assert judge_analysis(both, COMPONENTS, 500, 100.0, LEVELS, 0).verdict == "better"
    collapsed = judge_analysis(both, COMPONENTS, 500, 100.0, LEVELS, 0, neither_learned=True)
    assert collapsed.verdict == "undecided"


def test_the_chance_to_decide_is_that_of_the_last_analysis_at_what_the_last_may_spend() -> None:
    """Between analyses the mean moves by the chance of the seeds to come: variance (seed + residual / C) (1/5 -
    1/10)."""
    estimate = certain(0.01, 0.006)
    first, last = LEVELS
    found = judge_analysis(estimate, COMPONENTS, 500, 1e-3, (first, AnalysisLevels(8, 0.005, 0.006), last), 0)
    spread = math.sqrt((1e-4 + 0.05 / 500) * (1 / 5 - 1 / 10))
    then = expected_estimate(COMPONENTS, 10, 500, 0.01)
    wanted = chance_to_decide(then, 1e-3, 0.03, 0.04, spread)
    assert 0.05 < wanted < 0.95
    assert found.chance_to_decide == pytest.approx(wanted, rel=1e-12)
    assert not found.futile


def test_impossible_plans_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        analysis_seeds(1)
    for level in (0.0, 0.5, 0.7):
        with pytest.raises(ValueError, match=rf"level of {level} is not possible; give a number between 0 and 0\.5"):
            analysis_levels(20, level)


def test_a_verdict_wants_the_trainings_that_learned_and_all_to_say_the_same() -> None:
    far, near = certain(9.0, 1.0), certain(0.0, 1.0)
    both = judge_analysis(far, COMPONENTS, 500, 1e-3, LEVELS, 0, with_collapsed=far)
    assert (both.verdict, both.learned_verdict) == ("better", "better")
    doubtful = judge_analysis(far, COMPONENTS, 500, 1e-3, LEVELS, 0, with_collapsed=near)
    assert (doubtful.verdict, doubtful.learned_verdict, doubtful.futile) == ("undecided", "better", False)
    assert judge_analysis(far, COMPONENTS, 500, 1e-3, LEVELS, 0).learned_verdict is None
