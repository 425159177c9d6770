"""Seeded splits: sizes, what stays together, and that they never change."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbench.benchmark.data.splits import (
    grouped_folds,
    grouped_split,
    split_of_folds,
    stratified_folds,
    stratified_split,
)
from fbench.core.errors import UserError


@given(labels=st.lists(st.integers(0, 4), min_size=1, max_size=200), seed=st.integers(0, 5))
def test_each_class_is_dealt_by_its_shares(labels: list[int], seed: int) -> None:
    array = np.array(labels, np.uint8)
    parts = stratified_split(array, (0.2, 0.1), seed)
    for label, count in Counter(labels).items():
        sizes = np.bincount(parts[array == label], minlength=3).tolist()
        expected = [max(1, round(0.2 * count)), max(1, round(0.1 * count))] if count >= 3 else [0, 0]
        assert sizes == [count - sum(expected), *expected]


@given(
    rows=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=100),
    seed=st.integers(0, 3),
)
def test_a_group_is_never_on_two_sides(rows: list[tuple[int, int]], seed: int) -> None:
    groups = [f"S{group}" for group, _ in rows]
    labels = np.array([label for _, label in rows], np.uint8)
    number = len(set(groups))
    if number < 3:
        with pytest.raises(UserError, match=f"{number} subjects or other groups cannot fill 3 splits"):
            grouped_split(groups, labels, (0.15, 0.15), seed)
        return
    parts = grouped_split(groups, labels, (0.15, 0.15), seed)
    part_of_group = {(group, part) for group, part in zip(groups, parts.tolist(), strict=True)}
    assert len(part_of_group) == number
    sizes = Counter(part for _, part in part_of_group)
    assert sizes[1] == sizes[2] == max(1, round(0.15 * number))


def test_a_rare_class_reaches_every_side_where_groups_allow() -> None:
    groups = [f"S{number:02d}" for number in range(40) for _ in range(2)]
    labels = np.array([1 if number % 8 == 0 else 0 for number in range(40) for _ in range(2)], np.uint8)
    parts = grouped_split(groups, labels, (0.15, 0.15), seed=0)
    assert {int(part) for part in parts[labels == 1]} == {0, 1, 2}


def test_splits_never_change_between_versions() -> None:
    # numpy.random.RandomState(0).permutation(10) has been [2 8 4 9 1 6 7 3 0 5] in every version of NumPy, so
    # the first part gets the rows 2 and 8, and the second row 4.
    parts = stratified_split(np.zeros(10, np.uint8), (0.2, 0.1), seed=0)
    assert parts.tolist() == [0, 0, 1, 0, 2, 0, 0, 0, 1, 0]


@given(
    rows=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=100),
    folds=st.integers(3, 6),
)
def test_folds_of_groups_keep_them_whole_and_differ_by_one_group_at_most(
    rows: list[tuple[int, int]], folds: int
) -> None:
    groups = [f"S{group}" for group, _ in rows]
    labels = np.array([label for _, label in rows], np.uint8)
    number = len(set(groups))
    if number < folds:
        with pytest.raises(UserError, match=f"{number} subjects or other groups cannot fill {folds} folds"):
            grouped_folds(groups, labels, folds, seed=0)
        return
    fold_of_row = grouped_folds(groups, labels, folds, seed=0)
    fold_of_group = set(zip(groups, fold_of_row.tolist(), strict=True))
    assert len(fold_of_group) == number
    sizes = Counter(fold for _, fold in fold_of_group)
    assert len(sizes) == folds
    assert max(sizes.values()) - min(sizes.values()) <= 1
    np.testing.assert_array_equal(fold_of_row, grouped_folds(groups, labels, folds, seed=0))


@given(labels=st.lists(st.integers(0, 4), min_size=1, max_size=100), folds=st.integers(3, 6), seed=st.integers(0, 3))
def test_folds_of_images_share_out_every_class(labels: list[int], folds: int, seed: int) -> None:
    array = np.array(labels, np.uint8)
    fold_of_row = stratified_folds(array, folds, seed)
    for rows in (array == label for label in range(5)):
        sizes = np.bincount(fold_of_row[rows], minlength=folds)
        assert sizes.max() - sizes.min() <= 1
    sizes = np.bincount(fold_of_row, minlength=folds)
    assert sizes.max() - sizes.min() <= 1


@given(folds=st.integers(3, 8))
def test_each_fold_tests_once_and_selects_once(folds: int) -> None:
    fold_of_row = np.arange(folds)
    splits = np.array([split_of_folds(fold_of_row, fold, folds) for fold in range(1, folds + 1)])
    np.testing.assert_array_equal(np.argwhere(splits == 2), [[row, row] for row in range(folds)])
    np.testing.assert_array_equal(np.argwhere(splits == 1), [[row, (row + 1) % folds] for row in range(folds)])
