"""The exact distribution of Friedman's statistic for small tables, where its approximations are poor.

If networks do not differ, every arrangement of a block's ranks is equally likely (Friedman 1937, Journal of the
American Statistical Association 32, 675-701). ``results/inference/rank_tests.csv`` has how often each p-value errs.
"""

from __future__ import annotations

from itertools import permutations
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

MOST_BLOCKS: Final = {2: 200, 3: 20, 4: 10, 5: 5}
"""Up to how many blocks of so many networks the distribution is worked out: each takes less than 0.1 s."""


def is_small(blocks: int, networks: int) -> bool:
    """Whether the exact distribution is within reach."""
    return 2 <= blocks <= MOST_BLOCKS.get(networks, 0)


def exact_p_value(ranks: FloatArray) -> float:
    """Return the share of all arrangements within blocks whose rank sums are at least as unequal as these.

    Args:
        ranks: shape (blocks, networks), ties averaged; small as :func:`is_small` has it.
    """
    doubled = np.rint(2 * ranks).astype(np.int64)  # averages of ties are halves, so that twice a rank is whole
    # Each block takes all arrangements, so that the order of networks in a sum of blocks says nothing.
    sums, weights = np.sort(doubled[:1], axis=1), np.ones(1)
    for block in doubled[1:]:
        arrangements = np.array(list(permutations(block.tolist())))
        grown = np.sort((sums[:, None] + arrangements[None]).reshape(-1, block.size), axis=1)
        sums, indices = np.unique(grown, axis=0, return_inverse=True)
        weights = np.bincount(indices.reshape(-1), np.repeat(weights, len(arrangements))) / len(arrangements)
    seen = int((doubled.sum(axis=0) ** 2).sum())
    return float(min(1.0, weights[(sums**2).sum(axis=1) >= seen].sum()))
