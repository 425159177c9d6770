"""Corrections for a family of tests: of the chance of any false finding, or of the share of false ones."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

Correction = Literal["holm", "false_discovery_rate"]
"""``holm`` for claims; ``false_discovery_rate`` (Benjamini and Hochberg) for exploring."""


def adjust(p_values: npt.ArrayLike, correction: Correction = "holm", tests: int = 0) -> FloatArray:
    """Adjust the p-values of one family by the correction named."""
    return holm(p_values, tests) if correction == "holm" else benjamini_hochberg(p_values, tests)


def holm(p_values: npt.ArrayLike, tests: int = 0) -> FloatArray:
    """Adjust the p-values of one family so that its chance of any false finding stays below the level used.

    Holm 1979, Scandinavian Journal of Statistics 6, 65-70.

    Args:
        p_values: shape (m,), in any order; an empty family is allowed.
        tests: how many the family was planned with, where that is more: those not made count with a p-value of 1.

    Returns:
        Adjusted p-values, shape (m,), in the order given.

    Raises:
        ValueError: more than one dimension, or a p-value that is NaN or outside 0 to 1.
    """
    given = _checked(p_values, "Holm's correction")
    order = np.argsort(given, kind="stable")
    scaled = given[order] * (max(tests, given.size) - np.arange(given.size))
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted


def benjamini_hochberg(p_values: npt.ArrayLike, tests: int = 0) -> FloatArray:
    """Adjust the p-values of one family so that the expected share of false findings stays below the level used.

    Benjamini and Hochberg 1995, J. Royal Statistical Society B 57, 289-300. Arguments and errors as :func:`holm`.
    """
    given = _checked(p_values, "The false discovery rate")
    order = np.argsort(given, kind="stable")
    scaled = given[order] * max(tests, given.size) / np.arange(1, given.size + 1)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def levels_of_tests(
    p_values: npt.ArrayLike, correction: Correction = "holm", level: float = 0.05, tests: int = 0
) -> FloatArray:
    """The level at which the correction compared each p-value: below it exactly where the hypothesis is rejected.

    An interval of confidence 1 minus this level leaves out the hypothesis exactly where it is rejected. Of m tests,
    Holm's correction compares the k-th smallest p-value, if it is rejected, with ``level / (m - k + 1)``, and those
    that remain after r rejections with ``level / (m - r)``. Benjamini and Hochberg's rejects r with ``r level / m``
    (Benjamini, Yekutieli 2005, J. American Statistical Association 100, 71-81, for these intervals) and holds the
    others against ``(r + 1) level / m``.

    Arguments and errors as :func:`holm`; ``level`` is that of the family. Returns shape (m,), in the order given.
    """
    given = _checked(p_values, "The level of a test")
    planned = max(tests, given.size)
    is_rejected = adjust(given, correction, tests) < level
    rejected = int(is_rejected.sum())
    if correction == "false_discovery_rate":
        return np.where(is_rejected, rejected, rejected + 1) * level / max(planned, 1)
    ranks = np.empty(given.size, dtype=np.int64)
    ranks[np.argsort(given, kind="stable")] = np.arange(given.size)
    return np.asarray(level / (planned - np.where(is_rejected, ranks, rejected)))


def _checked(p_values: npt.ArrayLike, what: str) -> FloatArray:
    given = np.asarray(p_values, dtype=np.float64)
    if given.ndim != 1 or not ((given >= 0) & (given <= 1)).all():
        raise ValueError(f"{what} needs p-values between 0 and 1; given were {given.tolist()}.")
    return given
