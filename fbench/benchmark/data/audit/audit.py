"""The audit of a data set: everything that is known to be wrong with it, found from its arrays alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.audit.exact import exact_copies
from fbench.benchmark.data.audit.findings import (
    NEAR_CORRELATION,
    Audit,
    CopyPair,
    NearCopies,
    SubjectOnBothSides,
)
from fbench.benchmark.data.audit.near import Pairs, correlated_pairs
from fbench.benchmark.data.copies import places_of_test_copies
from fbench.benchmark.data.dataset import SPLITS, ImageDataset, SplitName


def audit_dataset(
    dataset: ImageDataset,
    *,
    near: bool,
    non_faces: npt.NDArray[np.bool_] | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Audit:
    """Look for copies, blank images, imbalance and subjects on two sides.

    Args:
        dataset: what is audited.
        near: whether to compare every pair of distinct images too, which takes ten seconds on 36,000 images of
            48x48 on two cores; without it the audit takes half a second.
        non_faces: (N,), which images show no face according to annotators, where that is known.
        progress: told the share of the comparison that is done.
    """
    pixels = dataset.images.reshape(len(dataset.images), -1)
    low, high = pixels.min(axis=1), pixels.max(axis=1)
    counts = _counts(dataset)
    return Audit(
        data_name=dataset.name,
        data_fingerprint=dataset.fingerprint,
        description=dataset.description,
        conversion=dataset.conversion,
        class_names=dataset.class_names,
        images_by_split_and_class=counts,
        imbalance=max(counts["train"]) / max(1, min(counts["train"])),
        left_out=dataset.left_out,
        exact=exact_copies(dataset),
        constant_rows=tuple(np.flatnonzero(low == high).tolist()),
        black_rows=tuple(np.flatnonzero(high == 0).tolist()),
        test_rows_with_copies=tuple(places_of_test_copies(dataset).tolist()),
        near=near_copies(dataset, progress) if near else None,
        non_face_rows=None if non_faces is None else tuple(np.flatnonzero(non_faces).tolist()),
        subjects=None if dataset.subjects is None else len(np.unique(dataset.subjects)),
        subjects_on_both_sides=None if dataset.subjects is None else _on_both_sides(dataset, dataset.subjects),
    )


def near_copies(
    dataset: ImageDataset, progress: Callable[[float], None] = lambda share: None
) -> tuple[NearCopies, NearCopies]:
    """Pairs of distinct images that are nearly equal, as they are and mirrored.

    Of equal images the first in the data set stands for all; whether a pair crosses splits is asked of all of them.
    """
    groups = dataset.copy_groups
    _, representative = np.unique(groups, return_index=True)
    as_is, mirrored = correlated_pairs(dataset.images[representative], NEAR_CORRELATION, progress)
    return (
        _described(dataset, groups, representative, as_is, mirrored=False),
        _described(dataset, groups, representative, mirrored, mirrored=True),
    )


def _described(
    dataset: ImageDataset,
    groups: npt.NDArray[np.int64],
    representative: npt.NDArray[np.int64],
    pairs: Pairs,
    *,
    mirrored: bool,
) -> NearCopies:
    splits = _members(groups, dataset.split)
    labels = _members(groups, dataset.labels)
    test = SPLITS.index("test")
    rows: dict[int, list[int]] = {}
    for row, group in enumerate(groups[dataset.split == test].tolist()):
        rows.setdefault(group, []).append(row)
    found, leaked = [], set(places_of_test_copies(dataset).tolist())
    across = 0
    for first, second, correlation in zip(pairs.first.tolist(), pairs.second.tolist(), pairs.correlation, strict=True):
        row, other = int(representative[first]), int(representative[second])
        across += len(splits[first] | splits[second]) > 1
        for mine, theirs in ((first, second), (second, first)):
            if splits[theirs] - {test}:
                leaked.update(rows.get(mine, ()))
        found.append(
            CopyPair(
                first_row=row,
                second_row=other,
                correlation=round(float(correlation), 6),
                first_split=SPLITS[dataset.split[row]],
                second_split=SPLITS[dataset.split[other]],
                same_label=len(labels[first] | labels[second]) == 1,
            )
        )
    return NearCopies(
        kind="mirrored" if mirrored else "as_is",
        correlation_above=NEAR_CORRELATION,
        pairs=tuple(found),
        pairs_across_splits=across,
        pairs_with_other_label=sum(not pair.same_label for pair in found),
        test_rows_with_near_copy=len(leaked),
    )


def _members(groups: npt.NDArray[np.int64], values: npt.NDArray[np.uint8]) -> dict[int, set[int]]:
    """The distinct values of each group."""
    found: dict[int, set[int]] = {}
    for group, value in zip(groups.tolist(), values.tolist(), strict=True):
        found.setdefault(group, set()).add(value)
    return found


def _counts(dataset: ImageDataset) -> dict[SplitName, tuple[int, ...]]:
    classes = len(dataset.class_names)
    return {
        name: tuple(np.bincount(dataset.labels[dataset.split == index], minlength=classes).tolist())
        for index, name in enumerate(SPLITS)
    }


def _on_both_sides(dataset: ImageDataset, subjects: npt.NDArray[np.str_]) -> tuple[SubjectOnBothSides, ...]:
    found = []
    for subject in np.unique(subjects).tolist():
        sides = np.bincount(dataset.split[subjects == subject], minlength=len(SPLITS))
        if np.count_nonzero(sides) > 1:
            images: dict[SplitName, int] = {
                name: int(count) for name, count in zip(SPLITS, sides, strict=True) if count
            }
            found.append(SubjectOnBothSides(subject=subject, images=images))
    return tuple(found)
