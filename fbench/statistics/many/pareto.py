"""The Pareto front: networks that no other beats on cost and gain at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fbench.statistics.ties import ties_made_equal


def pareto_front(costs: npt.ArrayLike, gains: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Mark the points that no other beats: none has at most the cost and at least the gain, one strictly.

    What differs by rounding alone is equal (:mod:`fbench.statistics.ties`).

    Args:
        costs: shape (n,), less is better.
        gains: shape (n,), more is better.

    Returns:
        Shape (n,). Equal points are on the front together; one with a NaN or infinity is not and beats none.

    Raises:
        ValueError: the two are not rows of one length.
    """
    cost = np.asarray(costs, dtype=np.float64)
    gain = np.asarray(gains, dtype=np.float64)
    if cost.ndim != 1 or cost.shape != gain.shape:
        raise ValueError(f"Costs of shape {cost.shape} and gains of shape {gain.shape} do not pair; give one each.")
    cost, gain = ties_made_equal(cost), ties_made_equal(gain)
    usable = np.isfinite(cost) & np.isfinite(gain)
    no_worse = (cost[:, None] <= cost[None, :]) & (gain[:, None] >= gain[None, :])
    better = (cost[:, None] < cost[None, :]) | (gain[:, None] > gain[None, :])
    beaten = (usable[:, None] & no_worse & better).any(axis=0)
    return usable & ~beaten
