"""Stopping for futility: what it costs in comparisons that would have been decided, and what it saves in seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from fbench.statistics.comparison.verdict import LEVEL
from fbench.statistics.seeds.power import VarianceComponents, detectable_difference_of, expected_estimate
from tests.calibration.inference.families import MAX_SEEDS, with_analyses
from tests.calibration.inference.regimes import IMAGES, Regime, draw_study

FAMILY: Final = 14
"""Comparisons of the suite ``ablations``."""

TRUTHS: Final = ("equal", "detectable")
"""Whether the networks are equal, or differ by what 20 seeds find in 80 of 100 runs at the family's level."""


@dataclass(frozen=True)
class FutilityRow:
    """One comparison among 14 with interim analyses at 5, 10, 15 and 20 seeds, in per cent of ``repetitions``.

    ``decided`` and ``seeds``, the mean number trained, are with stopping for futility, ``decided_without`` and
    ``seeds_without`` without it; ``futile`` were stopped by it.
    """

    regime: str
    truth: str
    difference: float
    repetitions: int
    decided: float
    decided_without: float
    futile: float
    seeds: float
    seeds_without: float


def futility_of(regime: Regime, truth: str, repetitions: int, random_seed: int) -> FutilityRow:
    """Simulate one regime; differences in percentage points in the row."""
    generator = np.random.default_rng([random_seed, TRUTHS.index(truth), FAMILY])
    difference = detectable(regime) if truth == "detectable" else 0.0
    stopping, going_on = [], []
    for _ in range(repetitions):
        drawn = draw_study(regime, 1, MAX_SEEDS, generator).differences[0] + difference
        outcome = with_analyses(drawn, stop_if_futile=True, family=FAMILY)
        stopping.append(outcome)
        going_on.append(with_analyses(drawn, stop_if_futile=False, family=FAMILY) if outcome.futile else outcome)
    return FutilityRow(
        regime=regime.name,
        truth=truth,
        difference=100 * difference,
        repetitions=repetitions,
        decided=100 * float(np.mean([one.decided for one in stopping])),
        decided_without=100 * float(np.mean([one.decided for one in going_on])),
        futile=100 * float(np.mean([one.futile for one in stopping])),
        seeds=float(np.mean([one.seeds for one in stopping])),
        seeds_without=float(np.mean([one.seeds for one in going_on])),
    )


def detectable(regime: Regime) -> float:
    """The difference that the last analysis finds in 80 of 100 runs, of networks with the variances of a regime."""
    components = VarianceComponents(*(2 * part**2 for part in (regime.seed, regime.image, regime.residual)))
    return detectable_difference_of(expected_estimate(components, MAX_SEEDS, IMAGES), LEVEL / FAMILY)
