"""How often intervals hold what they claim to hold, and tests err or find."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import special

from fbench.statistics.comparison.equivalence import equivalence_p_values
from fbench.statistics.comparison.unpaired import unpaired_new_images, unpaired_this_test_set
from fbench.statistics.estimands import MeanEstimate, new_images, this_test_set
from fbench.statistics.seeds.power import VarianceComponents, expected_estimate
from tests.calibration.inference.regimes import IMAGES, FloatArray, Regime, draw_study

MARGIN: Final = 0.01
DIFFERENCES: Final = (0.005, 0.01, 0.02, 0.03)
RESAMPLES: Final = 1_000


@dataclass(frozen=True)
class CoverageRow:
    """Shares in per cent of ``repetitions``; the Monte Carlo error of 95 % in 2,000 is 0.5.

    ``this_test_set`` and ``new_images`` are the coverages of their own estimand. What fails for new images stands
    beside them: ``seeds_alone`` is the interval over seeds, ``bootstrap`` the percentile interval of resampled seeds
    and images. The two ``unpaired`` coverages are those of Welch's interval and of the crossed model where the baseline
    has two seeds fewer, all of them others. ``equivalence_error`` is how often networks that differ by exactly the
    margin are called equivalent, ``equivalence_found`` how often equal ones are.
    """

    regime: str
    seeds: int
    repetitions: int
    this_test_set: float
    new_images: float
    seeds_alone: float
    bootstrap: float
    unpaired_this_test_set: float
    unpaired_new_images: float
    equivalence_error: float
    equivalence_found: float


@dataclass(frozen=True)
class PowerRow:
    """How often a true difference is found for new images at 5 %, in per cent, beside what the model foresees."""

    regime: str
    seeds: int
    difference_points: float
    found: float
    foreseen: float


class Bootstrap:
    """The percentile interval of resampled seeds and images (crossed); the same resamples serve every matrix."""

    def __init__(self, seeds: int, images: int, generator: np.random.Generator) -> None:
        self._seeds = generator.multinomial(seeds, np.full(seeds, 1 / seeds), RESAMPLES).astype(np.float32) / seeds
        counts = generator.multinomial(images, np.full(images, 1 / images), RESAMPLES)
        self._images = counts.astype(np.float32) / images

    def covers_zero(self, matrix: FloatArray) -> bool:
        """Whether the 95 % interval of a matrix of shape (seeds, images) holds 0."""
        means = np.einsum("bi,bi->b", self._seeds @ matrix.astype(np.float32), self._images)
        low, high = np.quantile(means, [0.025, 0.975])
        return bool(low <= 0.0 <= high)


def coverage_of(regime: Regime, seeds: int, repetitions: int, random_seed: int) -> tuple[CoverageRow, list[PowerRow]]:
    """Simulate one regime with so many seeds."""
    generator = np.random.default_rng([random_seed, seeds])
    bootstrap = Bootstrap(seeds, IMAGES, generator)
    found = []
    estimates = []
    for _ in range(repetitions):
        study = draw_study(regime, 1, seeds, generator)
        matrix, truth = study.differences[0], float(study.on_these_images[0])
        by_seed, crossed = this_test_set(matrix), new_images(matrix)
        estimates.append(crossed)
        found.append(
            (
                covers(by_seed, truth),
                covers(crossed, 0.0),
                covers(by_seed, 0.0),
                bootstrap.covers_zero(matrix),
                covers(unpaired_this_test_set(study.answers[1], study.answers[0, :-2]), truth),
                covers(unpaired_new_images(study.answers[1], study.answers[0, :-2]), 0.0),
                is_equivalent(replace(crossed, estimate=crossed.estimate + MARGIN)),
                is_equivalent(crossed),
            )
        )
    shares = 100 * np.mean(np.array(found, dtype=np.float64), axis=0)
    row = CoverageRow(regime.name, seeds, repetitions, *(float(share) for share in shares))
    return row, [_power(regime, seeds, difference, estimates) for difference in DIFFERENCES]


def covers(estimate: MeanEstimate, truth: float) -> bool:
    """Whether the interval holds the truth, up to rounding."""
    return bool(estimate.low - 1e-12 <= truth <= estimate.high + 1e-12)


def is_equivalent(estimate: MeanEstimate) -> bool:
    """Whether the two one-sided tests certify less than the margin at 5 %."""
    return bool(equivalence_p_values([estimate], MARGIN)[0] < 0.05)


def _power(regime: Regime, seeds: int, difference: float, estimates: list[MeanEstimate]) -> PowerRow:
    shifted = [replace(one, estimate=one.estimate + difference) for one in estimates]
    truth = VarianceComponents(2 * regime.seed**2, 2 * regime.image**2, 2 * regime.residual**2)
    found = float(np.mean([one.p_value < 0.05 and one.estimate > 0 for one in shifted]))
    return PowerRow(regime.name, seeds, 100 * difference, 100 * found, 100 * foreseen(truth, seeds, difference))


def foreseen(truth: VarianceComponents, seeds: int, difference: float) -> float:
    """The power at 5 % that the model foresees, by the critical value that the test has."""
    expected = expected_estimate(truth, seeds, IMAGES)
    critical = expected.distribution.quantile(0.95)
    noncentrality = difference / expected.standard_error
    return 1 - float(special.nctdtr(expected.degrees_of_freedom, noncentrality, critical))
