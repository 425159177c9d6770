"""A difference over several data sets: do the intervals of its mean and of the next data set keep their promise?

Beside the ones that fbench gives stand the usual ones of random effects: weights by Paule and Mandel's variance with
Hartung's and Knapp's interval (never narrower than without variance between data sets), and the prediction interval of
Higgins, Thompson and Spiegelhalter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.many.data_sets import over_data_sets

FloatArray = npt.NDArray[np.float64]

TYPICAL_SE: Final = 0.008
FREEDOM: Final = 20
CASES: Final = [
    (count, between, spread)
    for count in (2, 3, 4, 6, 10)
    for between in (0.0, 0.005, 0.01, 0.03)
    for spread in (0.0, 0.6, 1.0)
]


@dataclass(frozen=True)
class DataSetsRow:
    """Shares in per cent of ``repetitions``.

    ``between_sd`` is the true standard deviation between data sets, ``spread_of_errors`` that of the logarithm of their
    standard errors around 0.8 points. ``these`` is how often the interval for these data sets holds the mean of their
    true differences, ``new`` how often that for data sets in general holds the true mean, and ``next`` how often the
    prediction holds the true difference on one more data set; ``weighted_new`` and ``usual_next`` are those of the
    usual methods (the second from three data sets on). ``width_new`` and ``weighted_width_new`` are median half widths.
    """

    data_sets: int
    between_sd: float
    spread_of_errors: float
    repetitions: int
    these: float
    new: float
    next: float
    weighted_new: float
    usual_next: float | None
    width_new: float
    weighted_width_new: float


def data_sets_of(count: int, between: float, spread: float, repetitions: int, random_seed: int) -> DataSetsRow:
    """Simulate one case."""
    generator = np.random.default_rng([random_seed, count, round(1e4 * between), round(10 * spread)])
    held = np.zeros(5)
    widths: list[tuple[float, float]] = []
    for _ in range(repetitions):
        errors = TYPICAL_SE * np.exp(spread * generator.standard_normal(count))
        true = between * generator.standard_normal(count)
        seen = true + errors * generator.standard_normal(count)
        found_errors = errors * np.sqrt(generator.chisquare(FREEDOM, count) / FREEDOM)
        another = between * generator.standard_normal()
        found = over_data_sets(
            [
                MeanEstimate(value, value, value, error, FREEDOM, 0.95, "crossed")
                for value, error in zip(seen.tolist(), found_errors.tolist(), strict=True)
            ]
        )
        center, half, next_half = usual(seen, found_errors)
        held += [
            found.these.low <= true.mean() <= found.these.high,
            found.new.low <= 0 <= found.new.high,
            found.prediction[0] <= another <= found.prediction[1],
            abs(center) <= half,
            abs(another - center) <= next_half,
        ]
        widths.append(((found.new.high - found.new.low) / 2, half))
    shares = (100 * held / repetitions).tolist()
    width, weighted_width = np.median(widths, axis=0).tolist()
    return DataSetsRow(
        data_sets=count,
        between_sd=between,
        spread_of_errors=spread,
        repetitions=repetitions,
        these=shares[0],
        new=shares[1],
        next=shares[2],
        weighted_new=shares[3],
        usual_next=shares[4] if count > 2 else None,
        width_new=width,
        weighted_width_new=weighted_width,
    )


def usual(values: FloatArray, errors: FloatArray) -> tuple[float, float, float]:
    """The weighted mean, and the half widths of its interval and of the prediction (none, as NaN, of two data sets)."""
    count = len(values)

    def weighted(between: float) -> tuple[float, float, float]:
        weights = 1 / (errors**2 + between)
        mean = float(np.sum(weights * values) / np.sum(weights))
        return mean, float(np.sum(weights * (values - mean) ** 2)), float(np.sum(weights))

    between, high = 0.0, 1e-6
    if weighted(0.0)[1] > count - 1:
        while weighted(high)[1] > count - 1:
            high *= 4
        between = float(optimize.brentq(lambda tried: weighted(tried)[1] - (count - 1), 0.0, high))
    mean, scatter, weight = weighted(between)
    error = float(np.sqrt(max(1.0, scatter / (count - 1)) / weight))
    half = float(stats.t.ppf(0.975, count - 1)) * error
    if count < 3:
        return mean, half, float("nan")
    return mean, half, float(stats.t.ppf(0.975, count - 2)) * float(np.sqrt(between + error**2))
