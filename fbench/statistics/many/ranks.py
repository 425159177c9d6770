"""Networks ranked within blocks, and Friedman's test of whether the order of the ranks is chance.

A block is a setting in which every network was measured once: a data set, or a data set and a seed (Demsar 2006,
Journal of Machine Learning Research 7, 1-30, section 3.2.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.many.friedman_exact import exact_p_value, is_small
from fbench.statistics.ties import ties_made_equal

FloatArray = npt.NDArray[np.float64]

FriedmanRule = Literal["f_distribution", "exact", "all_equal", "perfect_agreement", "undefined"]
"""How the p-values were made:

``f_distribution``     the chi-squared and F distributions.
``exact``              a small table: ``p_value`` is that of all arrangements of ranks, as F errs too often there.
``all_equal``          every block is one tie: both statistics are 0, p is 1.
``perfect_agreement``  all blocks rank alike, so that F is infinite; both p-values are the exact chance that blocks
                       of these ties agree, (ties! / k!)^(n - 1) (Conover 1999, Practical Nonparametric Statistics,
                       section 5.8).
``undefined``          fewer than two blocks or two networks: nothing can be tested, all numbers are NaN.
"""


@dataclass(frozen=True)
class FriedmanTest:
    """Friedman's chi-squared with correction for ties, and the F of Iman and Davenport, which keeps its level better.

    ``p_value`` is that of F, or exact in a small table; ``degrees_of_freedom`` are F's: k - 1 and (k - 1)(n - 1).
    """

    chi_squared: float
    chi_squared_p_value: float
    f_statistic: float
    degrees_of_freedom: tuple[int, int]
    p_value: float
    blocks: int
    networks: int
    rule: FriedmanRule


def as_scores(scores: npt.ArrayLike) -> FloatArray:
    """Return ``scores`` as float64 of shape (blocks, networks).

    Raises:
        ValueError: not two-dimensional, no block or no network, or a score that is NaN (block and network are named).
    """
    given = np.asarray(scores, dtype=np.float64)
    if given.ndim != 2 or given.size == 0:
        raise ValueError(f"The scores have the shape {given.shape}; give a row for each block, a column a network.")
    if np.isnan(given).any():
        block, network = np.argwhere(np.isnan(given))[0]
        raise ValueError(f"The score of block {block}, network {network} is NaN; leave that block or network out.")
    return given


def ranks(scores: npt.ArrayLike) -> FloatArray:
    """Rank the networks within each block: 1 is the highest score, equal scores share the mean of their ranks.

    Scores that differ by rounding alone are equal (:mod:`fbench.statistics.ties`).

    Args:
        scores: shape (blocks, networks), more is better.

    Returns:
        Shape (blocks, networks).

    Raises:
        ValueError: as :func:`as_scores`.
    """
    matrix = as_scores(scores)
    found = np.empty_like(matrix)
    for index, row in enumerate(-matrix):
        _, positions, counts = np.unique(ties_made_equal(row), return_inverse=True, return_counts=True)
        found[index] = (np.cumsum(counts) - (counts - 1) / 2)[positions]
    return found


def average_ranks(scores: npt.ArrayLike) -> FloatArray:
    """The mean over blocks of :func:`ranks`, shape (networks,)."""
    return np.asarray(ranks(scores).mean(axis=0), dtype=np.float64)


def friedman(scores: npt.ArrayLike) -> FriedmanTest:
    """Test whether all networks could have the same ranks but for chance.

    Friedman 1937, Journal of the American Statistical Association 32, 675-701; Iman and Davenport 1980, Communications
    in Statistics 9, 571-595. With two networks it is the sign test by its normal approximation.

    Args:
        scores: shape (n blocks, k networks), more is better; blocks are independent.

    Raises:
        ValueError: as :func:`as_scores`.
    """
    found = ranks(scores)
    blocks, networks = found.shape
    freedom = (networks - 1, (networks - 1) * (blocks - 1))
    if blocks < 2 or networks < 2:
        nan = float("nan")
        return FriedmanTest(nan, nan, nan, freedom, nan, blocks, networks, "undefined")
    between, within = sums_of_squares(found)
    if within == 0:
        return FriedmanTest(0.0, 1.0, 0.0, freedom, 1.0, blocks, networks, "all_equal")
    chi_squared = blocks * (networks - 1) * between / within
    if agree(found):
        exact = _chance_of_agreement(found)
        return FriedmanTest(
            blocks * (networks - 1.0), exact, float("inf"), freedom, exact, blocks, networks, "perfect_agreement"
        )
    small = is_small(blocks, networks)
    f_statistic = (blocks - 1) * chi_squared / (blocks * (networks - 1) - chi_squared)
    return FriedmanTest(
        chi_squared=chi_squared,
        chi_squared_p_value=float(special.chdtrc(networks - 1, chi_squared)),
        f_statistic=f_statistic,
        degrees_of_freedom=freedom,
        p_value=exact_p_value(found) if small else float(special.fdtrc(*freedom, f_statistic)),
        blocks=blocks,
        networks=networks,
        rule="exact" if small else "f_distribution",
    )


def sums_of_squares(found: FloatArray) -> tuple[float, float]:
    """Sums of squares of ranks (n, k) around their middle (k + 1) / 2: of the networks' means, and of all ranks."""
    blocks, networks = found.shape
    middle = (networks + 1) / 2
    between = blocks * float(((found.mean(axis=0) - middle) ** 2).sum())
    return between, float(((found - middle) ** 2).sum())


def agree(found: FloatArray) -> bool:
    """Whether all blocks have the same ranks, shape (n, k)."""
    return bool((found == found[0]).all())


def _chance_of_agreement(found: FloatArray) -> float:
    """The chance that n blocks with the ties of the first agree, each order of a block being equally likely."""
    blocks, networks = found.shape
    ties = np.unique(found[0], return_counts=True)[1]
    log_orders = special.gammaln(networks + 1) - special.gammaln(ties + 1).sum()
    return float(np.exp(-(blocks - 1) * log_orders))
