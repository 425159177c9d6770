"""The seven expressions as distributions over action-unit intensities, and the posterior they imply.

Which action units make an expression follows the prototypes of EMFACS (W. V. Friesen and P. Ekman, *EMFACS-7:
Emotional Facial Action Coding System*, 1983) in the selection of this project's default data set; the five
intensity levels A (trace) to E (maximum) are those of FACS (Ekman, Friesen and Hager, 2002).

Given the class, an image draws one level. Each action unit of the prototype then draws its intensity in (0, 1)
around that level; every other action unit draws a background intensity, mostly small, now and then marked. All
densities are Kumaraswamy densities (P. Kumaraswamy, Journal of Hydrology 46, 1980), which are smooth and have a
closed-form inverse distribution function, so sampling is one formula and the posterior of the class given the
intensities is exact. Classes overlap because traces of an expression look like background: no label is ever flipped.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.synthetic.action_units import AU_NUMBERS

FloatArray = npt.NDArray[np.float64]

EXPRESSIONS: Final[dict[str, tuple[int, ...]]] = {
    "angry": (4, 5, 7, 23),
    "disgust": (9, 15, 16),
    "fear": (1, 2, 4, 5, 7, 20, 26),
    "happy": (6, 12),
    "sad": (1, 4, 15),
    "surprise": (1, 2, 5, 26),
    "neutral": (),
}
"""Action units of each class, classes in the order of FER2013."""

CLASS_NAMES: Final[tuple[str, ...]] = tuple(EXPRESSIONS)

LEVEL_PROBABILITIES: Final[FloatArray] = np.array([0.06, 0.06, 0.07, 0.16, 0.65])
"""Probability of the levels A to E."""

LEVEL_SHAPES: Final[FloatArray] = np.array([[1.3, 0.07], [1.8, 0.25], [3.0, 0.48], [5.0, 0.70], [9.0, 0.88]])
"""Kumaraswamy shape ``a`` and median of an action unit of the prototype at the levels A to E."""

BACKGROUND_PROBABILITIES: Final[FloatArray] = np.array([0.97, 0.03])
"""Probability that an action unit outside the prototype stays small, or is marked."""

BACKGROUND_SHAPES: Final[FloatArray] = np.array([[1.0, 0.04], [1.6, 0.25]])
"""Kumaraswamy shape ``a`` and median of the two kinds of background."""

UNIFORMS_PER_IMAGE: Final[int] = 1 + 2 * len(AU_NUMBERS)
"""Uniform draws one image needs: its level, then for each action unit a mixture component and a value."""

_PROTOTYPES: Final[npt.NDArray[np.bool_]] = np.array(
    [[number in units for number in AU_NUMBERS] for units in EXPRESSIONS.values()]
)


def sample_intensities(labels: npt.NDArray[np.integer], uniforms: FloatArray) -> FloatArray:
    """Draw action-unit intensities given the classes.

    Args:
        labels: (N,) indices into :data:`CLASS_NAMES`.
        uniforms: (N, :data:`UNIFORMS_PER_IMAGE`) draws in [0, 1).

    Returns:
        (N, 13) intensities in [0, 1], columns as in ``AU_NUMBERS``.
    """
    units = len(AU_NUMBERS)
    level = _pick(LEVEL_PROBABILITIES, uniforms[:, :1])
    kind = _pick(BACKGROUND_PROBABILITIES, uniforms[:, 1 : 1 + units])
    in_prototype = _PROTOTYPES[labels][:, :, None]
    shapes = np.where(in_prototype, LEVEL_SHAPES[level], BACKGROUND_SHAPES[kind])
    return _inverse_distribution(uniforms[:, 1 + units : 1 + 2 * units], shapes[..., 0], shapes[..., 1])


def bayes_posterior(intensities: npt.NDArray[np.floating]) -> FloatArray:
    """Probability of each class given the action-unit intensities, classes being equally frequent.

    Pixels are a function of the intensities and of variables that do not depend on the class, so no classifier of
    images can be right more often than the largest of these probabilities on average.

    Args:
        intensities: (N, 13) in [0, 1], columns as in ``AU_NUMBERS``.

    Returns:
        (N, 7) probabilities, rows summing to 1, columns as in :data:`CLASS_NAMES`.
    """
    log_likelihood = _log_likelihood(np.clip(np.asarray(intensities, np.float64), 1e-9, 1 - 1e-9))
    weights = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float64)


def _log_likelihood(intensities: FloatArray) -> FloatArray:
    """Logarithm of the density of the intensities under each class, (N, 7)."""
    values = intensities[:, None, :]
    background = _density(values, BACKGROUND_SHAPES[:, :1], BACKGROUND_SHAPES[:, 1:])
    log_background = np.log(np.einsum("k,nku->nu", BACKGROUND_PROBABILITIES, background))
    log_target = np.log(_density(values, LEVEL_SHAPES[:, :1], LEVEL_SHAPES[:, 1:]))
    gain = np.einsum("cu,nlu->ncl", _PROTOTYPES.astype(np.float64), log_target - log_background[:, None, :])
    per_level = gain + np.log(LEVEL_PROBABILITIES)
    return np.asarray(np.logaddexp.reduce(per_level, axis=2) + log_background.sum(axis=1, keepdims=True))


def _pick(probabilities: FloatArray, uniforms: FloatArray) -> npt.NDArray[np.int64]:
    """Component of a discrete distribution for each uniform draw."""
    return np.searchsorted(np.cumsum(probabilities)[:-1], uniforms, side="right")


def _second_shape(shape: FloatArray, median: FloatArray) -> FloatArray:
    """Kumaraswamy's ``b`` from ``a`` and the median: the distribution function is 1 - (1 - x^a)^b."""
    return np.asarray(np.log(0.5) / np.log1p(-(median**shape)))


def _inverse_distribution(uniforms: FloatArray, shape: FloatArray, median: FloatArray) -> FloatArray:
    second = _second_shape(shape, median)
    return np.asarray((1 - (1 - uniforms) ** (1 / second)) ** (1 / shape))


def _density(values: FloatArray, shape: FloatArray, median: FloatArray) -> FloatArray:
    second = _second_shape(shape, median)
    return np.asarray(shape * second * values ** (shape - 1) * (1 - values**shape) ** (second - 1))
