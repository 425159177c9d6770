"""Groups of networks within which no pair differs: the bars of a critical-difference diagram."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def cliques(average_ranks: npt.ArrayLike, p_values: npt.ArrayLike, level: float = 0.05) -> tuple[tuple[int, ...], ...]:
    """Find the largest groups, contiguous in the order of ranks, of which no pair differs.

    A group is contiguous so that it can be drawn as a bar over the axis. Two networks that differ from one between them
    but not from each other, which a p-value matrix may say, are therefore in no group together.

    Args:
        average_ranks: shape (k,), less is better.
        p_values: symmetric, shape (k, k), adjusted for all pairs; a pair differs where its p-value is below ``level``.
            A NaN, of a pair that could not be tested, is no difference.
        level: between 0 and 1.

    Returns:
        Each group of at least two as positions in the input, best rank first; groups by their best rank.

    Raises:
        ValueError: shapes that do not fit, or a matrix that is not symmetric.
    """
    means, matrix = np.asarray(average_ranks, dtype=np.float64), np.asarray(p_values, dtype=np.float64)
    if means.ndim != 1 or matrix.shape != (means.size, means.size):
        raise ValueError(f"Ranks of shape {means.shape} and p-values of shape {matrix.shape} do not fit; give (k, k).")
    if not np.array_equal(matrix, matrix.T, equal_nan=True):
        raise ValueError("The matrix of p-values is not symmetric; give one p-value for each pair.")
    order = np.argsort(means, kind="stable")
    differs = matrix[np.ix_(order, order)] < level
    found: list[tuple[int, ...]] = []
    reached = 0
    for start in range(means.size):
        end = start + 1
        while end < means.size and not differs[start : end + 1, end].any():
            end += 1
        if end - start > 1 and end > reached:
            found.append(tuple(int(index) for index in order[start:end]))
            reached = end
    return tuple(found)
