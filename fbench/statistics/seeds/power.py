"""How many seeds, how many images? What differences a comparison can find, and whether more seeds would decide it.

The model is the crossed one of :mod:`fbench.statistics.estimands`: a difference of two networks, averaged over R
seeds and C images, has the variance ``seed / R + image / C + residual / (R C)``. More seeds shrink the first and the
last part; the middle one is the test set's own and stays.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.clusters import Clusters
from fbench.statistics.crossed import FEW_SEEDS, MeanSquares, error_distribution, mean_squares, satterthwaite
from fbench.statistics.discordance import FEW, Discordance
from fbench.statistics.estimands import MeanEstimate, Rule
from fbench.statistics.sum_of_t import student

POWER: Final = 0.8
MOST_SEEDS: Final = 1_000
"""Nobody trains more; a comparison that would need more is not decided by seeds."""

QUANTILES: Final = 200
"""Of the standard errors that a study may see: chances change by less than 0.001 with ten times as many."""

HALVINGS: Final = 50  # of a search: more than the digits of a float

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class VarianceComponents:
    """Variances of the difference of one image in one training, in squared units of the data (fractions of 1).

    ``seed`` is that of the mean over all images that might have been drawn, from training to training; ``image`` that
    of an image's mean over all trainings; ``residual`` what is left.
    """

    seed: float
    image: float
    residual: float


@dataclass(frozen=True)
class SeedsNeeded:
    """What it takes to decide a comparison in 80 of 100 studies if the true difference is the one observed.

    ``seeds`` is none where no number of seeds up to 1,000 is enough; then ``images`` is the size of a test set that
    would be, at 1,000 seeds: none where no size up to 10,000,000 is.
    """

    seeds: int | None
    images: int | None


def variance_components(differences: npt.ArrayLike, clusters: Clusters | None = None) -> VarianceComponents:
    """Estimate the components from a matrix of shape (R seeds, C images), R >= 2, by the analysis of variance.

    With clusters ``image`` and ``residual`` are those of a cluster, and the images of all that is planned with them
    are clusters too. A component that comes out negative is 0.

    Raises:
        ValueError: as :func:`fbench.statistics.crossed.mean_squares`.
    """
    squares = mean_squares(differences, clusters)
    return VarianceComponents(
        seed=max(0.0, (squares.seed - squares.residual) / squares.images),
        image=max(0.0, (squares.image - squares.residual) / squares.seeds),
        residual=squares.residual,
    )


def expected_estimate(
    components: VarianceComponents,
    seeds: int,
    images: int,
    difference: float = 0.0,
    confidence: float = 0.95,
    size: float = 1.0,
) -> MeanEstimate:
    """What a study of this size would say, on average, if the true difference were ``difference``.

    ``images`` are clusters where the components are those of clusters; ``size`` is the images of one.

    Raises:
        ValueError: fewer than two seeds or images, or a negative component.
    """
    if seeds < 2 or images < 2:
        raise ValueError(f"{seeds} seeds and {images} images were given; a comparison needs at least two of both.")
    if min(components.seed, components.image, components.residual) < 0:
        raise ValueError(f"{components} has a negative variance; give variances of at least 0.")
    squares = MeanSquares(
        seeds=seeds,
        images=images,
        seed=components.residual + images * components.seed,
        image=components.residual + seeds * components.image,
        residual=components.residual,
    )
    total = squares.seed + squares.image - squares.residual
    # Without any variance it is the least that could be seen: that one answer of one seed is another one.
    error = math.sqrt(total / (seeds * images)) if total else 1 / (seeds * images)
    freedom = satterthwaite(squares) if total else seeds - 1.0
    distribution = error_distribution(squares) if total and seeds < FEW_SEEDS else None
    half = (distribution or student(freedom)).quantile(confidence) * error
    rule: Rule = "crossed" if total else "constant"
    ends = difference - half, difference + half
    carried = Discordance(images, FEW, (), size=size)
    return MeanEstimate(difference, *ends, error, freedom, confidence, rule, carried, distribution)


def detectable_difference_of(estimate: MeanEstimate, level: float, power: float = POWER) -> float:
    """The true difference that a study of this precision finds with probability ``power``, two-sided at ``level``.

    It is no less than the share of images on which the networks must differ for enough of these to turn up.
    """
    critical = estimate.distribution.quantile(1 - level)
    of_model = float(special.nctdtrinc(estimate.degrees_of_freedom, 1 - power, critical)) * estimate.standard_error
    images = estimate.discordance
    return of_model if images is None else max(of_model, images.detectable(level, power))


def certifiable_margin_of(estimate: MeanEstimate, level: float, power: float = POWER) -> float:
    """The margin within which a study of this precision certifies equivalence with probability ``power``, one-sided at
    ``level``, where the true difference is 0; no less than the number of images can carry."""
    error, freedom = estimate.standard_error, estimate.degrees_of_freedom
    seen = error * _standard_error_factors(freedom)
    reach = estimate.distribution.quantile(1 - 2 * level) * seen

    def certified(margin: float) -> float:
        return float(np.mean(_chance_between(0.0, error, np.zeros(QUANTILES), margin - reach)))

    low, high = 0.0, error
    while certified(high) < power:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if certified(middle) >= power else (middle, high)
    images = estimate.discordance
    return high if images is None else max(high, images.least_margin(level))


def chance_to_decide(
    estimate: MeanEstimate, margin: float, different_level: float, equivalent_level: float, spread: float | None = None
) -> float:
    """The chance that a study of this precision decides: that it finds the difference, or certifies equivalence.

    Averaged over the standard errors that the study might see: around the true one like the root of a chi-square
    variable over its degrees of freedom, independently of the mean.

    Args:
        estimate: the true difference, with the true standard error and the degrees of freedom of the study.
        margin: the difference that matters.
        different_level: two-sided level of the test of no difference.
        equivalent_level: one-sided level of each test of equivalence.
        spread: the standard deviation of what the study will say around ``estimate``; by default its standard error.
    """
    error, freedom = estimate.standard_error, estimate.degrees_of_freedom
    seen = error * _standard_error_factors(freedom)
    found_beyond = estimate.distribution.quantile(1 - different_level) * seen
    certified_within = margin - estimate.distribution.quantile(1 - 2 * equivalent_level) * seen
    if estimate.discordance is not None and estimate.discordance.least_margin(equivalent_level) >= margin:
        certified_within = np.zeros_like(seen)
    undecided = _chance_between(
        estimate.estimate, error if spread is None else spread, np.maximum(0.0, certified_within), found_beyond
    )
    return 1.0 - float(np.mean(undecided))


def seeds_for_margin(components: VarianceComponents, images: int, margin: float, level: float) -> int | None:
    """The least number of seeds, up to 1,000, with which equal networks are certified to differ by less than
    ``margin`` in 80 of 100 studies, one-sided at ``level``; none where this test set allows it with no number of
    seeds."""

    def certifies(seeds: int) -> bool:
        return certifiable_margin_of(expected_estimate(components, seeds, images), level) <= margin

    return _least(certifies, 2, MOST_SEEDS) if certifies(MOST_SEEDS) else None


def seeds_needed(
    components: VarianceComponents,
    images: int,
    difference: float,
    margin: float,
    level: float,
    at_least: int = 2,
    power: float = POWER,
) -> SeedsNeeded:
    """The least number of seeds that decides, from ``at_least`` on; see :class:`SeedsNeeded`.

    ``level`` is that of one comparison of its family, such as 0.05 / m.
    """

    def decides(seeds: int, test_images: int) -> bool:
        expected = expected_estimate(components, seeds, test_images, difference)
        return chance_to_decide(expected, margin, level, level) >= power

    if decides(MOST_SEEDS, images):
        return SeedsNeeded(_least(lambda seeds: decides(seeds, images), max(2, at_least), MOST_SEEDS), None)
    most_images = 10_000_000
    if not decides(MOST_SEEDS, most_images):
        return SeedsNeeded(None, None)
    return SeedsNeeded(None, _least(lambda size: decides(MOST_SEEDS, size), images, most_images))


def _standard_error_factors(freedom: float) -> FloatArray:
    """Standard errors that a study may see, over the true one: equally likely quantiles."""
    shares = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return np.asarray(np.sqrt(special.chdtri(freedom, 1 - shares) / freedom), dtype=np.float64)


def _chance_between(centre: float, deviation: float, low: FloatArray, high: FloatArray) -> FloatArray:
    """The chance that the size of a normal variable around ``centre`` lies between ``low`` and ``high``; 0 where they
    are the wrong way round."""
    if deviation == 0:
        return ((low < abs(centre)) & (abs(centre) < high)).astype(np.float64)

    def below(size: FloatArray) -> FloatArray:
        within = special.ndtr((size - centre) / deviation) - special.ndtr((-size - centre) / deviation)
        return np.asarray(within, dtype=np.float64)

    return np.maximum(0.0, below(np.maximum(0.0, high)) - below(np.maximum(0.0, low)))


def _least(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The least number from ``low`` to ``high`` from which on ``holds``, by halving; it holds at ``high``."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return high
