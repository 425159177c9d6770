"""Two networks on the same seeds and images: both estimands of their difference, always together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fbench.statistics.clusters import Clusters
from fbench.statistics.crossed import as_matrix
from fbench.statistics.discordance import discordance
from fbench.statistics.estimands import MeanEstimate, carried_by_images, new_images, this_test_set
from fbench.statistics.sign_flip import SignFlipTest, sign_flip


@dataclass(frozen=True)
class PairedComparison:
    """The difference A - B, in the unit of the input (a fraction for correctness; 0.01 is one point).

    Attributes:
        this_test_set: for these images; chance is the seed.
        sign_flip: the exact test of ``this_test_set``, which assumes no distribution.
        new_images: for new seeds and new images; verdicts and Holm's correction use its ``p_value``.
        seeds: number of paired trainings, R.
        images: number of test images, C.
    """

    this_test_set: MeanEstimate
    sign_flip: SignFlipTest
    new_images: MeanEstimate
    seeds: int
    images: int


def compare(differences: npt.ArrayLike, confidence: float = 0.95, clusters: Clusters | None = None) -> PairedComparison:
    """Compare two networks trained with the same seeds and tested on the same images.

    Args:
        differences: shape (R seeds, C images); correctness of A minus correctness of B, each -1, 0 or 1. Equal rows of
            A and B must come from equal seed numbers.
        confidence: of both two-sided intervals.
        clusters: of the images, where they are not independent; ``new_images`` is then for new clusters.

    Returns:
        Both estimands. With one seed ``this_test_set`` is undefined and ``new_images`` knows only the chance
        of the images; their ``rule`` says so (see ``fbench.statistics.estimands.Rule``).

    Raises:
        ValueError: not a finite matrix of at least one seed and two images, or a confidence not between 0 and
            1.
    """
    matrix = as_matrix(differences)
    return PairedComparison(
        this_test_set=this_test_set(matrix, confidence),
        sign_flip=sign_flip(np.mean(matrix, axis=1)),
        new_images=new_images_difference(matrix, confidence, clusters=clusters),
        seeds=matrix.shape[0],
        images=matrix.shape[1],
    )


def new_images_difference(
    differences: npt.ArrayLike,
    confidence: float = 0.95,
    step: float = 1.0,
    largest: float = 1.0,
    clusters: Clusters | None = None,
) -> MeanEstimate:
    """The mean of paired differences for new seeds and new images, with no more certainty than its images can carry.

    Args:
        differences: shape (R seeds, C images), each from ``-largest`` to ``largest``.
        confidence: of the two-sided interval.
        step: what another answer to one image changes its value by.
        largest: 1 for two networks; the sum of the positive weights for a contrast of several.
        clusters: of the images, where they are not independent.

    Raises:
        ValueError: as :func:`compare`.
    """
    matrix = as_matrix(differences)
    of_model = new_images(matrix, confidence, step, clusters)
    return carried_by_images(of_model, discordance(matrix, largest, clusters))
