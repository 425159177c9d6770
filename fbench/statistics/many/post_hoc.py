"""Which pairs of networks differ in their ranks, after Friedman's test.

Nemenyi's test compares the difference of two average ranks with its variance when all orders are equally likely, by the
studentised range, so that its level holds for all pairs together (Nemenyi 1963; Demsar 2006, Journal of Machine
Learning Research 7, section 3.2.2). Conover's uses the variance of the ranks that were found, by Student's t (Conover
1999, Practical Nonparametric Statistics, section 5.8), and needs a correction for the number of pairs: here Holm's.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.comparison.multiplicity import holm
from fbench.statistics.many.ranks import FloatArray, agree, as_scores, average_ranks, ranks, sums_of_squares

_NODES = 320
"""Of the quadrature. 160 nodes err by 6e-10 with 100 networks and by 1e-6 with 1,000."""

_LOW, _HIGH = -13.0, 8.0
"""Standard normal range of the smallest of the values; outside lies less than 1e-15, for up to 1,000 networks."""


def nemenyi(scores: npt.ArrayLike) -> FloatArray:
    """P-values of all pairs by Nemenyi's test, adjusted for all pairs together, as is usual without regard to ties.

    Args:
        scores: shape (n blocks, k networks), more is better.

    Returns:
        Symmetric, shape (k, k), 1 on the diagonal. With one block, which knows nothing of chance, NaN off the diagonal.

    Raises:
        ValueError: a score is NaN, or not a matrix of scores.
    """
    matrix = as_scores(scores)
    blocks, networks = matrix.shape
    if blocks < 2:
        return _undefined(networks)
    means = average_ranks(matrix)
    first, second = np.triu_indices(networks, 1)
    statistic = np.abs(means[first] - means[second]) / _standard_error(blocks, networks)
    return _symmetric(studentised_range_sf(statistic, networks), networks)


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
    if not 0 < level < 1:
        raise ValueError(f"A level of {level} is not possible; give a number between 0 and 1, such as 0.05.")
    if blocks < 2 or networks < 2:
        return float("nan")
    return studentised_range_quantile(1 - level, networks) * _standard_error(blocks, networks)


def studentised_range_sf(statistics: npt.ArrayLike, groups: int) -> FloatArray:
    """The chance that the range of ``groups`` standard normal values exceeds each statistic, shape (m,).

    That is the studentised range with infinite degrees of freedom. Given that the smallest value is z, all others lie
    within q of it with chance ((Phi(z + q) - Phi(z)) / (1 - Phi(z)))^(k - 1); one minus that is averaged over the
    density of the smallest, k phi(z) (1 - Phi(z))^(k - 1), by Gauss-Legendre quadrature. Written so, small p-values
    keep their relative accuracy.

    Raises:
        ValueError: fewer than two groups.
    """
    if groups < 2:
        raise ValueError(f"{groups} groups have no range; give at least 2.")
    q = np.abs(np.asarray(statistics, dtype=np.float64))
    points, weights = _nodes()
    above = special.ndtr(-points)
    density = groups * np.exp(-(points**2) / 2) / np.sqrt(2 * np.pi) * above ** (groups - 1)
    beyond = special.ndtr(-(points[:, None] + q)) / above[:, None]
    # A statistic of 0 leaves no room for the others: log1p(-1) is minus infinity, and all lie beyond.
    with np.errstate(divide="ignore"):
        outside = -np.expm1((groups - 1) * np.log1p(-np.minimum(beyond, 1.0)))
    return np.asarray(np.clip((weights * density) @ outside, 0.0, 1.0), dtype=np.float64)


def studentised_range_quantile(share: float, groups: int) -> float:
    """The range that ``groups`` standard normal values stay below with chance ``share``, by bisection.

    Raises:
        ValueError: fewer than two groups, or a share not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"A share of {share} has no quantile; give a number between 0 and 1.")
    low, high = 0.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        if studentised_range_sf([middle], groups)[0] > 1 - share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@cache
def _nodes() -> tuple[FloatArray, FloatArray]:
    """Points and weights of the quadrature."""
    points, weights = np.polynomial.legendre.leggauss(_NODES)
    half = (_HIGH - _LOW) / 2
    return _LOW + half * (points + 1), half * weights


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
