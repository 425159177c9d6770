"""Successive halving with a default: who goes on, and whether the default is beaten.

Jamieson & Talwalkar 2016 (AISTATS) without its guesses: rungs and survivors are stated beforehand. The default, which
is candidate 0, always goes on, and stays unless another beats it by more than one standard error of their difference
(the one-standard-error rule of Breiman et al. 1984, Classification and Regression Trees, 3.4.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

DEFAULT: Final = 0

Score = tuple[float, ...]
"""More is better; equal first numbers are told apart by the second, and so on."""


def survivors(scores: Mapping[int, Score | None], keep: int) -> tuple[int, ...]:
    """The candidates that go on, in their order: the default and the ``keep`` best beside it.

    Args:
        scores: by candidate, None where one failed, which never goes on unless it is the default.
        keep: how many candidates beside the default.

    Ties are decided by order: the candidate with the lower number goes on.
    """
    return tuple(sorted({DEFAULT, *ranked(scores)[:keep]}))


def ranked(scores: Mapping[int, Score | None]) -> tuple[int, ...]:
    """The candidates beside the default that did not fail, best first; of equals the lower number first."""
    finished = {key: score for key, score in scores.items() if key != DEFAULT and score is not None}
    return tuple(sorted(finished, key=lambda key: (tuple(-part for part in finished[key]), key)))


def beats_default(difference: float, standard_error: float) -> bool:
    """Whether a challenger takes the place of the default: it is ahead by more than one standard error.

    Args:
        difference: score of the challenger minus that of the default.
        standard_error: of that difference, at least 0.
    """
    return difference > standard_error
