"""Two networks trained with different seeds and tested on the same images.

*This test set*: Welch's interval on the means of the seeds (Welch 1947, Biometrika 34, 28-35). *New images*: the
crossed random effects model of :mod:`fbench.statistics.estimands` with readers of their own for each side (Obuchowski
1995, Academic Radiology 2, S22-S29): images are shared, seeds are not. With S_A and S_B the variances of the seeds'
means, S_I the variance over images of the difference of the two means of an image, and E_A, E_B the mean squares of
the residuals, the difference has the variance ``S_A/R_A + S_B/R_B + S_I/C - E_A/(R_A C) - E_B/(R_B C)``; the
residuals are in the first three terms twice. Answers are 1 where they were right, else 0. Where images belong to
clusters, S_I and E are those of clusters, and C is their number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fbench.statistics.clusters import Clusters
from fbench.statistics.crossed import FEW_SEEDS, ROUNDING, as_matrix, between_images, image_freedom, mean_squares
from fbench.statistics.discordance import discordance
from fbench.statistics.estimands import FloatArray, MeanEstimate, Rule, carried_by_images
from fbench.statistics.intervals import check_confidence
from fbench.statistics.sum_of_t import SumOfT, student, sum_of_t

Term = tuple[float, float]
"""A part of a variance and its degrees of freedom."""


def unpaired_this_test_set(ours: npt.ArrayLike, theirs: npt.ArrayLike, confidence: float = 0.95) -> MeanEstimate:
    """Estimate the mean of ``ours`` minus that of ``theirs`` for these images, by Welch's interval over seeds.

    Args:
        ours: shape (R_A seeds, C images).
        theirs: shape (R_B seeds, C images), of the same images in the same order.
        confidence: of the two-sided interval.

    Returns:
        Undefined where a side has one seed.

    Raises:
        ValueError: as ``as_matrix``, different numbers of images, or a confidence not between 0 and 1.
    """
    sides = _sides(ours, theirs, confidence)
    estimate = _estimate(sides)
    if min(len(side) for side in sides) < 2:
        nan = float("nan")
        return MeanEstimate(estimate, nan, nan, nan, nan, confidence, "undefined")
    return _from_terms(estimate, [_seen_seed_term(side) for side in sides], [], confidence, "seeds")


def unpaired_new_images(
    ours: npt.ArrayLike, theirs: npt.ArrayLike, confidence: float = 0.95, clusters: Clusters | None = None
) -> MeanEstimate:
    """Estimate the mean of ``ours`` minus that of ``theirs`` over all seeds and images that might have been drawn.

    Arguments and errors are those of :func:`unpaired_this_test_set`; with ``clusters`` these are drawn. With one seed
    on a side only the chance of the images is known (rule ``one_seed``). Where the image component comes out negative
    it is set to zero, as in :func:`fbench.statistics.estimands.new_images`.
    """
    sides = _sides(ours, theirs, confidence)
    by_image = sides[0].mean(axis=0) - sides[1].mean(axis=0)
    of_model = _by_model(sides, by_image, confidence, clusters)
    return carried_by_images(of_model, discordance(by_image, clusters=clusters))


def _by_model(
    sides: tuple[FloatArray, FloatArray], by_image: FloatArray, confidence: float, clusters: Clusters | None
) -> MeanEstimate:
    estimate, freedom = _estimate(sides), image_freedom(by_image.size, clusters)
    images = by_image.size if clusters is None else clusters.count
    image_term = (_beyond_rounding(between_images(by_image, clusters), sides) / images, freedom)
    if min(len(side) for side in sides) < 2:
        least = ((1 / min(side.size for side in sides)) ** 2, freedom)
        return _from_terms(estimate, [image_term if image_term[0] else least], [], confidence, "one_seed")
    seeds = [_seed_term(side) for side in sides]
    residuals = [_residual_term(side, clusters) for side in sides]
    few = min(len(side) for side in sides) < FEW_SEEDS
    if image_term[0] > sum(value for value, _ in residuals) * (1 + ROUNDING):
        error = sum_of_t([*seeds, _image_part(image_term, residuals, sides)]) if few else None
        return _from_terms(estimate, [*seeds, image_term], residuals, confidence, "crossed", error)
    if any(value for value, _ in seeds):
        return _from_terms(estimate, seeds, [], confidence, "seeds_only", sum_of_t(seeds) if few else None)
    if any(value for value, _ in residuals):
        return _from_terms(estimate, residuals, [], confidence, "residual_only")
    return _from_terms(estimate, [_seen_seed_term(side) for side in sides], [], confidence, "constant")


def _sides(ours: npt.ArrayLike, theirs: npt.ArrayLike, confidence: float) -> tuple[FloatArray, FloatArray]:
    check_confidence(confidence)
    a, b = as_matrix(ours), as_matrix(theirs)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"{a.shape[1]} and {b.shape[1]} images do not pair; give both networks the same images.")
    return a, b


def _estimate(sides: tuple[FloatArray, FloatArray]) -> float:
    return float(sides[0].mean() - sides[1].mean())


def _seed_term(side: FloatArray) -> Term:
    squares = mean_squares(side)
    return squares.seed / side.size, len(side) - 1.0


def _seen_seed_term(side: FloatArray) -> Term:
    """As ``_seed_term``, but not below the least that could have been seen: one answer of one seed is another one."""
    value, freedom = _seed_term(side)
    return value or (1 / side.size) ** 2, freedom


def _residual_term(side: FloatArray, clusters: Clusters | None) -> Term:
    squares = mean_squares(side, clusters)
    return squares.residual / (squares.seeds * squares.images), (squares.seeds - 1.0) * squares.image_freedom


def _image_part(image: Term, residuals: Sequence[Term], sides: tuple[FloatArray, FloatArray]) -> Term:
    """The image component with Satterthwaite's degrees of freedom, at least those of the fewest seeds or images."""
    variance = image[0] - sum(value for value, _ in residuals)
    spread = sum(value**2 / df for value, df in [image, *residuals])
    return variance, max(variance**2 / spread, min(image[1], *(len(side) - 1.0 for side in sides)))


def _beyond_rounding(value: float, sides: tuple[FloatArray, FloatArray]) -> float:
    largest = max(float(np.abs(side).max()) for side in sides)
    return value if value > (ROUNDING * largest) ** 2 else 0.0


def _from_terms(
    estimate: float,
    added: Sequence[Term],
    subtracted: Sequence[Term],
    confidence: float,
    rule: Rule,
    distribution: SumOfT | None = None,
) -> MeanEstimate:
    """The interval of a sum of variances, with Satterthwaite's degrees of freedom or this distribution of the error.

    They are not less than those of the poorest added term, for the reason that
    :func:`fbench.statistics.crossed.satterthwaite` gives.
    """
    variance = sum(value for value, _ in added) - sum(value for value, _ in subtracted)
    spread = sum(value**2 / df for value, df in [*added, *subtracted])
    freedom = max(variance**2 / spread, min(df for _, df in added))
    error = float(np.sqrt(variance))
    half = (distribution or student(freedom)).quantile(confidence) * error
    ends = estimate - half, estimate + half
    return MeanEstimate(estimate, *ends, error, freedom, confidence, rule, error=distribution)
