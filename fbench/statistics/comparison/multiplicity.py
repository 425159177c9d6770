"""Corrections for a family of tests: of the chance of any false finding, or of the share of false ones."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

Correction = Literal["holm", "false_discovery_rate"]
"""``holm`` for claims; ``false_discovery_rate`` (Benjamini and Hochberg) for exploring."""


def adjust(p_values: npt.ArrayLike, correction: Correction = "holm") -> FloatArray:
    """Adjust the p-values of one family by the correction named."""
    return holm(p_values) if correction == "holm" else benjamini_hochberg(p_values)


def holm(p_values: npt.ArrayLike) -> FloatArray:
    """Adjust the p-values of one family so that its chance of any false finding stays below the level used.

    Holm 1979, Scandinavian Journal of Statistics 6, 65-70.

    Args:
        p_values: shape (m,), in any order; an empty family is allowed.

    Returns:
        Adjusted p-values, shape (m,), in the order given.

    Raises:
        ValueError: more than one dimension, or a p-value that is NaN or outside 0 to 1.
    """
    given = _checked(p_values, "Holm's correction")
    order = np.argsort(given, kind="stable")
    scaled = given[order] * np.arange(given.size, 0, -1)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted


def benjamini_hochberg(p_values: npt.ArrayLike) -> FloatArray:
    """Adjust the p-values of one family so that the expected share of false findings stays below the level used.

    Benjamini and Hochberg 1995, J. Royal Statistical Society B 57, 289-300. Arguments and errors as :func:`holm`.
    """
    given = _checked(p_values, "The false discovery rate")
    order = np.argsort(given, kind="stable")
    scaled = given[order] * given.size / np.arange(1, given.size + 1)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def _checked(p_values: npt.ArrayLike, what: str) -> FloatArray:
    given = np.asarray(p_values, dtype=np.float64)
    if given.ndim != 1 or not ((given >= 0) & (given <= 1)).all():
        raise ValueError(f"{what} needs p-values between 0 and 1; given were {given.tolist()}.")
    return given
