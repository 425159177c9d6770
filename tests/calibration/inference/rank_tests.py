"""How often tests of all pairs find a difference among equal networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from fbench.statistics.many.post_hoc import conover, nemenyi
from fbench.statistics.many.ranks import friedman

CASES: Final = ((3, 3), (3, 4), (3, 16), (5, 4), (10, 4), (10, 16), (20, 8))
"""Blocks and networks."""


@dataclass(frozen=True)
class RankTestRow:
    """Per cent of ``repetitions`` in which equal networks are found to differ at 5 %.

    ``friedman_f`` by the F of Iman and Davenport, ``friedman`` as fbench does it, exact in small tables. ``nemenyi``
    and ``conover_with_holm``: any pair. ``..._beside_a_better_one``: any pair of the equal ones, where one network of
    the table is far better than they are.
    """

    blocks: int
    networks: int
    repetitions: int
    friedman_f: float
    friedman: float
    nemenyi: float
    conover_with_holm: float
    nemenyi_beside_a_better_one: float
    conover_with_holm_beside_a_better_one: float


def rank_tests_of(blocks: int, networks: int, repetitions: int, random_seed: int) -> RankTestRow:
    """Draw scores of equal networks, and test all of them and all pairs."""
    generator = np.random.default_rng([random_seed, blocks, networks])
    found = []
    for _ in range(repetitions):
        scores = generator.standard_normal((blocks, networks))
        beside = np.column_stack([scores[:, 1:], np.full(blocks, 100.0)])
        test = friedman(scores)
        found.append(
            (
                special.fdtrc(*test.degrees_of_freedom, test.f_statistic) < 0.05,
                test.p_value < 0.05,
                (nemenyi(scores) < 0.05).any(),
                (conover(scores) < 0.05).any(),
                (nemenyi(beside)[:-1, :-1] < 0.05).any(),
                (conover(beside)[:-1, :-1] < 0.05).any(),
            )
        )
    shares = 100 * np.mean(np.array(found, dtype=np.float64), axis=0)
    return RankTestRow(blocks, networks, repetitions, *(float(share) for share in shares))
