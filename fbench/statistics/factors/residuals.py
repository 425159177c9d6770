"""What the residuals of an analysis of variance look like: normal, equally spread, and is one of them far out?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.factors.anova import ROUNDING, analysis_of_variance, checked_values, residuals
from fbench.statistics.factors.design import CrossedDesign
from fbench.statistics.intervals import t_p_value

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ResidualTest:
    """A test's statistic and p-value."""

    statistic: float
    p_value: float


@dataclass(frozen=True)
class LargestResidual:
    """The training furthest from what its cell and its seed suggest.

    Attributes:
        cell: name of the cell.
        seed: its number.
        residual: in the unit of the values.
        studentised: divided by its standard error, estimated without it (externally studentised); infinite where all
            others lie on the model.
        p_value: two-sided, Bonferroni over all trainings: how often a residual this large would be among so many.
    """

    cell: str
    seed: int
    residual: float
    studentised: float
    p_value: float


@dataclass(frozen=True)
class ResidualChecks:
    """Checks of the residuals of ``metric ~ A*B*... + C(seed)``; a check that the data do not allow is none.

    Attributes:
        standard_deviation: of a training about its cell and seed, in the unit of the values; NaN with one seed, 0 where
            the data show no chance.
        normality: Shapiro-Wilk over all residuals (Shapiro, Wilk 1965, Biometrika 52, 591-611).
        equal_spread: Brown-Forsythe between cells (1974, J. American Statistical Association 69, 364-367), on the
            residuals; three seeds at least, as two are equally far from their median whatever the data. With few seeds
            it rejects less often than its level says.
        largest: the largest residual by size; with two seeds each has a twin of the other sign, and the first of them
            is named.
    """

    standard_deviation: float
    normality: ResidualTest | None
    equal_spread: ResidualTest | None
    largest: LargestResidual | None


def check_residuals(values: npt.ArrayLike, design: CrossedDesign, seeds: tuple[int, ...]) -> ResidualChecks:
    """Check the residuals of a crossed study.

    Args:
        values: shape (*design.shape, R seeds).
        design: names the cells.
        seeds: number of each seed.

    Raises:
        ValueError: values that do not fit the design or are not finite.
    """
    array = checked_values(values, design.factors)
    if array.shape != (*design.shape, len(seeds)):
        raise ValueError(
            f"The values have the shape {array.shape}; the design and its seeds ask for {(*design.shape, len(seeds))}."
        )
    mean_square = analysis_of_variance(array, design.factors).residual_mean_square
    if not mean_square > 0:
        return ResidualChecks(mean_square if math.isnan(mean_square) else 0.0, None, None, None)
    left = residuals(array).reshape(len(design.cells), len(seeds))
    return ResidualChecks(
        standard_deviation=math.sqrt(mean_square),
        normality=_shapiro_wilk(left),
        equal_spread=brown_forsythe(left) if len(seeds) > 2 else None,
        largest=_largest(left, design, seeds),
    )


def brown_forsythe(groups: FloatArray) -> ResidualTest:
    """Test equal spread of the rows of (groups, n), n >= 3: a one-way analysis of variance of distances from medians.

    NaN where neither groups nor their members differ in distance, infinite without a p-value where only groups do.
    """
    distances = np.abs(groups - np.median(groups, axis=1, keepdims=True))
    count, size = distances.shape
    between = size * float(distances.mean(axis=1).var(ddof=1))
    within = float(distances.var(axis=1, ddof=1).mean())
    rounding = (ROUNDING * float(distances.max())) ** 2
    if within <= rounding:
        return ResidualTest(math.inf if between > rounding else math.nan, math.nan)
    statistic = between / within
    return ResidualTest(statistic, float(special.fdtrc(count - 1, count * (size - 1), statistic)))


def _shapiro_wilk(left: FloatArray) -> ResidualTest:
    from scipy import stats  # triples the time to import; needed for this test alone

    statistic, p_value = stats.shapiro(left.ravel())
    return ResidualTest(float(statistic), float(p_value))


def _largest(left: FloatArray, design: CrossedDesign, seeds: tuple[int, ...]) -> LargestResidual | None:
    """Every training has the same leverage, so the largest residual is the largest studentised one."""
    cells, count = left.shape
    freedom = (cells - 1) * (count - 1)
    if freedom < 2:
        return None
    size = np.abs(left)
    # Residuals that are equal but for rounding: the first is named, in every build of numpy.
    index = int(np.argmax(size.ravel() >= float(size.max()) * (1 - 1e-9)))
    cell, seed = divmod(index, count)
    residual = float(left[cell, seed])
    remaining = 1 - (cells + count - 1) / left.size
    without = (float((left**2).sum()) - residual**2 / remaining) / (freedom - 1)
    if without <= 1e-12 * residual**2:
        return LargestResidual(design.cells[cell], seeds[seed], residual, math.copysign(math.inf, residual), 0.0)
    studentised = residual / math.sqrt(without * remaining)
    p_value = min(1.0, left.size * t_p_value(studentised, freedom - 1))
    return LargestResidual(design.cells[cell], seeds[seed], residual, studentised, p_value)
