"""McNemar's exact test: two trained networks on the same images (McNemar 1947, Psychometrika 12, 153-157).

It speaks of these two trainings on new images, not of the two architectures: the chance of the seed is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special


@dataclass(frozen=True)
class McNemarTest:
    """Images that only ours or only theirs has right, and the two-sided p-value of an even chance between the two."""

    only_ours: int
    only_theirs: int
    p_value: float


def mcnemar(ours: npt.ArrayLike, theirs: npt.ArrayLike) -> McNemarTest:
    """Test two rows of answers, shape (C images,) each, True or 1 where right.

    The p-value is the exact one of the binomial distribution, twice the smaller tail and at most 1.

    Raises:
        ValueError: rows of different lengths, no image, or a value that is neither 0 nor 1.
    """
    a, b = np.asarray(ours), np.asarray(theirs)
    if a.ndim != 1 or a.shape != b.shape or a.size == 0:
        raise ValueError(f"Answers of the shapes {a.shape} and {b.shape} do not pair; give two rows of equal length.")
    if not (np.isin(a, (0, 1)).all() and np.isin(b, (0, 1)).all()):
        raise ValueError("An answer is neither right nor wrong; mark each as 1 (right) or 0 (wrong).")
    only_ours, only_theirs = int(((a == 1) & (b == 0)).sum()), int(((a == 0) & (b == 1)).sum())
    tail = float(special.bdtr(min(only_ours, only_theirs), only_ours + only_theirs, 0.5))
    return McNemarTest(only_ours, only_theirs, min(1.0, 2 * tail))
