"""The sign-flip permutation test over seeds (Fisher 1935, The Design of Experiments, section 21).

If two networks are equally good, each paired difference could as well have had the other sign. The p-value is
the share of all sign patterns whose mean is at least as far from zero as the observed one. With R seeds there
are 2^R patterns and at least two of them are that far, so no p-value below 2 / 2^R can be reached.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MOST_EXACT_SEEDS = 20  # 2^20 sums take 8 MB and 50 ms; every further seed doubles both
MONTE_CARLO_FLIPS = 99_999
BLOCK_OF_SIGNS = 2**17  # 1 MB, which stays in a core's cache; all signs of 3,334 seeds at once take 2.7 GB
TIES = 1e-9  # share of the largest sum within which sums are equal: seed means are fractions of C images


@dataclass(frozen=True)
class SignFlipTest:
    """A two-sided p-value, the smallest one that these seeds could have reached, and whether it is exact."""

    p_value: float
    smallest_p_value: float
    exact: bool


def sign_flip(differences: npt.ArrayLike, random_seed: int = 0) -> SignFlipTest:
    """Test paired differences, one per seed, for a mean of zero.

    Exact for up to 20 seeds. Beyond, 99,999 random patterns are drawn and the observed one is counted with
    them (Phipson, Smyth 2010, Statistical Applications in Genetics and Molecular Biology 9, 39).

    Args:
        differences: shape (R,), one per seed.
        random_seed: of the random patterns; without effect up to 20 seeds.

    Raises:
        ValueError: no difference, more than one dimension, or a difference that is not finite.
    """
    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or values.size < 1 or not np.isfinite(values).all():
        raise ValueError(f"A sign-flip test needs one finite difference per seed; given were {values.tolist()}.")
    exact = values.size <= MOST_EXACT_SEEDS
    sums = _all_sums(values) if exact else _random_sums(values, random_seed)
    reached = np.abs(sums) >= abs(values.sum()) - TIES * np.abs(values).sum()
    return SignFlipTest(float(reached.mean()), smallest_p_value(values.size), exact)


def smallest_p_value(seeds: int) -> float:
    """Return the smallest p-value that ``sign_flip`` can give with this many seeds.

    Raises:
        ValueError: fewer than one seed.
    """
    if seeds < 1:
        raise ValueError(f"{seeds} seeds cannot be tested; give at least 1.")
    return 2.0 / 2**seeds if seeds <= MOST_EXACT_SEEDS else 1 / (MONTE_CARLO_FLIPS + 1)


def smallest_reachable(seeds: int, family_size: int) -> float:
    """Return the smallest sign-flip p-value after Holm's correction that a family of comparisons can reach.

    Holm multiplies the smallest of m p-values by m: a family of three on five seeds cannot get below 0.1875.

    Raises:
        ValueError: fewer than one seed or one comparison.
    """
    if family_size < 1:
        raise ValueError(f"A family of {family_size} comparisons has no p-value; give at least 1.")
    return min(1.0, family_size * smallest_p_value(seeds))


def _all_sums(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate((sums + value, sums - value))
    return sums


def _random_sums(values: npt.NDArray[np.float64], random_seed: int) -> npt.NDArray[np.float64]:
    generator = np.random.default_rng(random_seed)
    sums = np.empty(MONTE_CARLO_FLIPS + 1)
    sums[-1] = values.sum()
    rows = 4 * max(1, BLOCK_OF_SIGNS // (4 * values.size))  # in fours, the generator gives the signs of one large draw
    for start in range(0, MONTE_CARLO_FLIPS, rows):
        drawn = min(rows, MONTE_CARLO_FLIPS - start)
        signs = generator.integers(0, 2, size=(drawn, values.size), dtype=np.int8).astype(np.float64)
        signs *= 2
        signs -= 1
        sums[start : start + drawn] = signs @ values
    return sums
