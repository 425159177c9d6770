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

    Each is the larger of the two one-sided p-values, so it is below a level exactly where the two-sided interval of
    confidence 1 - 2 level lies within the margin; none is below what the number of images can carry. Shape (m,); NaN
    where an estimate has no standard error.

    Raises:
        ValueError: a margin that is not above 0.
    """
    if not margin > 0:
        raise ValueError(f"A margin of {margin} is not possible; give the difference that matters, above 0.")
    return _p_values(estimates, np.array([margin]))[:, 0]


def certified_margin(estimate: MeanEstimate, level: float) -> float:
    """The least margin that one estimate certifies, one-sided at ``level``.

    It is the farther end of the interval of confidence 1 - 2 level, or more where too few images carry that.
    """
    return float(smallest_margins([estimate], lambda p_values: p_values, level)[0])


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
    low = np.zeros(len(estimates))
    high = np.full(
        len(estimates), max((_wide_enough(one, level / len(estimates) / 2) for one in estimates), default=0.0)
    )
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        p_values = _p_values(estimates, middle)
        certified = np.array([adjust(p_values[:, place])[place] < level for place in range(len(estimates))], np.bool_)
        low, high = np.where(certified, low, middle), np.where(certified, middle, high)
    return high


def _wide_enough(estimate: MeanEstimate, level: float) -> float:
    """A margin that is certified at this level."""
    of_model = (
        abs(estimate.estimate) - float(special.stdtrit(estimate.degrees_of_freedom, level)) * estimate.standard_error
    )
    images = estimate.discordance
    if images is None:
        return of_model
    return max(of_model, images.largest if images.is_few else images.least_margin(level))


def _p_values(estimates: Sequence[MeanEstimate], margins: FloatArray) -> FloatArray:
    """One row an estimate, one column a margin."""
    rows = [(one.estimate, one.standard_error, one.degrees_of_freedom) for one in estimates]
    estimate, error, freedom = (column[:, None] for column in np.array(rows, dtype=np.float64).reshape(-1, 3).T)
    room = margins[None, :] - np.abs(estimate)
    sides = [np.copysign(margins, one.estimate).tolist() for one in estimates]
    at_margins = np.array([[one.error_at(side) for side in row] for one, row in zip(estimates, sides, strict=True)])
    with np.errstate(divide="ignore", invalid="ignore"):  # an error of 0 is a value that is known, decided below
        p_values = special.stdtr(freedom, -room / at_margins.reshape(room.shape))
    of_model = np.where(error == 0, np.where(room > 0, 0.0, 1.0), p_values)
    return np.maximum(of_model, [_of_images(one, margins) for one in estimates]) if estimates else of_model


def _of_images(estimate: MeanEstimate, margins: FloatArray) -> FloatArray:
    """The larger of both one-sided p-values that the images allow, for each margin, shape (margins,)."""
    images = estimate.discordance
    if images is None:
        return np.zeros_like(margins)
    if not images.is_few:
        return images.least_p_values(margins)
    return np.array([max(images.p_at_least(margin), images.p_at_most(-margin)) for margin in margins.tolist()])
