"""Equivalence by two one-sided tests (Schuirmann 1987, J. Pharmacokinetics and Biopharmaceutics 15, 657-680)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.estimands import MeanEstimate

FloatArray = npt.NDArray[np.float64]
Adjust = Callable[[FloatArray], FloatArray]
HALVINGS = 60  # of the search for the smallest margin: to the last digit of a float


def equivalence_p_values(estimates: Sequence[MeanEstimate], margin: float) -> FloatArray:
    """The p-values of the hypotheses that the true means are at least ``margin`` from 0; small where they are nearer.

    Each is the larger of the two one-sided p-values, from the model of its interval, so it is below a level exactly
    where the two-sided interval of confidence 1 - 2 level lies within the margin. Without any chance in the data it
    is 0 or 1. Shape (m,); NaN where an estimate has no standard error.

    Raises:
        ValueError: a margin that is not above 0.
    """
    if not margin > 0:
        raise ValueError(f"A margin of {margin} is not possible; give the difference that matters, above 0.")
    return _p_values(_columns(estimates), np.array([margin]))[:, 0]


def certified_margin(estimate: MeanEstimate, level: float) -> float:
    """The least margin that one estimate certifies, one-sided at ``level``.

    It is the farther end of the interval of confidence 1 - 2 level.
    """
    return abs(estimate.estimate) - float(special.stdtrit(estimate.degrees_of_freedom, level)) * estimate.standard_error


def smallest_margins(estimates: Sequence[MeanEstimate], adjust: Adjust, level: float = 0.05) -> FloatArray:
    """For each estimate the smallest margin at which its p-value, adjusted in its family, is below ``level``.

    The whole family is tested against one margin. With a larger margin no adjusted p-value rises, so the search is by
    halving.

    Args:
        estimates: a family of m, each with a standard error.
        adjust: the correction of the family: p-values of shape (m,) to adjusted ones.
        level: of the test.

    Returns:
        Shape (m,), in the unit of the estimates.
    """
    columns = _columns(estimates)
    sizes, errors, freedoms = np.abs(columns[0]), columns[1], columns[2]
    low = np.zeros(len(estimates))
    strictest = level / max(1, len(estimates)) / 2
    high = np.full(len(estimates), (sizes - special.stdtrit(freedoms, strictest) * errors).max(initial=0.0))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        p_values = _p_values(columns, middle)
        certified = np.array([adjust(p_values[:, place])[place] < level for place in range(len(estimates))], np.bool_)
        low, high = np.where(certified, low, middle), np.where(certified, middle, high)
    return high


def _columns(estimates: Sequence[MeanEstimate]) -> FloatArray:
    """Rows of estimates, standard errors and degrees of freedom, shape (3, m)."""
    rows = [(one.estimate, one.standard_error, one.degrees_of_freedom) for one in estimates]
    return np.array(rows, dtype=np.float64).reshape(-1, 3).T


def _p_values(columns: FloatArray, margins: FloatArray) -> FloatArray:
    """One row an estimate, one column a margin."""
    estimate, error, freedom = (column[:, None] for column in columns)
    room = margins[None, :] - np.abs(estimate)
    with np.errstate(divide="ignore", invalid="ignore"):  # an error of 0 is no chance at all, decided below
        p_values = special.stdtr(freedom, -room / error)
    without_chance = np.where(room > 0, 0.0, 1.0)
    return np.where(error == 0, without_chance, p_values)
