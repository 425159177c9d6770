"""What a mean over seeds and images estimates: this test set, or new images.

A matrix holds one value per seed (row) and test image (column): correctness, or the difference of two
networks' correctness. Its mean is uncertain in two ways, and which of them counts depends on the question:

- ``this_test_set``: the images are fixed; chance is the seed. One mean per seed, Student's t over seeds.
- ``new_images``: seeds and images are both drawn by chance. The crossed random effects model of multi-reader
  multi-case analysis with seeds as readers and images as cases,
  ``value[r, i] = mean + seed[r] + image[i] + residual[r, i]``, in which the mean has the variance
  ``(MS_seed + MS_image - MS_residual) / (R C)`` (Dorfman, Berbaum, Metz 1992, Investigative Radiology 27,
  723-731; Obuchowski, Rockette 1995, Communications in Statistics 24, 285-308) and Satterthwaite's degrees of
  freedom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from fbench.statistics.intervals import check_confidence, t_p_value, t_quantile

FloatArray = npt.NDArray[np.float64]

Rule = Literal[
    "seeds", "pooled", "crossed", "seeds_only", "residual_only", "one_seed", "wilson", "constant", "undefined"
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
``constant``       the data show no chance at all: the interval is the value itself.
``undefined``      fewer than two seeds: no interval (its numbers are NaN).
"""

ROUNDING = 1e-10  # differences below this share are rounding, not chance


@dataclass(frozen=True)
class MeanEstimate:
    """A mean with its interval, in the unit of the data; NaN where undefined."""

    estimate: float
    low: float
    high: float
    standard_error: float
    degrees_of_freedom: float
    confidence: float
    rule: Rule

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the hypothesis that the mean is 0, from the model of the interval.

        Without any chance in the data (rule ``constant``) it is 1 for a mean of 0 and otherwise 0.
        """
        if self.standard_error == 0:
            return 1.0 if self.estimate == 0 else 0.0
        return t_p_value(self.estimate / self.standard_error, self.degrees_of_freedom)


@dataclass(frozen=True)
class MeanSquares:
    """Two-way analysis of variance with one value per cell: R seeds by C images."""

    seeds: int
    images: int
    seed: float
    image: float
    residual: float


def as_matrix(values: npt.ArrayLike) -> FloatArray:
    """Return ``values`` as a float64 matrix of shape (R seeds, C images).

    Raises:
        ValueError: not two-dimensional, no seed, fewer than two images, or a value that is not finite.
    """
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] < 1 or matrix.shape[1] < 2:
        raise ValueError(
            f"The values have the shape {matrix.shape}; give a matrix of at least one seed and two images."
        )
    if not np.isfinite(matrix).all():
        seed, image = np.argwhere(~np.isfinite(matrix))[0]
        raise ValueError(f"The value of seed {seed}, image {image} is {matrix[seed, image]}; leave that seed out.")
    return matrix


def mean_squares(values: npt.ArrayLike) -> MeanSquares:
    """Return the mean squares of a matrix of shape (R seeds, C images), R >= 2, C >= 2.

    Mean squares that are nothing but rounding of the input are returned as 0.

    Raises:
        ValueError: as ``as_matrix``, or one seed.
    """
    matrix = as_matrix(values)
    seeds, images = matrix.shape
    if seeds < 2:
        raise ValueError("One seed has no mean squares between seeds; give a matrix of at least two seeds.")
    seed_means = matrix.mean(axis=1)
    image_means = matrix.mean(axis=0)
    residuals = matrix - seed_means[:, None] - image_means[None, :] + matrix.mean()
    return MeanSquares(
        seeds=seeds,
        images=images,
        seed=_beyond_rounding(matrix, images * float(seed_means.var(ddof=1))),
        image=_beyond_rounding(matrix, seeds * float(image_means.var(ddof=1))),
        residual=_beyond_rounding(matrix, float((residuals**2).sum()) / ((seeds - 1) * (images - 1))),
    )


def this_test_set(values: npt.ArrayLike, confidence: float = 0.95) -> MeanEstimate:
    """Estimate the mean for these images over all seeds that might have been drawn.

    Args:
        values: shape (R seeds, C images).
        confidence: of the two-sided interval.

    Raises:
        ValueError: as ``as_matrix``, or a confidence not between 0 and 1.
    """
    check_confidence(confidence)
    matrix = as_matrix(values)
    if len(matrix) < 2:
        nan = float("nan")
        return MeanEstimate(float(matrix.mean()), nan, nan, nan, nan, confidence, "undefined")
    squares = mean_squares(matrix)
    return _estimate(matrix, squares.seed, squares.seeds - 1, confidence, "seeds")


def new_images(values: npt.ArrayLike, confidence: float = 0.95) -> MeanEstimate:
    """Estimate the mean over all seeds and all images that might have been drawn.

    Args:
        values: shape (R seeds, C images).
        confidence: of the two-sided interval.

    Raises:
        ValueError: as ``as_matrix``, or a confidence not between 0 and 1.
    """
    check_confidence(confidence)
    matrix = as_matrix(values)
    if len(matrix) < 2:
        between_images = _beyond_rounding(matrix, float(matrix[0].var(ddof=1)))
        return _estimate(matrix, between_images, matrix.shape[1] - 1, confidence, "one_seed")
    squares = mean_squares(matrix)
    no_image_component = squares.image <= squares.residual * (1 + ROUNDING)
    if no_image_component and squares.seed == 0:
        freedom = (squares.seeds - 1) * (squares.images - 1)
        return _estimate(matrix, squares.residual, freedom, confidence, "residual_only")
    if no_image_component:
        return _estimate(matrix, squares.seed, squares.seeds - 1, confidence, "seeds_only")
    total = squares.seed + squares.image - squares.residual
    return _estimate(matrix, total, satterthwaite(squares), confidence, "crossed")


def satterthwaite(squares: MeanSquares) -> float:
    """Return the degrees of freedom of MS_seed + MS_image - MS_residual.

    The formula is Satterthwaite's (1946, Biometrics Bulletin 2, 110-114). A sum of mean squares has at least
    as many as its poorest term; with the subtracted term the formula can fall below that (to 0.2 with three
    seeds whose means happen to agree), so the smaller of R - 1 and C - 1 is the least.
    """
    by_seed, by_image = squares.seeds - 1, squares.images - 1
    total = squares.seed + squares.image - squares.residual
    spread = squares.seed**2 / by_seed + squares.image**2 / by_image + squares.residual**2 / (by_seed * by_image)
    return float(max(total**2 / spread, min(by_seed, by_image)))


def _beyond_rounding(matrix: FloatArray, mean_square: float) -> float:
    return mean_square if mean_square > (ROUNDING * float(np.abs(matrix).max())) ** 2 else 0.0


def _estimate(
    matrix: FloatArray, mean_square: float, degrees_of_freedom: float, confidence: float, rule: Rule
) -> MeanEstimate:
    mean = float(matrix.mean())
    if mean_square == 0:
        mean = mean if abs(mean) > ROUNDING * float(np.abs(matrix).max()) else 0.0
        return MeanEstimate(mean, mean, mean, 0.0, degrees_of_freedom, confidence, "constant")
    error = float(np.sqrt(mean_square / matrix.size))
    half = t_quantile(confidence, degrees_of_freedom) * error
    return MeanEstimate(mean, mean - half, mean + half, error, degrees_of_freedom, confidence, rule)
