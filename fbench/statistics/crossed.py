"""The crossed analysis of variance of seeds and images, or of seeds and clusters of images.

``value[r, i] = mean + seed[r] + image[i] + residual[r, i]``: its mean squares, and what they say of the error of the
mean, whose variance is ``(MS_seed + MS_image - MS_residual) / (R C)`` (:mod:`fbench.statistics.estimands`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.statistics.clusters import Clusters
from fbench.statistics.sum_of_t import SumOfT, sum_of_t

FloatArray = npt.NDArray[np.float64]

ROUNDING = 1e-10  # differences below this share are rounding, not chance

FEW_SEEDS: Final = 10
"""With fewer seeds Satterthwaite's degrees of freedom are too poorly known for the small p-values that a family asks
for; what they would cost is in ``results/inference/few_seeds.csv``."""


@dataclass(frozen=True)
class MeanSquares:
    """Two-way analysis of variance with one value per cell: R seeds by C images, or by C clusters of them.

    ``freedom_of_clusters`` are the degrees of freedom of ``image`` where these are clusters.
    """

    seeds: int
    images: int
    seed: float
    image: float
    residual: float
    freedom_of_clusters: float | None = None

    @property
    def image_freedom(self) -> float:
        """The degrees of freedom of ``image``: C - 1, fewer for clusters of unequal sizes."""
        return self.images - 1.0 if self.freedom_of_clusters is None else self.freedom_of_clusters


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


def mean_squares(values: npt.ArrayLike, clusters: Clusters | None = None) -> MeanSquares:
    """Return the mean squares of a matrix of shape (R seeds, C images), R >= 2, C >= 2.

    With clusters the columns are these: the mean squares are those of what each cluster adds to the mean of all seeds,
    and of what it adds to a seed's mean beyond that. The mean of a seed stays that of all its images, so that
    ``(MS_seed + MS_image - MS_residual) / (R C)`` is the variance of the mean over images here too. Mean squares that
    are nothing but rounding of the input are returned as 0.

    Raises:
        ValueError: as ``as_matrix``, or one seed.
    """
    matrix = as_matrix(values)
    seeds, images = matrix.shape
    if seeds < 2:
        raise ValueError("One seed has no mean squares between seeds; give a matrix of at least two seeds.")
    image_means = matrix.mean(axis=0)
    if clusters is None:
        residuals = matrix - matrix.mean(axis=1)[:, None]
        residuals -= image_means
        residuals += matrix.mean()
    else:
        images = clusters.count
        residuals = clusters.contributions(matrix) - clusters.contributions(image_means)
    least = _rounding_of(matrix)
    of_image = seeds * between_images(image_means, clusters)
    of_residual = float(np.square(residuals, out=residuals).sum()) / ((seeds - 1) * (images - 1))
    return MeanSquares(
        seeds=seeds,
        images=images,
        seed=seed_mean_square(matrix, images),
        image=of_image if of_image > least else 0.0,
        residual=of_residual if of_residual > least else 0.0,
        freedom_of_clusters=None if clusters is None else clusters.freedom,
    )


def seed_mean_square(matrix: FloatArray, images: int) -> float:
    """The mean square between two or more seeds alone, over so many images or clusters."""
    return beyond_rounding(matrix, images * float(matrix.mean(axis=1).var(ddof=1)))


def between_images(values: FloatArray, clusters: Clusters | None) -> float:
    """The variance between images of one value each, shape (C,), or between their clusters: over the number of either
    it is that of the mean."""
    if clusters is None:
        return float(values.var(ddof=1))
    return float((clusters.contributions(values) ** 2).sum()) / (clusters.count - 1)


def image_freedom(images: int, clusters: Clusters | None) -> float:
    """The degrees of freedom of :func:`between_images`."""
    return images - 1.0 if clusters is None else clusters.freedom


def satterthwaite(squares: MeanSquares) -> float:
    """Return the degrees of freedom of MS_seed + MS_image - MS_residual.

    The formula is Satterthwaite's (1946, Biometrics Bulletin 2, 110-114). A sum of mean squares has at least
    as many as its poorest term; with the subtracted term the formula can fall below that (to 0.2 with three
    seeds whose means happen to agree), so the smaller of R - 1 and C - 1 is the least.
    """
    by_seed, by_image = squares.seeds - 1, squares.image_freedom
    total = squares.seed + squares.image - squares.residual
    spread = squares.seed**2 / by_seed + squares.image**2 / by_image + squares.residual**2 / (by_seed * by_image)
    return float(max(total**2 / spread, min(by_seed, by_image)))


def error_distribution(squares: MeanSquares) -> SumOfT:
    """The distribution of the mean's error over its standard error, that of Behrens and Fisher.

    The parts are MS_seed with R - 1 degrees of freedom and MS_image - MS_residual with Satterthwaite's, at least the
    smaller of R - 1 and C - 1, or for clusters of what they have instead.
    """
    by_seed, by_image = squares.seeds - 1.0, squares.image_freedom
    of_images = squares.image - squares.residual
    if of_images <= 0:
        return sum_of_t([(squares.seed, by_seed)])
    spread = squares.image**2 / by_image + squares.residual**2 / (by_seed * by_image)
    return sum_of_t([(squares.seed, by_seed), (of_images, max(of_images**2 / spread, min(by_seed, by_image)))])


def beyond_rounding(matrix: FloatArray, mean_square: float) -> float:
    """A mean square of this matrix, or 0 where it is nothing but rounding of the input."""
    return mean_square if mean_square > _rounding_of(matrix) else 0.0


def _rounding_of(matrix: FloatArray) -> float:
    """The mean square below which nothing but rounding of the input is left."""
    return (ROUNDING * max(float(matrix.max()), -float(matrix.min()))) ** 2
