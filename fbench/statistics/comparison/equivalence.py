"""Equivalence by two one-sided tests (Schuirmann 1987, J. Pharmacokinetics and Biopharmaceutics 15, 657-680)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fbench.statistics.discordance import Discordance
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.sum_of_t import InterpolatedTail, SumOfT

FloatArray = npt.NDArray[np.float64]
Adjust = Callable[[FloatArray], FloatArray]
Tail = SumOfT | InterpolatedTail
FEW = 50
"""Estimates of a family up to which tails are computed at each margin: of 299 they took 140 s, and interpolated 2 s."""
HALVINGS = 60  # of the search for the smallest margin: to the last digit of a float
HALVINGS_OF_MANY = 24  # where tails are interpolated to four digits


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


def equivalence_interval(estimate: MeanEstimate, level: float) -> tuple[float, float]:
    """The interval that lies within a margin exactly where a difference of that margin is rejected at ``level``.

    It is the two-sided interval of confidence ``1 - 2 level``, drawn out where the number of images could not carry so
    small a margin, whatever their answers.
    """
    low, high = estimate.interval(1 - 2 * level)
    images = estimate.discordance
    if images is None or images.is_few:
        return low, high
    least = images.least_margin(level)
    return min(low, -least), max(high, least)


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
    tails = [InterpolatedTail(one.distribution) for one in estimates] if len(estimates) > FEW else None
    for _ in range(HALVINGS if tails is None else HALVINGS_OF_MANY):
        middle = (low + high) / 2
        p_values = _p_values(estimates, middle, tails)
        certified = np.array([adjust(p_values[:, index])[index] < level for index in range(len(estimates))], np.bool_)
        low, high = np.where(certified, low, middle), np.where(certified, middle, high)
    return high


def _wide_enough(estimate: MeanEstimate, level: float) -> float:
    """A margin that is certified at this level."""
    of_model = abs(estimate.estimate) + estimate.distribution.quantile(1 - 2 * level) * estimate.standard_error
    images = estimate.discordance
    if images is None:
        return of_model
    # Of clusters the standard error is that at the margin, which may be the larger one.
    is_unknown = images.is_few or images.effective is not None
    return max(of_model, images.largest if is_unknown else images.least_margin(level))


def _p_values(
    estimates: Sequence[MeanEstimate], margins: FloatArray, tails: Sequence[Tail] | None = None
) -> FloatArray:
    """One row an estimate, one column a margin; by ``tails`` in the place of the estimates' own distributions."""
    of_model = zip(estimates, tails or [one.distribution for one in estimates], strict=True)
    rows = [np.maximum(_of_model(one, margins, tail), _of_images(one, margins)) for one, tail in of_model]
    return np.array(rows, dtype=np.float64).reshape(len(estimates), margins.size)


def _of_model(estimate: MeanEstimate, margins: FloatArray, tail: Tail) -> FloatArray:
    """The larger of both one-sided p-values of the model for each margin, shape (margins,)."""
    room = margins - abs(estimate.estimate)
    if estimate.standard_error == 0:  # a value that is known
        return np.where(room > 0, 0.0, 1.0)
    error: float | FloatArray = estimate.standard_error
    if estimate.discordance is not None and estimate.discordance.effective is not None:
        error = np.array([estimate.error_at(side) for side in np.copysign(margins, estimate.estimate).tolist()])
    return tail.below(np.asarray(-room / error))


def _of_images(estimate: MeanEstimate, margins: FloatArray) -> FloatArray:
    """The larger of both one-sided p-values that the images allow, for each margin, shape (margins,)."""
    images = estimate.discordance
    if images is None:
        return np.zeros_like(margins)
    if not images.is_few:
        return images.least_p_values(margins)
    return np.array([_of_few_images(images, margin) for margin in margins.tolist()])


@lru_cache(maxsize=4_096)
def _of_few_images(images: Discordance, margin: float) -> float:
    """Kept, since effects of one study may rest on the same images: 3 x 7 cells have 52 effects, of few weights."""
    return max(images.p_at_least(margin), images.p_at_most(-margin))
