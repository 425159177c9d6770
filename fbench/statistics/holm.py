"""Holm's correction for a family of tests (Holm 1979, Scandinavian Journal of Statistics 6, 65-70)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def holm(p_values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Adjust the p-values of one family so that its chance of any false finding stays below the level used.

    Args:
        p_values: shape (m,), in any order; an empty family is allowed.

    Returns:
        Adjusted p-values, shape (m,), in the order given.

    Raises:
        ValueError: more than one dimension, or a p-value that is NaN or outside 0 to 1.
    """
    given = np.asarray(p_values, dtype=np.float64)
    if given.ndim != 1 or not ((given >= 0) & (given <= 1)).all():
        raise ValueError(f"Holm's correction needs p-values between 0 and 1; given were {given.tolist()}.")
    order = np.argsort(given, kind="stable")
    scaled = given[order] * np.arange(given.size, 0, -1)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted
