"""The mean accuracies of many networks for new images, with their joint uncertainty.

The crossed random effects model of :mod:`fbench.statistics.estimands` for all networks at once: the value of a seed and
an image is a vector over networks, each mean square a matrix of mean cross-products, and the means have the covariance
``(MS_seed + MS_image - MS_residual) / (R C)``; where images belong to clusters, the mean cross-products are those of
clusters. Its diagonal is the variance that ``new_images`` gives each network, and the variance of a difference of two
networks follows from it. Networks err on the same images, so that differences are known better than the accuracies
themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from fbench.statistics.clusters import Clusters
from fbench.statistics.crossed import MeanSquares, image_freedom, satterthwaite
from fbench.statistics.estimands import new_images

FloatArray = npt.NDArray[np.float64]

SeedUse = Literal["common", "own"]
"""``common``: all networks were trained with the same seeds; ``own``: seeds are independent between networks."""


@dataclass(frozen=True)
class MeanAccuracies:
    """Mean accuracies, fractions of 1, with the covariance of their errors.

    Attributes:
        means: shape (k networks,).
        covariance: shape (k, k), positive semidefinite; the diagonal are the squared standard errors of ``new_images``.
        degrees_of_freedom: of the differences between networks, by Satterthwaite's formula.
        seeds: whether seeds are shared between networks.
    """

    means: FloatArray
    covariance: FloatArray
    degrees_of_freedom: float
    seeds: SeedUse


def with_common_seeds(correct: npt.NDArray[np.bool_], clusters: Clusters | None = None) -> MeanAccuracies:
    """Mean accuracies of networks that were all trained with the same seeds and tested on the same images.

    Args:
        correct: bool, shape (k networks, R seeds, C images), R >= 2, C >= 2.
        clusters: of the images, where they are not independent.

    Estimation error can bring the covariance negative eigenvalues; they are left out, and the networks' own variances
    kept. The degrees of freedom are those of the sum over networks of the squared deviations from the networks' mean.

    Raises:
        ValueError: not three-dimensional, or fewer than two seeds or images.
    """
    answers = np.asarray(correct)
    if answers.ndim != 3 or answers.shape[0] < 1 or min(answers.shape[1:]) < 2:
        raise ValueError(f"The answers have the shape {answers.shape}; give (networks, 2 seeds, 2 images) or more.")
    seeds, images = answers.shape[1], answers.shape[2] if clusters is None else clusters.count
    seed, image, residual = (
        _mean_cross_products(answers) if clusters is None else _cross_products_of_clusters(answers, clusters)
    )
    freedom = None if clusters is None else clusters.freedom
    squares = MeanSquares(seeds, images, _spread(seed), _spread(image), _spread(residual), freedom)
    total = squares.seed + squares.image - squares.residual
    # Answers that never vary are no chance of the front.
    own = [new_images(found, step=0, clusters=clusters) for found in answers]
    return MeanAccuracies(
        means=np.array([found.estimate for found in own]),
        covariance=semidefinite((seed + image - residual) / (seeds * images), [one.standard_error**2 for one in own]),
        degrees_of_freedom=satterthwaite(squares) if total > 0 else float(seeds - 1),
        seeds="common",
    )


def with_own_seeds(correct: Sequence[npt.NDArray[np.bool_]], clusters: Clusters | None = None) -> MeanAccuracies:
    """Mean accuracies of networks with different seeds, tested on the same images.

    Seeds are taken as independent, images as shared: the covariance of two networks is that of their images' means
    over C, the variance of one that of its own crossed model. A network of one seed knows the chance of the images
    only. The degrees of freedom are the fewest that a network of more seeds has between its seeds.

    Args:
        correct: for each of k networks bool, shape (R seeds, C images), of the same images; C >= 2.
        clusters: of the images, where they are not independent.

    Raises:
        ValueError: no network, or shapes that do not fit.
    """
    answers = [np.asarray(found) for found in correct]
    images = {found.shape[1] if found.ndim == 2 and len(found) else 0 for found in answers}
    if len(images) != 1 or min(images) < 2:
        shapes = [found.shape for found in answers]
        raise ValueError(f"The answers have the shapes {shapes}; give (seeds, images) of the same 2 images or more.")
    (count,) = images
    of_images = image_freedom(count, clusters)
    # Answers that never vary are no chance of the front.
    own = [new_images(found, step=0, clusters=clusters) for found in answers]
    variances = [one.standard_error**2 for one in own]
    by_image = np.array([found.mean(axis=0, dtype=np.float64) for found in answers])
    if clusters is None:
        covariance = np.atleast_2d(np.cov(by_image)) / count
    else:
        parts = clusters.contributions(by_image)
        covariance = parts @ parts.T / (clusters.count * (clusters.count - 1))
    np.fill_diagonal(covariance, variances)
    return MeanAccuracies(
        means=np.array([found.estimate for found in own]),
        covariance=semidefinite(covariance, variances),
        degrees_of_freedom=float(min((len(found) - 1 for found in answers if len(found) > 1), default=of_images)),
        seeds="own",
    )


def semidefinite(matrix: FloatArray, variances: Sequence[float]) -> FloatArray:
    """A covariance matrix without its negative eigenvalues, rescaled to these variances.

    Leaving them out gives the nearest positive semidefinite matrix (Higham 1988, Linear Algebra and its Applications
    103, 103-118); scaling rows and columns alike keeps it so, and networks with the same answers without a difference.
    """
    wanted = np.asarray(variances, dtype=np.float64)
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    nearest = (vectors * np.maximum(values, 0)) @ vectors.T
    found = np.diag(nearest)
    known = found > 1e-12 * max(float(found.max()), 1e-300)
    scale = np.sqrt(np.where(known, wanted / np.where(known, found, 1.0), 0.0))
    return np.asarray(nearest * np.outer(scale, scale) + np.diag(np.where(known, 0.0, wanted)), dtype=np.float64)


def _mean_cross_products(answers: npt.NDArray[np.bool_]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean cross-products of seeds, images and residuals, each of shape (k, k)."""
    networks, seeds, images = answers.shape
    by_seed = answers.mean(axis=2, dtype=np.float64)
    by_image = answers.mean(axis=1, dtype=np.float64)
    both = np.zeros((networks, networks))
    for index in range(seeds):
        # Counts of images that both have right: exact in float32 up to 16 million images, and twice as fast.
        row = answers[:, index].astype(np.float32)
        both += row @ row.T
    grand = by_seed.mean(axis=1)
    seed_part = by_seed - grand[:, None]
    image_part = by_image - grand[:, None]
    of_seeds = images * seed_part @ seed_part.T
    of_images = seeds * image_part @ image_part.T
    total = both - seeds * images * np.outer(grand, grand)
    return (
        of_seeds / (seeds - 1),
        of_images / (images - 1),
        (total - of_seeds - of_images) / ((seeds - 1) * (images - 1)),
    )


def _cross_products_of_clusters(
    answers: npt.NDArray[np.bool_], clusters: Clusters
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """As :func:`_mean_cross_products`, of clusters."""
    seeds, count = answers.shape[1], clusters.count
    by_seed = answers.mean(axis=2, dtype=np.float64)
    seed_part = by_seed - by_seed.mean(axis=1, keepdims=True)
    of_clusters = clusters.contributions(answers.mean(axis=1, dtype=np.float64))
    residual = clusters.contributions(answers) - of_clusters[:, None]
    return (
        count * seed_part @ seed_part.T / (seeds - 1),
        seeds * of_clusters @ of_clusters.T / (count - 1),
        np.einsum("asg,bsg->ab", residual, residual) / ((seeds - 1) * (count - 1)),
    )


def _spread(cross_products: FloatArray) -> float:
    """The trace of cross-products of deviations from the networks' mean: what is left of them in differences."""
    if len(cross_products) < 2:
        return max(0.0, float(np.trace(cross_products)))
    return max(0.0, float(np.trace(cross_products) - cross_products.sum() / len(cross_products)))
