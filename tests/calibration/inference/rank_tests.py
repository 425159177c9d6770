"""How often tests of all pairs find a difference among equal networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from fbench.statistics.many.post_hoc import conover, nemenyi

CASES: Final = ((3, 4), (3, 16), (5, 4), (10, 4), (10, 16), (20, 8))
"""Blocks and networks."""


@dataclass(frozen=True)
class RankTestRow:
    """Per cent of ``repetitions`` in which any pair of equal networks differs at 5 %."""

    blocks: int
    networks: int
    repetitions: int
    nemenyi: float
    conover_with_holm: float


def rank_tests_of(blocks: int, networks: int, repetitions: int, random_seed: int) -> RankTestRow:
    """Draw scores of equal networks and test all pairs."""
    generator = np.random.default_rng([random_seed, blocks, networks])
    found = []
    for _ in range(repetitions):
        scores = generator.standard_normal((blocks, networks))
        found.append([(test(scores) < 0.05).any() for test in (nemenyi, conover)])
    shares = 100 * np.mean(np.array(found, dtype=np.float64), axis=0)
    return RankTestRow(blocks, networks, repetitions, float(shares[0]), float(shares[1]))
