"""Looking at the results before all seeds are trained, without fooling oneself.

Interim analyses are fixed beforehand, at 5, 10, 15, ... seeds. At each, a comparison may stop; the chance of a false
finding at any interim analysis is spent by the function of Lan and DeMets (1983, Biometrika 70, 659-663) that resembles
O'Brien and Fleming's bounds, in proportion to the seeds trained. The test at an interim analysis is that of the crossed
random effects model at the level that the interim analysis may spend (Jennison, Turnbull 2000, Group Sequential
Methods, sections 3.8 and 7.2); the interval at that level is the repeated confidence interval (chapter 9 there), which
covers the true difference at all interim analyses together.

The model's estimates at two interim analyses have the covariance of the later one's variance, as the sequential theory
wants, for the images are shared. Their correlation is at least that of interim analyses at independent data, sqrt(R_k /
R_l): bounds made for the latter spend no more than stated (Slepian's inequality) and need no estimate of the variance
components. They are those of normal statistics, held against p-values of t statistics: where chance is of seeds alone,
all analyses together spend up to 5 % more than their level (``results/inference/excess.csv``).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.comparison.equivalence import equivalence_p_values
from fbench.statistics.comparison.verdict import Verdict
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.seeds.power import (
    VarianceComponents,
    chance_to_decide,
    expected_estimate,
)

FloatArray = npt.NDArray[np.float64]

ANALYSIS_EVERY: Final = 5
FUTILE_BELOW: Final = 0.05
"""A comparison stops as futile where the chance that its remaining seeds decide it is below this."""

GRID: Final = 801
"""Points of each integration: the bounds of five interim analyses agree with published ones to their four digits."""


@dataclass(frozen=True)
class AnalysisLevels:
    """What one interim analysis may spend: the nominal two-sided level of the test of no difference, and the one-sided
    level of each test of equivalence."""

    seeds: int
    different: float
    equivalent: float


@dataclass(frozen=True)
class AnalysisResult:
    """One comparison at one interim analysis: the estimate with its repeated confidence interval.

    ``verdict`` is undecided as long as the comparison is open; ``learned_verdict`` is that of the trainings that
    learned, where the means of all trainings had to say the same, else none. ``chance_to_decide`` is the probability
    that the seeds still allowed decide it, given what was seen; ``futile`` is that it is too small to go on.
    """

    seeds: int
    estimate: float
    low: float
    high: float
    p_value: float
    p_equivalent: float
    verdict: Verdict
    chance_to_decide: float
    futile: bool
    learned_verdict: Verdict | None = None


def analysis_seeds(max_seeds: int, every: int = ANALYSIS_EVERY) -> tuple[int, ...]:
    """The numbers of seeds of the interim analyses: every 5, and ``max_seeds``.

    Raises:
        ValueError: fewer than two seeds.
    """
    if max_seeds < 2:
        raise ValueError(f"{max_seeds} seeds at most were given; a comparison needs at least 2.")
    return (*range(every, max_seeds, every), max_seeds)


@functools.cache
def analysis_levels(max_seeds: int, level: float) -> tuple[AnalysisLevels, ...]:
    """What each interim analysis may spend so that one comparison keeps ``level`` for either kind of statement.

    Raises:
        ValueError: fewer than two seeds, or a level not between 0 and 0.5.
    """
    if not 0 < level < 0.5:
        raise ValueError(f"A level of {level} is not possible; give a number between 0 and 0.5, such as 0.05.")
    seeds = analysis_seeds(max_seeds)
    shares = [count / max_seeds for count in seeds]
    different, both_sides = nominal_levels(shares, level), nominal_levels(shares, 2 * level)
    return tuple(
        AnalysisLevels(count, found, sides / 2)
        for count, found, sides in zip(seeds, different, both_sides, strict=True)
    )


def spent(share: float, level: float) -> float:
    """How much of a two-sided ``level`` is spent once this share of the information is there, half of it on each
    side."""
    return float(4 * special.ndtr(special.ndtri(level / 4) / math.sqrt(share)))


def nominal_levels(shares: Sequence[float], level: float) -> list[float]:
    """The nominal two-sided level of each look at growing shares of the information, the last of them 1.

    By recursive integration of the density of the statistic of interim analyses not yet stopped (Armitage, McPherson,
    Rowe 1969, J. Royal Statistical Society A 132, 235-244).
    """
    grid, density = np.zeros(1), np.ones(1)  # of the Brownian motion at share 0: a point
    levels, before, spent_before = [], 0.0, 0.0
    for share in shares:
        step = math.sqrt(share - before)
        to_spend = spent(share, level) - spent_before
        bound = _bound(grid, density, step, math.sqrt(share), to_spend)
        levels.append(float(2 * special.ndtr(-bound)))
        after = np.linspace(-bound, bound, GRID) * math.sqrt(share)
        kernel = np.exp(-(((after[:, None] - grid[None, :]) / step) ** 2) / 2) / (step * math.sqrt(2 * math.pi))
        density = kernel @ (density * _weights(grid))
        grid, before, spent_before = after, share, spent(share, level)
    return levels


def judge_analysis(
    estimate: MeanEstimate,
    components: VarianceComponents,
    images: int,
    margin: float,
    analyses: Sequence[AnalysisLevels],
    index: int,
    *,
    neither_learned: bool = False,
    with_collapsed: MeanEstimate | None = None,
) -> AnalysisResult:
    """The result of analysis ``index`` (from 0) of a comparison that is still open.

    Args:
        estimate: the difference for new images, from the seeds of this interim analysis.
        components: its variance components, for the chance that more seeds decide.
        images: of the test set.
        margin: the difference that matters, in the unit of the estimate.
        analyses: all that are planned.
        index: which of them this is.
        neither_learned: both networks collapsed (:mod:`fbench.statistics.collapse`), which decides nothing.
        with_collapsed: the difference with trainings that collapsed, where ``estimate`` is of those that learned; a
            verdict is then given only if both say the same, and whether it is futile to go on is told by those that
            learned. None where none collapsed.
    """
    levels, last = analyses[index], analyses[-1]
    p_equivalent = float(equivalence_p_values([estimate], margin)[0])
    low, high = estimate.interval(1 - levels.different)
    verdict: Verdict = "undecided" if neither_learned else _verdict(estimate, margin, levels)
    learned_verdict = None if with_collapsed is None else verdict
    if with_collapsed is not None and _verdict(with_collapsed, margin, levels) != verdict:
        verdict = "undecided"
    is_last = index == len(analyses) - 1
    chance = 0.0 if is_last else _chance_at_last(estimate, components, images, margin, levels, last)
    decided = verdict != "undecided"
    return AnalysisResult(
        seeds=levels.seeds,
        estimate=estimate.estimate,
        low=low,
        high=high,
        p_value=estimate.p_value,
        p_equivalent=p_equivalent,
        verdict=verdict,
        chance_to_decide=1.0 if decided else chance,
        futile=not decided and not is_last and chance < FUTILE_BELOW,
        learned_verdict=learned_verdict,
    )


def _verdict(estimate: MeanEstimate, margin: float, levels: AnalysisLevels) -> Verdict:
    """What an estimate says at the levels of an interim analysis."""
    if estimate.p_value <= levels.different:
        return "better" if estimate.estimate > 0 else "worse"
    near = float(equivalence_p_values([estimate], margin)[0]) <= levels.equivalent
    return "equivalent" if near else "undecided"


def _chance_at_last(
    estimate: MeanEstimate,
    components: VarianceComponents,
    images: int,
    margin: float,
    now: AnalysisLevels,
    last: AnalysisLevels,
) -> float:
    """The chance that the last interim analysis decides, given this one: what it will say is spread around what was
    seen by the chance of the seeds still to come, with the degrees of freedom of now."""
    then = expected_estimate(components, last.seeds, images, estimate.estimate)
    of_seeds = components.seed + components.residual / images
    spread = math.sqrt(of_seeds * (1 / now.seeds - 1 / last.seeds))
    return chance_to_decide(then, margin, last.different, last.equivalent, spread)


def _weights(grid: FloatArray) -> FloatArray:
    """Simpson's, over an odd number of equally spaced points; 1 for a single point."""
    if grid.size == 1:
        return np.ones(1)
    weights = np.full(grid.size, 2.0)
    weights[1::2] = 4.0
    weights[0] = weights[-1] = 1.0
    return np.asarray(weights * (grid[1] - grid[0]) / 3, dtype=np.float64)


def _bound(grid: FloatArray, density: FloatArray, step: float, deviation: float, to_spend: float) -> float:
    """The bound on the standardised statistic that is crossed with probability ``to_spend`` at this interim
    analysis."""
    mass = density * _weights(grid)

    def crossed(bound: float) -> float:
        beyond = special.ndtr((grid - bound * deviation) / step) + special.ndtr((-grid - bound * deviation) / step)
        return float(mass @ beyond)

    low, high = 0.0, 38.0  # beyond 38 the normal tail is 0 in double precision
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if crossed(middle) > to_spend else (low, middle)
    return high
