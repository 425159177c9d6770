"""Families of null comparisons with few seeds, where the share of the images in the variance is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from fbench.statistics.comparison.equivalence import equivalence_p_values
from fbench.statistics.comparison.multiplicity import holm
from fbench.statistics.comparison.unpaired import unpaired_new_images
from fbench.statistics.comparison.verdict import LEVEL
from fbench.statistics.crossed import error_distribution, mean_squares
from fbench.statistics.estimands import MeanEstimate, new_images
from fbench.statistics.intervals import t_p_value, t_quantile
from fbench.statistics.sum_of_t import SumOfT
from tests.calibration.inference.coverage import covers
from tests.calibration.inference.regimes import FloatArray, Regime, draw_study

COMPARISONS: Final = 12
IMAGES: Final = 500
Pairs = Literal["paired", "unpaired"]

CASES: Final[tuple[tuple[Pairs, float, int], ...]] = (
    *(("paired", 0.1, seeds) for seeds in (3, 5, 7, 10)),
    *(("unpaired", 0.1, seeds) for seeds in (3, 5, 7)),
)
"""Whether equal seeds are pairs, the share of the images in the variance of a difference, and the number of seeds. At a
tenth too large a number of degrees of freedom costs most; ``tests/statistics/test_sum_of_t.py`` has the other shares,
by integration."""


@dataclass(frozen=True)
class FewSeedsRow:
    """Per cent of ``repetitions`` in which anything false is found among 12 null comparisons with one baseline.

    ``found`` is what fbench does. ``equivalent``: any of 12 that differ by exactly the margin is called equivalent.
    ``satterthwaite`` would be Student's t with Satterthwaite's degrees of freedom, ``cochran_cox`` the weighted average
    of critical values, and ``sum_of_t`` the distribution of Behrens and Fisher, at any number of seeds; none for seeds
    that are no pairs. ``coverage`` is that of one interval at 95 %.
    """

    pairing: Pairs
    image_share: float
    seeds: int
    repetitions: int
    found: float
    equivalent: float
    satterthwaite: float | None
    cochran_cox: float | None
    sum_of_t: float | None
    coverage: float


def regime_of(image_share: float, seeds: int) -> Regime:
    """A regime in which the images have this share of the variance of a mean over so many seeds.

    Seeds spread by 0.7 points, as those of networks on FER2013. The residual is a tenth of their variance: the smaller
    it is, the better the part of the images is known, and the more Satterthwaite's formula makes of it.
    """
    seed = 0.007
    residual = seed * float(np.sqrt(0.1 * IMAGES))
    of_seeds = (seed**2 + residual**2 / IMAGES) / seeds
    image = float(np.sqrt(image_share / (1 - image_share) * of_seeds * IMAGES))
    return Regime(f"images {image_share:.0%}", seed, image, residual)


def few_seeds_of(pairing: Pairs, image_share: float, seeds: int, repetitions: int, random_seed: int) -> FewSeedsRow:
    """Simulate normal answers of 13 networks: crossed random effects of seeds and images, and a residual."""
    generator = np.random.default_rng([random_seed, seeds, round(100 * image_share)])
    regime = regime_of(image_share, seeds)
    found, alternatives, covered = [], [], []
    for _ in range(repetitions):
        study = draw_study(regime, COMPARISONS, seeds, generator, IMAGES)
        if pairing == "paired":
            estimates = [new_images(one) for one in study.differences]
            alternatives.append(_alternatives(study.differences, estimates))
        else:
            estimates = [unpaired_new_images(one, study.answers[0]) for one in study.answers[1:]]
        estimates = [replace(one, discordance=None) for one in estimates]  # of answers that are not 0 or 1
        margin = 6 * float(np.mean([one.standard_error for one in estimates]))
        shifted = [replace(one, estimate=one.estimate + margin) for one in estimates]
        found.append((_any(one.p_value for one in estimates), _any(equivalence_p_values(shifted, margin))))
        covered.append(covers(estimates[0], 0.0))
    shares = [100 * float(share) for share in np.mean(np.array(found, dtype=np.float64), axis=0)]
    others = [None] * 3
    if alternatives:
        others = [100 * float(share) for share in np.mean(np.array(alternatives, dtype=np.float64), axis=0)]
    return FewSeedsRow(
        pairing, image_share, seeds, repetitions, *shares, *others, coverage=100 * float(np.mean(covered))
    )


def _any(p_values: Iterable[float]) -> bool:
    return bool((holm(list(p_values)) < LEVEL).any())


def _alternatives(differences: FloatArray, estimates: Sequence[MeanEstimate]) -> tuple[bool, bool, bool]:
    """Whether anything is found by Satterthwaite, by Cochran and Cox, and by Behrens and Fisher."""
    statistics = [abs(one.estimate) / one.standard_error for one in estimates]
    by_satterthwaite = [
        t_p_value(size, one.degrees_of_freedom) for size, one in zip(statistics, estimates, strict=True)
    ]
    errors = [error_distribution(mean_squares(one)) for one in differences]
    return (
        _any(by_satterthwaite),
        any(size > _cochran_cox(error) for size, error in zip(statistics, errors, strict=True)),
        _any(2 * float(error.below(-size)) for size, error in zip(statistics, errors, strict=True)),
    )


def _cochran_cox(error: SumOfT) -> float:
    """The critical value of Holm's first step: the average of those of the parts, weighted by their variances."""
    return sum(share * t_quantile(1 - LEVEL / COMPARISONS, degrees) for share, degrees in error.terms)
