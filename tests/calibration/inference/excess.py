"""How much more than its level a comparison with interim analyses spends, as its bounds are made for normal statistics
and its tests are by Student's t."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from fbench.statistics.comparison.verdict import LEVEL
from fbench.statistics.seeds.sequential import analysis_levels

CASES: Final = tuple((family, max_seeds) for family in (1, 5, 14) for max_seeds in (10, 20, 40))
"""Comparisons that share a level of 5 %, and seeds at most."""

ROUNDS: Final = 2_000_000


@dataclass(frozen=True)
class ExcessRow:
    """``spent`` is the chance, in per cent, that equal networks, which chance of seeds alone tells apart, are called
    different at any interim analysis, ``excess`` by how many per cent of ``level`` that is more, with its standard
    error."""

    family: int
    max_seeds: int
    level: float
    repetitions: int
    spent: float
    excess: float
    standard_error: float


def excess_of(family: int, max_seeds: int, repetitions: int, random_seed: int) -> ExcessRow:
    """Simulate differences of seeds, a thousand times ``repetitions`` for each comparison: small levels need many."""
    generator = np.random.default_rng([random_seed, family, max_seeds])
    level, tries, crossed = LEVEL / family, 1_000 * repetitions * family, 0
    for start in range(0, tries, ROUNDS):
        crossed += _crossings(generator, min(ROUNDS, tries - start), max_seeds, level)
    share = crossed / tries
    error = math.sqrt(share * (1 - share) / tries)
    return ExcessRow(family, max_seeds, 100 * level, tries, 100 * share, 100 * (share / level - 1), 100 * error / level)


def _crossings(generator: np.random.Generator, tries: int, max_seeds: int, level: float) -> int:
    found = np.zeros(tries, np.bool_)
    total, squares, seen = np.zeros(tries), np.zeros(tries), 0
    for one in analysis_levels(max_seeds, level):
        for _ in range(one.seeds - seen):
            drawn = generator.standard_normal(tries)
            total += drawn
            squares += drawn**2
        seen = one.seeds
        variance = (squares - total**2 / seen) / (seen - 1)
        statistic = np.abs(total) / np.sqrt(seen * variance)
        found |= statistic > special.stdtrit(seen - 1, 1 - one.different / 2)
    return int(found.sum())
