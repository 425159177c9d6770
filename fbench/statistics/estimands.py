"""What a mean over seeds and images estimates: this test set, or new images.

A matrix holds one value per seed (row) and test image (column): correctness, or the difference of two
networks' correctness. Its mean is uncertain in two ways, and which of them counts depends on the question:

- ``this_test_set``: the images are fixed; chance is the seed. One mean per seed, Student's t over seeds.
- ``new_images``: seeds and images are both drawn by chance. The crossed random effects model of multi-reader
  multi-case analysis with seeds as readers and images as cases,
  ``value[r, i] = mean + seed[r] + image[i] + residual[r, i]``, in which the mean has the variance
  ``(MS_seed + MS_image - MS_residual) / (R C)`` (Dorfman, Berbaum, Metz 1992, Investigative Radiology 27,
  723-731; Obuchowski, Rockette 1995, Communications in Statistics 24, 285-308) and Satterthwaite's degrees of
  freedom, or with fewer than ``FEW_SEEDS`` seeds the critical values of :mod:`fbench.statistics.sum_of_t`. Where
  images are not independent, their clusters are drawn instead (:mod:`fbench.statistics.clusters`), frames of one
  subject or copies of one picture: "new subjects".

Equal values are no proof that nothing varies: three seeds with one and the same accuracy on C images have had no chance
to show a spread below the step of 1 / C. Where a variance comes out as zero, the standard error is therefore that of
data in which one answer of one seed is another one, ``step / (R C)`` on R - 1 degrees of freedom: the least that could
have been seen. What the number of images can carry is in :mod:`fbench.statistics.discordance`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from fbench.statistics.clusters import Clusters
from fbench.statistics.crossed import (
    FEW_SEEDS,
    ROUNDING,
    as_matrix,
    between_images,
    beyond_rounding,
    error_distribution,
    image_freedom,
    mean_squares,
    satterthwaite,
    seed_mean_square,
)
from fbench.statistics.discordance import BISECTIONS, Discordance
from fbench.statistics.intervals import check_confidence
from fbench.statistics.sum_of_t import SumOfT, student

FloatArray = npt.NDArray[np.float64]

Rule = Literal[
    "seeds",
    "pooled",
    "crossed",
    "seeds_only",
    "residual_only",
    "one_seed",
    "wilson",
    "constant",
    "data_sets",
    "undefined",
]
"""How an interval was made:

``seeds``          Student's t over the means of the seeds.
``pooled``         Student's t with the residual of an analysis of variance over all cells of crossed factors
                   (fbench.statistics.factors).
``crossed``        the crossed random effects model.
``seeds_only``     as ``crossed`` with MS_image <= MS_residual: the image component is set to zero (Hillis
                   2007, Statistics in Medicine 26, 596-619), which leaves MS_seed / (R C) on R - 1 degrees of
                   freedom.
``residual_only``  MS_seed is zero as well: both components are zero, MS_residual / (R C) on (R - 1)(C - 1).
``one_seed``       one seed: only the variance over images can be estimated, C - 1 degrees of freedom; the
                   chance of the seed is missing from the interval, which is too narrow for new trainings.
``wilson``         one seed of right and wrong answers: Wilson's interval for a proportion, with that lack.
``constant``       the data show no chance at all: the standard error is the least that could have been seen.
``data_sets``      several data sets, of which each has such a mean (fbench.statistics.many.data_sets).
``undefined``      fewer than two seeds: no interval (its numbers are NaN).
"""


class Bounds(Protocol):
    """What values of a mean are possible (:mod:`fbench.statistics.possible`)."""

    def within(self, low: float, high: float, confidence: float, /) -> tuple[float, float]:
        """The part of an interval of this confidence that is possible."""


@dataclass(frozen=True)
class MeanEstimate:
    """A mean with its interval, in the unit of the data; NaN where undefined.

    ``discordance`` is what the images can carry of a difference, where its values are known to be bounded; p-values and
    intervals are then the weaker ones of the model's and of the images'. ``error`` is the distribution of the mean's
    error over its standard error where that is not Student's t with ``degrees_of_freedom``; ``bounds`` what the mean
    can be, where that is known.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    degrees_of_freedom: float
    confidence: float
    rule: Rule
    discordance: Discordance | None = field(default=None, compare=False)
    error: SumOfT | None = None
    bounds: Bounds | None = field(default=None, compare=False)

    @property
    def distribution(self) -> SumOfT:
        """Of the error of the mean, in standard errors."""
        return self.error or student(self.degrees_of_freedom)

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the hypothesis that the mean is 0.

        Without a standard error, of a value that is known, it is 1 for a mean of 0 and otherwise 0.
        """
        if self.standard_error == 0:
            of_model = 1.0 if self.estimate == 0 else 0.0
        else:
            of_model = 2 * float(self.distribution.below(-abs(self.estimate) / self.error_at(0.0)))
        return of_model if self.discordance is None else max(of_model, self.discordance.p_no_difference)

    def error_at(self, value: float) -> float:
        """The standard error where the true mean is ``value``: that of the data, but for few clusters."""
        return self.standard_error * (1.0 if self.discordance is None else self.discordance.error_ratio(value))

    def p_at_least(self, value: float) -> float:
        """One-sided p-value of a mean of ``value`` or more; small where it is shown to be less."""
        of_model = self._p_of_model(self.estimate - value, value)
        return of_model if self.discordance is None else max(of_model, self.discordance.p_at_least(value))

    def p_at_most(self, value: float) -> float:
        """One-sided p-value of a mean of ``value`` or less; small where it is shown to be more."""
        of_model = self._p_of_model(value - self.estimate, value)
        return of_model if self.discordance is None else max(of_model, self.discordance.p_at_most(value))

    def interval(self, confidence: float) -> tuple[float, float]:
        """The two-sided interval of another confidence than its own.

        It leaves out 0 exactly where ``p_value`` is below 1 minus its confidence: an end of 0 is not part of it. Where
        few images differ, sign flips may reject 0 although the distribution that the ends are from does not.

        Raises:
            ValueError: a confidence not between 0 and 1.
        """
        low, high = self._unbounded(confidence)
        if low < 0 < high and self.p_value < 1 - confidence:
            low, high = (0.0, high) if self.estimate > 0 else (low, 0.0)
        return (low, high) if self.bounds is None else self.bounds.within(low, high, confidence)

    def _unbounded(self, confidence: float) -> tuple[float, float]:
        quantile = self.distribution.quantile(confidence)
        half = quantile * self.standard_error
        ends = [self.estimate - half, self.estimate + half]
        if self.discordance is None:
            return min(ends), max(ends)
        if self.discordance.effective is not None:
            ends = [self._end(quantile, side * self.discordance.largest) for side in (-1, 1)]
        if (of_images := self.discordance.interval(confidence)) is not None:
            ends += [*of_images, *([0.0] if self.discordance.p_no_difference > 1 - confidence else [])]
        largest = self.discordance.largest
        return max(-largest, min(ends)), min(largest, max(ends))

    def _end(self, quantile: float, bound: float) -> float:
        """The farthest true mean towards ``bound`` that the estimate is within so many of its standard errors of."""
        low, high = self.estimate, bound
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            is_within = abs(middle - self.estimate) <= quantile * self.error_at(middle)
            low, high = (middle, high) if is_within else (low, middle)
        return low

    def _p_of_model(self, above: float, value: float) -> float:
        """Of a true mean of ``value``, refuted where the estimate is far below it: where ``above`` is far below 0."""
        if self.standard_error == 0:
            return 0.0 if above < 0 else 1.0
        return float(self.distribution.below(above / self.error_at(value)))


def carried_by_images(estimate: MeanEstimate, images: Discordance) -> MeanEstimate:
    """The estimate of a difference with no more certainty than its images can carry."""
    if math.isnan(estimate.standard_error):
        return estimate
    carried = replace(estimate, discordance=images)
    low, high = carried.interval(estimate.confidence)
    return replace(carried, low=low, high=high)


def this_test_set(values: npt.ArrayLike, confidence: float = 0.95, step: float = 1.0) -> MeanEstimate:
    """Estimate the mean for these images over all seeds that might have been drawn.

    Args:
        values: shape (R seeds, C images).
        confidence: of the two-sided interval.
        step: what another answer to one image changes its value by: 1 for correctness and its differences.

    Raises:
        ValueError: as ``as_matrix``, or a confidence not between 0 and 1.
    """
    check_confidence(confidence)
    matrix = as_matrix(values)
    if len(matrix) < 2:
        nan = float("nan")
        return MeanEstimate(float(matrix.mean()), nan, nan, nan, nan, confidence, "undefined")
    seeds, images = matrix.shape
    return _estimate(matrix, seed_mean_square(matrix, images), seeds - 1, confidence, "seeds", step)


def new_images(
    values: npt.ArrayLike, confidence: float = 0.95, step: float = 1.0, clusters: Clusters | None = None
) -> MeanEstimate:
    """Estimate the mean over all seeds and all images that might have been drawn, by the model of variance alone.

    Args:
        values: shape (R seeds, C images).
        confidence: of the two-sided interval.
        step: as for :func:`this_test_set`.
        clusters: of the images, where they are not independent; then clusters are what is drawn.

    Raises:
        ValueError: as ``as_matrix``, or a confidence not between 0 and 1.
    """
    check_confidence(confidence)
    matrix = as_matrix(values)
    if len(matrix) < 2:
        of_images = beyond_rounding(matrix, between_images(matrix[0], clusters))
        freedom = image_freedom(matrix.shape[1], clusters)
        return _estimate(matrix, of_images, freedom, confidence, "one_seed", step, clusters)
    squares = mean_squares(matrix, clusters)
    no_image_component = squares.image <= squares.residual * (1 + ROUNDING)
    if no_image_component and squares.seed == 0:
        freedom = (squares.seeds - 1) * (squares.image_freedom if squares.residual else 1)
        return _estimate(matrix, squares.residual, freedom, confidence, "residual_only", step, clusters)
    if no_image_component:
        return _estimate(matrix, squares.seed, squares.seeds - 1, confidence, "seeds_only", step, clusters)
    total = squares.seed + squares.image - squares.residual
    error = error_distribution(squares) if squares.seeds < FEW_SEEDS else None
    return _estimate(matrix, total, satterthwaite(squares), confidence, "crossed", step, clusters, error)


def _estimate(
    matrix: FloatArray,
    mean_square: float,
    degrees_of_freedom: float,
    confidence: float,
    rule: Rule,
    step: float,
    clusters: Clusters | None = None,
    distribution: SumOfT | None = None,
) -> MeanEstimate:
    mean = float(matrix.mean())
    cells = matrix.size if clusters is None else len(matrix) * clusters.count
    error = float(np.sqrt(mean_square / cells))
    if mean_square == 0:
        mean = mean if abs(mean) > ROUNDING * float(np.abs(matrix).max()) else 0.0
        error = step / matrix.size
        rule = rule if rule == "one_seed" else "constant"
    half = (distribution or student(degrees_of_freedom)).quantile(confidence) * error
    return MeanEstimate(mean, mean - half, mean + half, error, degrees_of_freedom, confidence, rule, error=distribution)
