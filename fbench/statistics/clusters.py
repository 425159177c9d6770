"""Images that are not independent: frames of one subject, or copies of one picture.

The independent unit of a data set is then the cluster. N images in G clusters, n_g of them in cluster g, give a mean D
over all images; T_g is the total of a cluster. What a cluster adds to the mean is, to first order,
``u_g = (G / N) (T_g - n_g D)``: the mean is that of a ratio, of totals to sizes, and clusters are drawn whole
(Cochran 1977, Sampling Techniques, section 9A.3; Obuchowski 1997, Biometrics 53, 567-578, for clusters in diagnostic
studies). A crossed model of seeds and clusters is that of seeds and images with these in place of the images'
deviations (:func:`fbench.statistics.crossed.mean_squares`).

D is made of the clusters that it is taken off from, the more so of the large ones, so that the u_g are too small. Each
is divided by sqrt(1 - n_g / N), the bias-reduced linearization of Bell and McCaffrey (2002, Survey Methodology 28,
169-181; CR2 for a mean). For clusters of equal sizes, images among them, this is the usual G - 1.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Clusters:
    """Which images belong together: ``numbers`` int (N,) from 0 to G - 1, each of which occurs; G >= 2.

    Raises:
        ValueError: numbers that are not so.
    """

    numbers: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        """See that every cluster has an image, and that there are two."""
        counts = np.bincount(self.numbers) if self.numbers.size and self.numbers.min() >= 0 else np.zeros(1)
        if self.numbers.ndim != 1 or len(counts) < 2 or not counts.all():
            raise ValueError(
                f"{len(counts)} clusters of {self.numbers.size} images, the smallest of {int(counts.min())}, were "
                "given; number them from 0 on, at least two, each with an image."
            )

    @cached_property
    def sizes(self) -> FloatArray:
        """Images of each cluster, n_g, shape (G,)."""
        return np.bincount(self.numbers).astype(np.float64)

    @property
    def count(self) -> int:
        """G."""
        return len(self.sizes)

    @property
    def images(self) -> int:
        """N."""
        return self.numbers.size

    @property
    def effective(self) -> float:
        """The number of clusters of equal sizes that would say as much, ``N^2 / sum n_g^2`` (Kish 1965, Survey
        Sampling, section 11.7)."""
        return float(self.images**2 / (self.sizes**2).sum())

    @property
    def freedom(self) -> float:
        """Degrees of freedom of a variance between clusters: ``effective`` less 1, which is G - 1 for equal sizes.

        Bell and McCaffrey's, made for independent images, are the same to 0.01 for the sizes of CK+.
        """
        return self.effective - 1

    def among(self, keep: npt.NDArray[np.bool_]) -> Clusters | None:
        """The clusters of the images where ``keep`` (N,) is true; none where no two of these belong together.

        Raises:
            ValueError: all of these belong together.
        """
        return clusters_of(self.numbers[keep].tolist())

    def totals(self, values: npt.ArrayLike) -> FloatArray:
        """The total of each cluster, of values of shape (..., N); shape (..., G)."""
        order, starts = self._order
        return np.add.reduceat(np.asarray(values, dtype=np.float64)[..., order], starts, axis=-1)

    def contributions(self, values: npt.ArrayLike) -> FloatArray:
        """What each cluster adds to the mean of values of shape (..., N), about 0, on the scale of single values:
        ``(G / N) (T_g - n_g D)`` over ``sqrt((1 - n_g / N) / (1 - 1 / G))``; shape (..., G).

        The sum of their squares over ``G (G - 1)`` is the variance of the mean where clusters are independent. For
        clusters of one image each they are the deviations from the mean.
        """
        matrix = np.asarray(values, dtype=np.float64)
        raw = self.count / self.images * (self.totals(matrix) - self.sizes * matrix.mean(axis=-1, keepdims=True))
        return np.asarray(raw * np.sqrt((1 - 1 / self.count) / (1 - self.sizes / self.images)), dtype=np.float64)

    @cached_property
    def _order(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        return np.argsort(self.numbers, kind="stable"), np.r_[0, np.cumsum(self.sizes)[:-1]].astype(np.intp)


def clusters_of(names: Sequence[Hashable]) -> Clusters | None:
    """The clusters of images by the name of each, in order of appearance; none where no two images share one.

    Raises:
        ValueError: all images share one.
    """
    numbers: dict[Hashable, int] = {}
    found = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
    return None if len(numbers) == len(found) else Clusters(found)
