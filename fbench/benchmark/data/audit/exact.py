"""Exact copies of a data set, counted within splits, across splits, and where copies carry different labels."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.audit.findings import ExactCopies, SplitCopies, SplitPair
from fbench.benchmark.data.dataset import SPLITS, ImageDataset


def exact_copies(dataset: ImageDataset) -> ExactCopies:
    """Count groups of images of which all pixels are equal."""
    groups = dataset.copy_groups
    sizes = np.bincount(groups)
    repeated = sizes > 1
    conflicting = repeated & (_distinct_values(groups, dataset.labels) > 1)
    spanning = repeated & (_distinct_values(groups, dataset.split) > 1)
    by_size, how_many = np.unique(sizes[repeated], return_counts=True)
    return ExactCopies(
        distinct_images=len(sizes),
        redundant_rows=int(len(groups) - len(sizes)),
        groups=int(repeated.sum()),
        rows_in_groups=int(sizes[repeated].sum()),
        groups_by_size={str(size): int(count) for size, count in zip(by_size, how_many, strict=True)},
        conflicting_groups=int(conflicting.sum()),
        rows_in_conflicting_groups=int(sizes[conflicting].sum()),
        groups_across_splits=int(spanning.sum()),
        rows_in_groups_across_splits=int(sizes[spanning].sum()),
        conflicting_groups_across_splits=int((spanning & conflicting).sum()),
        within_split={name: _within(groups, dataset, index) for index, name in enumerate(SPLITS)},
        across=tuple(_between(groups, dataset, first, second) for first, second in combinations(range(len(SPLITS)), 2)),
    )


def _distinct_values(groups: npt.NDArray[np.int64], values: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """How many distinct values each group has."""
    pairs = np.unique(np.stack([groups, values.astype(np.int64)]), axis=1)
    return np.bincount(pairs[0], minlength=int(groups.max(initial=-1)) + 1)


def _within(groups: npt.NDArray[np.int64], dataset: ImageDataset, split: int) -> SplitCopies:
    rows = np.flatnonzero(dataset.split == split)
    sizes = np.bincount(groups[rows], minlength=1)
    labels = _distinct_values(groups[rows], dataset.labels[rows])
    repeated = sizes > 1
    return SplitCopies(
        groups=int(repeated.sum()),
        rows=int(sizes[repeated].sum()),
        redundant_rows=int(sizes[repeated].sum() - repeated.sum()),
        conflicting_groups=int((repeated & (labels[: len(sizes)] > 1)).sum()) if len(rows) else 0,
    )


def _between(groups: npt.NDArray[np.int64], dataset: ImageDataset, first: int, second: int) -> SplitPair:
    in_first, in_second = np.flatnonzero(dataset.split == first), np.flatnonzero(dataset.split == second)
    shared = np.intersect1d(groups[in_first], groups[in_second])
    here, there = in_first[np.isin(groups[in_first], shared)], in_second[np.isin(groups[in_second], shared)]
    labels_in_first: dict[int, set[int]] = {}
    for row in here.tolist():
        labels_in_first.setdefault(int(groups[row]), set()).add(int(dataset.labels[row]))
    other = sum(labels_in_first[int(groups[row])] != {int(dataset.labels[row])} for row in there.tolist())
    return SplitPair(
        first=SPLITS[first],
        second=SPLITS[second],
        distinct_images=len(shared),
        rows_in_first=len(here),
        rows_in_second=len(there),
        rows_in_second_with_other_label=other,
    )
