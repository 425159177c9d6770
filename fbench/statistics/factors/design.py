"""Crossed factors: which networks stand for which combination of levels, and their answers as one array."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CrossedDesign:
    """Factors that are fully crossed: every combination of their levels is one cell.

    Attributes:
        factors: names, at least one.
        levels: of each factor, in order, at least two; the first is the one that the others are compared with.
        cells: name of each cell, such as a network's; the last factor's level changes fastest.
    """

    factors: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    cells: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of levels of each factor."""
        return tuple(len(levels) for levels in self.levels)

    @property
    def combinations(self) -> tuple[tuple[str, ...], ...]:
        """The levels of each cell, one for each factor, in the order of ``cells``."""
        return tuple(itertools.product(*self.levels))


@dataclass(frozen=True)
class SeedLeftOut:
    """A seed that not every cell finished, with the cells that lack it."""

    seed: int
    lacking: tuple[str, ...]


@dataclass(frozen=True)
class CrossedCorrectness:
    """Which images each cell of a design classified correctly, for the seeds that all cells finished.

    Attributes:
        design: what is crossed.
        seeds: R common seeds, ascending.
        correct: shape (*design.shape, R seeds, C images), 1 where the answer was right, else 0.
        left_out: the seeds that some cells lack, ascending.
    """

    design: CrossedDesign
    seeds: tuple[int, ...]
    correct: FloatArray
    left_out: tuple[SeedLeftOut, ...]

    @property
    def accuracy(self) -> FloatArray:
        """The share of correct answers, shape (*design.shape, R seeds)."""
        return np.asarray(self.correct.mean(axis=-1))


def crossed_design(cells: Mapping[str, Mapping[str, str]], first: str | None = None) -> CrossedDesign:
    """Return the design of named cells.

    Args:
        cells: cell -> {factor: level}, such as ``{"arch1": {"convolution": "separable", "head": "gap"}}``.
        first: the cell whose levels come first; by default the first one. Further levels follow in order of
            appearance.

    Raises:
        ValueError: no cell or factor, a factor of one level, cells of different factors, no such cell as ``first``, or
            a combination of levels that has no cell, or two (named).
    """
    if not cells or not all(cells.values()):
        raise ValueError(f"A design of {len(cells)} cells has nothing to cross; give cells with at least one factor.")
    start = next(iter(cells)) if first is None else first
    if start not in cells:
        raise ValueError(f"'{start}' is no cell of the design; give one of {', '.join(cells)}.")
    factors = tuple(cells[start])
    for cell, given in cells.items():
        if set(given) != set(factors):
            raise ValueError(
                f"The cell '{cell}' has the factors {', '.join(given)} and '{start}' has {', '.join(factors)}; "
                "give all cells the same."
            )
    ordered = [cells[start], *cells.values()]
    levels = tuple(tuple(dict.fromkeys(cell[factor] for cell in ordered)) for factor in factors)
    for factor, found in zip(factors, levels, strict=True):
        if len(found) < 2:
            raise ValueError(f"The factor '{factor}' has the one level '{found[0]}'; give it at least two.")
    return CrossedDesign(factors, levels, _cell_of_each_combination(cells, factors, levels))


def missing_cells(design: CrossedDesign, finished: Sequence[str]) -> tuple[str, ...]:
    """The cells that are not among the finished ones, in the design's order."""
    return tuple(cell for cell in design.cells if cell not in finished)


def cross(
    design: CrossedDesign, correct: Mapping[str, npt.ArrayLike], seeds: Mapping[str, Sequence[int]]
) -> CrossedCorrectness:
    """Bring the answers of all cells into one array, over the seeds that all of them finished.

    Args:
        design: what is crossed.
        correct: for each cell, shape (its seeds, C images): True or 1 where the answer was right, else 0. Other
            per-image measures will do.
        seeds: for each cell, the seed number of each row, in any order.

    Raises:
        ValueError: a cell without answers (all such are named), no common seed, rows that do not match the seeds,
            different numbers of images, fewer than two images, or a value that is not finite.
    """
    if lacking := missing_cells(design, [cell for cell in design.cells if cell in correct and len(seeds[cell])]):
        raise ValueError(
            f"The design has no answers of {', '.join(lacking)}; finish them, or analyse a smaller design."
        )
    rows = {cell: _checked(cell, correct[cell], seeds[cell]) for cell in design.cells}
    images = {matrix.shape[1] for matrix in rows.values()}
    if len(images) > 1 or min(images) < 2:
        sizes = ", ".join(str(size) for size in sorted(images))
        raise ValueError(f"The cells were tested on {sizes} images; give all the same images, at least two.")
    everywhere = sorted(set.intersection(*(set(seeds[cell]) for cell in design.cells)))
    if not everywhere:
        raise ValueError(f"No seed was finished by all of {', '.join(design.cells)}; give them a seed in common.")
    stacked = np.stack([rows[cell][[list(seeds[cell]).index(seed) for seed in everywhere]] for cell in design.cells])
    somewhere = sorted({seed for cell in design.cells for seed in seeds[cell]} - set(everywhere))
    return CrossedCorrectness(
        design=design,
        seeds=tuple(everywhere),
        correct=stacked.reshape(*design.shape, len(everywhere), images.pop()),
        left_out=tuple(
            SeedLeftOut(seed, tuple(cell for cell in design.cells if seed not in seeds[cell])) for seed in somewhere
        ),
    )


def _cell_of_each_combination(
    cells: Mapping[str, Mapping[str, str]], factors: Sequence[str], levels: Sequence[Sequence[str]]
) -> tuple[str, ...]:
    found = []
    for combination in itertools.product(*levels):
        matching = [name for name, cell in cells.items() if tuple(cell[factor] for factor in factors) == combination]
        if len(matching) != 1:
            words = ", ".join(f"{factor} {level}" for factor, level in zip(factors, combination, strict=True))
            cells_words = " and ".join(matching) if matching else "no cell"
            raise ValueError(f"{words} is {cells_words}; give each combination of levels exactly one cell.")
        found.append(matching[0])
    return tuple(found)


def _checked(cell: str, correct: npt.ArrayLike, seeds: Sequence[int]) -> FloatArray:
    matrix = np.asarray(correct, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != len(seeds) or len(set(seeds)) != len(seeds):
        raise ValueError(
            f"The answers of '{cell}' have the shape {matrix.shape} for the seeds {list(seeds)}; give one row of "
            "images for each of different seeds."
        )
    if not np.isfinite(matrix).all():
        row, image = np.argwhere(~np.isfinite(matrix))[0]
        raise ValueError(
            f"The answer of '{cell}' with seed {seeds[row]} to image {image} is {matrix[row, image]}; leave that seed "
            "out."
        )
    return matrix
