"""Analysis of variance of crossed factors with seeds as blocks: ``metric ~ A*B*... + C(seed)``, balanced.

Every combination of levels was trained once with every seed, and a seed's number shifts all of them alike (a randomised
complete block design; Montgomery 2017, Design and Analysis of Experiments, section 5.6). With balanced data the sums of
squares are those of type I, II and III at once.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.intervals import Interval, check_confidence

FloatArray = npt.NDArray[np.float64]
ROUNDING: Final = 1e-10  # effects below this share of the largest value are rounding
BISECTIONS: Final = 200  # more than a double can resolve


@dataclass(frozen=True)
class AnovaRow:
    """One line of the table; ``factors`` are those whose main effect (one) or interaction (several) it is.

    ``f``, ``p_value`` and ``partial_eta_squared`` are NaN where nothing is left to test against: one seed, or no
    chance in the data and no effect either. With an effect and no chance that could be known F is infinite, and its
    p-value and interval are unknown too.
    """

    factors: tuple[str, ...]
    sum_of_squares: float
    degrees_of_freedom: int
    mean_square: float
    f: float
    p_value: float
    partial_eta_squared: Interval


@dataclass(frozen=True)
class AnalysisOfVariance:
    """The table of one balanced experiment; sums of squares are in the unit of the values, squared.

    Attributes:
        effects: main effects first, then interactions of two factors, of three, and so on.
        seed: the row of the seeds, which are blocks; ``factors`` is empty.
        residual_sum_of_squares: what neither factors nor seeds explain.
        residual_degrees_of_freedom: (cells - 1)(seeds - 1); 0 with one seed.
        residual_mean_square: the variance of a training about its cell and seed; NaN with one seed. Where the data show
            no chance at all it is the least that could have been seen, or 0 where no step is given.
        cells: number of combinations of levels.
        seeds: number of trainings of each.
    """

    effects: tuple[AnovaRow, ...]
    seed: AnovaRow
    residual_sum_of_squares: float
    residual_degrees_of_freedom: int
    residual_mean_square: float
    cells: int
    seeds: int


def analysis_of_variance(
    values: npt.ArrayLike, factors: Sequence[str], confidence: float = 0.95, step: float = 0.0
) -> AnalysisOfVariance:
    """Analyse a metric, such as accuracy, of every combination of levels and every seed.

    Args:
        values: shape (levels of the first factor, levels of the second, ..., R seeds).
        factors: one name for each axis but the last.
        confidence: of the intervals of partial eta squared.
        step: the least by which a value can differ from another, such as 1 / C for an accuracy on C images. Where no
            training differs from what its cell and seed suggest, the residual mean square is that of one training that
            differs by it: the least that could have been seen.

    Raises:
        ValueError: as :func:`checked_values`, or a confidence not between 0 and 1.
    """
    check_confidence(confidence)
    array = checked_values(values, factors)
    cells, seeds = array[..., 0].size, array.shape[-1]
    residual_freedom = (cells - 1) * (seeds - 1)
    residual_squares = _beyond_rounding(float((residuals(array) ** 2).sum()), array)
    # One value that differs by the step leaves step^2 (cells - 1)(seeds - 1) / (cells seeds) on (cells - 1)(seeds - 1).
    residual = (residual_squares / residual_freedom or step**2 / array.size) if residual_freedom else math.nan

    def row(axes: Sequence[int], names: tuple[str, ...]) -> AnovaRow:
        effect = _effect(array, axes)
        squares = _beyond_rounding(float((effect**2).sum()) * array.size / effect.size, array)
        freedom = math.prod(array.shape[axis] - 1 for axis in axes)
        return _row(names, squares, freedom, residual_freedom, residual, confidence)

    indices = range(len(factors))
    subsets = [subset for size in indices for subset in itertools.combinations(indices, size + 1)]
    return AnalysisOfVariance(
        effects=tuple(row(subset, tuple(factors[index] for index in subset)) for subset in subsets),
        seed=row((len(factors),), ()),
        residual_sum_of_squares=residual_squares,
        residual_degrees_of_freedom=residual_freedom,
        residual_mean_square=residual,
        cells=cells,
        seeds=seeds,
    )


def checked_values(values: npt.ArrayLike, factors: Sequence[str]) -> FloatArray:
    """Return values of shape (levels of each factor..., R seeds) as float64.

    Raises:
        ValueError: axes that do not match the factors, a factor named twice or of fewer than two levels, no seed, or a
            value that is not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if not factors or len(set(factors)) != len(factors):
        raise ValueError(f"The factors are {', '.join(factors) or 'none'}; name at least one, each once.")
    if array.ndim != len(factors) + 1 or min(array.shape[:-1]) < 2 or array.shape[-1] < 1:
        raise ValueError(
            f"The values have the shape {array.shape} for the factors {', '.join(factors)}; give an axis of at least "
            "two levels for each factor and one of at least one seed."
        )
    if not np.isfinite(array).all():
        *levels, seed = np.argwhere(~np.isfinite(array))[0].tolist()
        cell = ", ".join(f"{factor} {level}" for factor, level in zip(factors, levels, strict=True))
        raise ValueError(f"The value of {cell}, seed {seed} is {array[(*levels, seed)]}; leave that seed out.")
    return array


def residuals(values: FloatArray) -> FloatArray:
    """What neither its cell nor its seed explains of each value; of the shape of the values (levels..., R seeds)."""
    cell_means = values.mean(axis=-1, keepdims=True)
    seed_means = values.mean(axis=tuple(range(values.ndim - 1)), keepdims=True)
    return np.asarray(values - cell_means - seed_means + values.mean())


def eta_squared_interval(
    f: float, degrees_of_freedom: int, residual_degrees_of_freedom: int, confidence: float = 0.95
) -> Interval:
    """Partial eta squared of an F statistic, with its interval by inversion of the noncentral F distribution.

    The noncentralities that F does not reject are turned into lambda / (lambda + df + residual df + 1) (Smithson 2003,
    Confidence Intervals, chapter 4; Steiger 2004, Psychological Methods 9, 164-182). The interval is two-sided: at 95 %
    its lower end is above 0 where p < 0.025, and it need not contain the estimate, which is biased upwards.

    Raises:
        ValueError: a confidence not between 0 and 1.
    """
    check_confidence(confidence)
    if math.isnan(f):
        return Interval(f, f, f, confidence)
    if math.isinf(f):
        return Interval(1.0, math.nan, math.nan, confidence)
    tail = (1 - confidence) / 2
    freedoms = degrees_of_freedom, residual_degrees_of_freedom
    low, high = (_noncentrality(f, *freedoms, probability) for probability in (1 - tail, tail))
    total = sum(freedoms) + 1
    share = f * degrees_of_freedom / (f * degrees_of_freedom + residual_degrees_of_freedom)
    return Interval(share, low / (low + total), high / (high + total), confidence)


def _noncentrality(f: float, numerator: int, denominator: int, probability: float) -> float:
    """The noncentrality with which F or less has this probability; 0 where even without it that is less likely.

    By bisection, as scipy's ncfdtrinc stops at about four digits.
    """
    if special.ncfdtr(numerator, denominator, 0.0, f) <= probability:
        return 0.0
    low, high = 0.0, 1.0
    while special.ncfdtr(numerator, denominator, high, f) > probability:
        low, high = high, 2 * high
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        above = special.ncfdtr(numerator, denominator, middle, f) > probability
        low, high = (middle, high) if above else (low, middle)
    return (low + high) / 2


def _effect(array: FloatArray, axes: Sequence[int]) -> FloatArray:
    """The part of the means over all other axes that lower-order effects do not explain."""
    means: FloatArray = array.mean(axis=tuple(axis for axis in range(array.ndim) if axis not in axes), keepdims=True)
    for axis in axes:
        means = means - means.mean(axis=axis, keepdims=True)
    return means


def _row(
    names: tuple[str, ...], squares: float, freedom: int, residual_freedom: int, residual: float, confidence: float
) -> AnovaRow:
    mean_square = squares / freedom if freedom else math.nan
    f = _ratio(mean_square, residual)
    return AnovaRow(
        factors=names,
        sum_of_squares=squares,
        degrees_of_freedom=freedom,
        mean_square=mean_square,
        f=f,
        p_value=math.nan if math.isinf(f) else float(special.fdtrc(freedom, residual_freedom, f)),
        partial_eta_squared=eta_squared_interval(f, freedom, residual_freedom, confidence),
    )


def _ratio(mean_square: float, residual: float) -> float:
    if residual == 0:
        return math.inf if mean_square > 0 else math.nan
    return mean_square / residual


def _beyond_rounding(squares: float, array: FloatArray) -> float:
    return squares if squares > array.size * (ROUNDING * float(np.abs(array).max())) ** 2 else 0.0
