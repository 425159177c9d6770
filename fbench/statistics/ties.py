"""What is equal but for rounding: accuracies are counts over images, and sums of such fractions differ in the last bit.

In binary, 0.1 + 0.2 + 0.3 is more than 0.3 + 0.2 + 0.1. Two means over R seeds and C images that are not
equal as fractions differ by 1 / (R C) at least, which is above 1e-9 for a thousand seeds and a million images.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

TIES: Final = 1e-12
"""Share of the largest value within which two are equal: a hundred times the rounding of a mean of a thousand values,
and a thousandth of the least difference of two means of a thousand seeds and a million images."""


def ties_made_equal(values: npt.ArrayLike) -> FloatArray:
    """Values, shape (n,), in which those that differ by rounding alone have become the smallest of them.

    Afterwards they may be compared, ranked and sorted bit for bit. NaN and infinite values stay as they are.
    """
    given = np.asarray(values, dtype=np.float64)
    distinct, indices = np.unique(given, return_inverse=True)
    known = np.abs(distinct[np.isfinite(distinct)])
    within = TIES * float(known.max(initial=0.0))
    with np.errstate(invalid="ignore"):  # infinity less infinity is NaN, and no tie
        is_first = np.r_[True, ~(np.diff(distinct) <= within)][: distinct.size]
    firsts = distinct[is_first]
    return np.asarray(firsts[np.cumsum(is_first) - 1][indices.reshape(given.shape)], dtype=np.float64)
