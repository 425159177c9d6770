"""The Pareto front when accuracies, and perhaps costs, are estimates: how probably each network is on it.

Draws from the distribution of the errors are added to the estimates, and the front of each draw is found. The
probability is thus that of a flat prior: what these data say, of networks that were not chosen for having come out
well. A network that is one of many equal ones is on the front by luck in a share of the draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fbench.statistics.many.mean_accuracies import MeanAccuracies
from fbench.statistics.many.pareto import pareto_front

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_CHUNK = 1_000
"""Draws at a time: with 100 networks about 1 MB an array."""

_DECIMALS = 12
"""Drawn accuracies are rounded to so many decimals, so that networks with the same answers stay equal."""

_ROUNDING = 1e-12
"""Eigenvalues below this share of the largest are rounding of the covariance, for the same reason."""


@dataclass(frozen=True)
class FrontProbability:
    """The front of the estimates, and of the draws.

    Attributes:
        on_front: shape (k,), by the estimates alone.
        probability: shape (k,), share of the draws in which a network is on the front.
        monte_carlo_error: shape (k,), standard error of ``probability`` by the number of draws.
        draws: how many.
    """

    on_front: BoolArray
    probability: FloatArray
    monte_carlo_error: FloatArray
    draws: int


def front_probability(
    accuracies: MeanAccuracies,
    costs: npt.ArrayLike,
    log_cost_errors: npt.ArrayLike | None = None,
    *,
    seed: int = 0,
    draws: int = 10_000,
) -> FrontProbability:
    """How probably each network is on the Pareto front of accuracy for new images and new seeds against a cost.

    Args:
        accuracies: of k networks; errors are drawn from the multivariate t distribution of its degrees of freedom.
        costs: shape (k,), positive, less is better.
        log_cost_errors: shape (k,), standard errors of the costs' natural logarithms, taken as independent and normal;
            0 for one that is exact. None: all are exact.
        seed: of the draws.
        draws: how many.

    Raises:
        ValueError: shapes that do not fit, a cost that is not finite and positive, a negative or unknown error, or no
            draw.
    """
    cost = np.asarray(costs, dtype=np.float64)
    errors = np.zeros_like(cost) if log_cost_errors is None else np.asarray(log_cost_errors, dtype=np.float64)
    if cost.shape != accuracies.means.shape or errors.shape != cost.shape:
        raise ValueError(
            f"{accuracies.means.size} accuracies, costs of shape {cost.shape} and their errors of shape "
            f"{errors.shape} do not pair; give one of each for a network."
        )
    if not (np.isfinite(cost) & (cost > 0)).all() or not (np.isfinite(errors) & (errors >= 0)).all():
        raise ValueError("A cost must be positive and its error known; leave out the networks that were not measured.")
    if draws < 1:
        raise ValueError(f"{draws} draws give no probability; take at least 1.")
    generator = np.random.default_rng(seed)
    factor = _factor(accuracies.covariance)
    counts = np.zeros(cost.size)
    for start in range(0, draws, _CHUNK):
        amount = min(_CHUNK, draws - start)
        gains = accuracies.means + _errors(generator, factor, accuracies.degrees_of_freedom, amount)
        drawn = cost * np.exp(errors * generator.standard_normal((amount, cost.size)))
        counts += on_front(drawn, np.round(gains, _DECIMALS)).sum(axis=0)
    share = counts / draws
    return FrontProbability(
        on_front=pareto_front(cost, accuracies.means),
        probability=share,
        monte_carlo_error=np.sqrt(share * (1 - share) / draws),
        draws=draws,
    )


def on_front(costs: FloatArray, gains: FloatArray) -> BoolArray:
    """Mark the points of many sets at once that no other of their set beats, as :func:`pareto_front` does for one.

    By ascending cost, and descending gain where costs are equal, a point is on the front where its gain exceeds all
    before it, or where it equals the point before it in both, which is: n log n for n points.

    Args:
        costs: shape (draws, n), finite.
        gains: shape (draws, n), finite.

    Returns:
        Shape (draws, n).
    """
    order = np.lexsort((-gains, costs), axis=-1)
    cost = np.take_along_axis(costs, order, axis=-1).T
    gain = np.take_along_axis(gains, order, axis=-1).T
    kept = np.ones(cost.shape, dtype=bool)
    best = np.maximum.accumulate(gain, axis=0)
    for index in range(1, len(cost)):
        same = (cost[index] == cost[index - 1]) & (gain[index] == gain[index - 1])
        kept[index] = np.where(same, kept[index - 1], gain[index] > best[index - 1])
    found = np.empty(costs.shape, dtype=bool)
    np.put_along_axis(found, order, kept.T, axis=-1)
    return found


def _factor(covariance: FloatArray) -> FloatArray:
    """A matrix F with F F' equal to the covariance, shape (k, k)."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.where(values > _ROUNDING * values[-1], values, 0)), dtype=np.float64)


def _errors(generator: np.random.Generator, factor: FloatArray, freedom: float, amount: int) -> FloatArray:
    """Draws of the multivariate t distribution around 0, shape (amount, k)."""
    normal = generator.standard_normal((amount, len(factor))) @ factor.T
    return np.asarray(normal / np.sqrt(generator.chisquare(freedom, (amount, 1)) / freedom), dtype=np.float64)
