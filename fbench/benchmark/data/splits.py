"""Seeded splits for data that come without one: by class, or by group so that no subject is on two sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.core.errors import UserError

DRAWS: Final = 256
SPLIT_SEED: Final = 0
FLAT_SHARES: Final = (0.15, 0.15)
"""Selection and test, where the source tells no split at all."""
SELECTION_SHARE: Final = 0.10
"""Of the training part, where the source has a test part and none for validation."""


def stratified_split(labels: npt.NDArray[np.uint8], shares: Sequence[float], seed: int) -> npt.NDArray[np.uint8]:
    """Deal the rows of each class into parts.

    Args:
        labels: (N,).
        shares: of the parts 1, 2, ...; part 0 has what is left.
        seed: of the shuffle.

    Returns:
        Part of each row, (N,). A class with at least as many rows as parts is in every part.
    """
    random = _frozen_random(seed)
    parts = np.zeros(len(labels), np.uint8)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        parts[rows] = _deal(len(rows), shares, random)
    return parts


def grouped_split(
    groups: Sequence[str], labels: npt.NDArray[np.uint8], shares: Sequence[float], seed: int
) -> npt.NDArray[np.uint8]:
    """Deal whole groups into parts: of 256 seeded draws, the one whose classes are most like the whole's.

    Rare classes need the choice: of 2,000 single draws of CK+48's subjects, 9.7 % left a part without any
    image of some class.

    Args:
        groups: of each row, (N,).
        labels: (N,), compared by the sum over parts and classes of (share in part - share)^2 / share.
        shares: of the groups, for the parts 1, 2, ...; part 0 has what is left.
        seed: of the draws.

    Returns:
        Part of each row, (N,).

    Raises:
        UserError: fewer groups than parts.
    """
    names, group_of_row = np.unique(np.array(groups), return_inverse=True)
    if len(names) <= len(shares):
        raise UserError(
            f"{len(names)} subjects or other groups cannot fill {len(shares) + 1} splits, as each stays whole; give "
            "more, or leave out what they are grouped by."
        )
    random = _frozen_random(seed)
    draws = [_deal(len(names), shares, random)[group_of_row] for _ in range(DRAWS)]
    return min(draws, key=lambda parts: _unlikeness(parts, labels))


def grouped_folds(groups: Sequence[str], labels: npt.NDArray[np.uint8], folds: int, seed: int) -> npt.NDArray[np.int64]:
    """Deal whole groups into folds of nearly equal numbers of groups, the most even in size and classes of 256 draws.

    Args:
        groups: of each row, (N,).
        labels: (N,).
        folds: how many.
        seed: of the draws.

    Returns:
        Fold of each row, (N,), from 0.

    Raises:
        UserError: fewer groups than folds.
    """
    names, group_of_row = np.unique(np.array(groups), return_inverse=True)
    if len(names) < folds:
        raise UserError(
            f"{len(names)} subjects or other groups cannot fill {folds} folds, as each stays whole; ask for fewer."
        )
    random = _frozen_random(seed)
    draws = []
    for _ in range(DRAWS):
        fold_of_group = np.empty(len(names), np.int64)
        fold_of_group[random.permutation(len(names))] = np.arange(len(names)) % folds
        draws.append(fold_of_group[group_of_row])
    return min(draws, key=lambda parts: _unlikeness(parts, labels) + _unevenness(parts, folds))


def stratified_folds(labels: npt.NDArray[np.uint8], folds: int, seed: int) -> npt.NDArray[np.int64]:
    """Deal the rows of each class into folds in turn, after a seeded shuffle; fold of each row (N,), from 0."""
    random = _frozen_random(seed)
    parts = np.empty(len(labels), np.int64)
    dealt = 0
    for label in np.unique(labels):
        rows = random.permutation(np.flatnonzero(labels == label))
        parts[rows] = (dealt + np.arange(len(rows))) % folds
        dealt += len(rows)
    return parts


def split_of_folds(fold_of_row: npt.NDArray[np.int64], fold: int, folds: int) -> npt.NDArray[np.uint8]:
    """The split (N,) in which part ``fold`` (from 1) of ``folds`` tests, the next one selects, and the rest trains."""
    split = np.zeros(len(fold_of_row), np.uint8)
    split[fold_of_row == fold % folds] = 1
    split[fold_of_row == fold - 1] = 2
    return split


def _unevenness(parts: npt.NDArray[np.int64], folds: int) -> float:
    """Chi-square distance of the folds' sizes from equal ones."""
    shares = np.bincount(parts, minlength=folds) / len(parts)
    return float(((shares - 1 / folds) ** 2 * folds).sum())


def _unlikeness(parts: npt.NDArray[np.integer], labels: npt.NDArray[np.uint8]) -> float:
    """Chi-square distance between the classes of each part and those of the whole, summed over the parts."""
    counts = np.zeros((int(parts.max()) + 1, int(labels.max()) + 1))
    np.add.at(counts, (parts, labels), 1)
    counts = counts[:, counts.sum(axis=0) > 0]
    whole = counts.sum(axis=0) / counts.sum()
    return float((((counts / counts.sum(axis=1, keepdims=True)) - whole) ** 2 / whole).sum())


def _deal(count: int, shares: Sequence[float], random: np.random.RandomState) -> npt.NDArray[np.uint8]:
    order = random.permutation(count)
    parts = np.zeros(count, np.uint8)
    if count <= len(shares):
        return parts
    first = 0
    for part, share in enumerate(shares, start=1):
        size = max(1, round(share * count))
        parts[order[first : first + size]] = part
        first += size
    return parts


def _frozen_random(seed: int) -> np.random.RandomState:
    # NumPy freezes the stream of RandomState for good and lets that of Generator change between versions; a
    # split is part of a data set's fingerprint and must not move with an upgrade.
    return np.random.RandomState(seed)
