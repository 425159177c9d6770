"""Which pairs of networks differ in their ranks, after Friedman's test.

Nemenyi's test compares the difference of two average ranks with its variance when all orders are equally likely, by the
studentised range, so that its level holds for all pairs together (Nemenyi 1963; Demsar 2006, Journal of Machine
Learning Research 7, section 3.2.2). Conover's uses the variance of the ranks that were found, by Student's t (Conover
1999, Practical Nonparametric Statistics, section 5.8), and needs a correction for the number of pairs: here Holm's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.comparison.multiplicity import holm
from fbench.statistics.many.ranks import FloatArray, agree, as_scores, average_ranks, ranks, sums_of_squares


def nemenyi(scores: npt.ArrayLike) -> FloatArray:
    """P-values of all pairs by Nemenyi's test, adjusted for all pairs together, as is usual without regard to ties.

    Args:
        scores: shape (n blocks, k networks), more is better.

    Returns:
        Symmetric, shape (k, k), 1 on the diagonal. With one block, which knows nothing of chance, NaN off the diagonal.

    Raises:
        ValueError: a score is NaN, or not a matrix of scores.
    """
    from scipy import stats  # triples the time to import

    matrix = as_scores(scores)
    blocks, networks = matrix.shape
    if blocks < 2:
        return _undefined(networks)
    means = average_ranks(matrix)
    first, second = np.triu_indices(networks, 1)
    statistic = np.abs(means[first] - means[second]) / _standard_error(blocks, networks)
    return _symmetric(np.clip(stats.studentized_range.sf(statistic, networks, np.inf), 0.0, 1.0), networks)


def conover(scores: npt.ArrayLike) -> FloatArray:
    """P-values of all pairs by Conover's test with Holm's correction; arguments and result as :func:`nemenyi`.

    For exploring: beside a network that stands out it tells equal ones apart in up to 25 % of small tables
    (``results/inference/rank_tests.csv``), as the spread of ranks is then smaller than that of chance.

    Where all blocks agree the ranks found have no variance: pairs of unequal ranks then have p = 0, which overstates
    what few blocks can say; look at Friedman's exact p-value beside it. Where every block is one tie all are 1.

    Raises:
        ValueError: a score is NaN, or not a matrix of scores.
    """
    found = ranks(scores)
    blocks, networks = found.shape
    if blocks < 2:
        return _undefined(networks)
    sums = found.sum(axis=0)
    first, second = np.triu_indices(networks, 1)
    distance = np.abs(sums[first] - sums[second])
    if agree(found):
        return _symmetric(np.where(distance > 0, 0.0, 1.0), networks)
    between, within = sums_of_squares(found)
    freedom = (blocks - 1) * (networks - 1)
    error = np.sqrt(2 * blocks * (within - between) / freedom)
    p_values = 2 * special.stdtr(freedom, -distance / error)
    return _symmetric(holm(p_values), networks)


def critical_difference(blocks: int, networks: int, level: float = 0.05) -> float:
    """The difference of two average ranks from which on Nemenyi's test calls them different.

    Demsar 2006, section 3.2.2. NaN with fewer than two blocks or networks.

    Raises:
        ValueError: the level is not between 0 and 1.
    """
    from scipy import stats

    if not 0 < level < 1:
        raise ValueError(f"A level of {level} is not possible; give a number between 0 and 1, such as 0.05.")
    if blocks < 2 or networks < 2:
        return float("nan")
    return float(stats.studentized_range.isf(level, networks, np.inf)) * _standard_error(blocks, networks)


def _standard_error(blocks: int, networks: int) -> float:
    """Of an average rank when all orders of a block are equally likely."""
    return float(np.sqrt(networks * (networks + 1) / (12 * blocks)))


def _symmetric(p_values: FloatArray, networks: int) -> FloatArray:
    matrix = np.eye(networks)
    upper = np.triu_indices(networks, 1)
    matrix[upper] = p_values
    matrix.T[upper] = p_values
    return matrix


def _undefined(networks: int) -> FloatArray:
    return np.where(np.eye(networks, dtype=bool), 1.0, np.nan)
