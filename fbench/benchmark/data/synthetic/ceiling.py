"""The Bayes rate of the generator by Monte Carlo: an upper bound for every classifier of its images."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.synthetic.expressions import (
    CLASS_NAMES,
    UNIFORMS_PER_IMAGE,
    bayes_posterior,
    sample_intensities,
)

_IMAGES_AT_A_TIME: Final[int] = 20_000


class BayesRate(NamedTuple):
    """Share of images that the best possible classifier gets right, with its Monte Carlo standard error.

    ``class_name`` is ``all``, or the class whose recall under that classifier this is.
    """

    class_name: str
    rate: float
    standard_error: float


def bayes_rate(images: int, generator: np.random.Generator) -> list[BayesRate]:
    """Estimate the Bayes rate from the action-unit intensities, for all classes together and for each.

    The rate for all classes is the mean of the largest posterior probability, which estimates the same number as the
    accuracy of the best classifier with less noise; the rate of a class is the share of its images that it gets.

    Args:
        images: drawn with equal class frequencies, at least 7.
        generator: of the draws.
    """
    largest, correct, labels = [], [], []
    for first in range(0, images, _IMAGES_AT_A_TIME):
        some = np.arange(first, min(first + _IMAGES_AT_A_TIME, images)) % len(CLASS_NAMES)
        uniforms = generator.random((len(some), UNIFORMS_PER_IMAGE))
        posterior = bayes_posterior(sample_intensities(some, uniforms))
        largest.append(posterior.max(axis=1))
        correct.append((posterior.argmax(axis=1) == some).astype(np.float64))
        labels.append(some)
    right, label = np.concatenate(correct), np.concatenate(labels)
    classes = [_mean(name, right[label == k]) for k, name in enumerate(CLASS_NAMES)]
    return [_mean("all", np.concatenate(largest)), *classes]


def _mean(name: str, values: npt.NDArray[np.float64]) -> BayesRate:
    return BayesRate(name, float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size)))
