"""The audit: hand-counted small sets, NumPy's correlations, and the published flaws of the real FER2013."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter
from support import make_stripes

from fbench.benchmark.data.audit.audit import audit_dataset
from fbench.benchmark.data.audit.findings import Audit
from fbench.benchmark.data.audit.kept import cached_audit, keep_audit
from fbench.benchmark.data.audit.near import correlated_pairs
from fbench.benchmark.data.dataset import ImageDataset


def small(rows: list[tuple[int, int, int]], subjects: list[str] | None = None) -> ImageDataset:
    """Images of one pattern each (number 0 is black), with label and split."""
    patterns = np.random.default_rng(0).integers(1, 256, (10, 1, 6, 6), dtype=np.uint8)
    patterns[0] = 0
    return ImageDataset(
        name="small",
        images=patterns[[picture for picture, _, _ in rows]],
        labels=np.array([label for _, label, _ in rows], np.uint8),
        split=np.array([split for _, _, split in rows], np.uint8),
        sample_ids=np.array([f"row:{row}" for row in range(len(rows))]),
        class_names=("a", "b"),
        may_show_images=True,
        synthetic=True,
        description="small",
        subjects=None if subjects is None else np.array(subjects),
    )


# picture, label, split
ROWS = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (2, 0, 0), (3, 0, 1), (2, 1, 1), (2, 0, 2), (4, 0, 2), (4, 0, 2), (5, 1, 2)]


def test_copies_are_counted_within_and_across_splits_and_by_label() -> None:
    exact = audit_dataset(small(ROWS), near=False).exact
    assert (exact.distinct_images, exact.redundant_rows, exact.groups, exact.rows_in_groups) == (6, 4, 3, 7)
    assert exact.groups_by_size == {"2": 2, "3": 1}
    assert (exact.conflicting_groups, exact.rows_in_conflicting_groups) == (2, 5)
    assert (exact.groups_across_splits, exact.rows_in_groups_across_splits) == (1, 3)
    assert exact.conflicting_groups_across_splits == 1
    within = {
        name: (part.groups, part.rows, part.redundant_rows, part.conflicting_groups)
        for name, part in exact.within_split.items()
    }
    assert within == {"train": (1, 2, 1, 1), "validation": (0, 0, 0, 0), "test": (1, 2, 1, 0)}
    across = {(pair.first, pair.second): pair for pair in exact.across}
    pair = across["train", "validation"]
    assert (pair.distinct_images, pair.rows_in_first, pair.rows_in_second) == (1, 1, 1)
    assert pair.rows_in_second_with_other_label == 1
    assert across["train", "test"].rows_in_second_with_other_label == 0


def test_counts_imbalance_and_blank_images() -> None:
    audit = audit_dataset(small(ROWS), near=False)
    assert audit.images_by_split_and_class == {"train": (3, 1), "validation": (1, 1), "test": (3, 1)}
    assert audit.imbalance == 3.0
    assert audit.black_rows == audit.constant_rows == (0,)
    assert audit.test_rows_with_copies == (0,)
    assert audit.near is None
    assert audit.subjects is None


def test_subjects_on_two_sides_are_named_with_their_images() -> None:
    audit = audit_dataset(small(ROWS, list("aabbccdefa")), near=False)
    assert audit.subjects == 6
    assert audit.subjects_on_both_sides is not None
    assert [(found.subject, found.images) for found in audit.subjects_on_both_sides] == [("a", {"train": 2, "test": 1})]


def test_non_faces_are_rows() -> None:
    audit = audit_dataset(small(ROWS), near=False, non_faces=np.arange(10) % 4 == 1)
    assert audit.non_face_rows == (1, 5, 9)


def reference_pairs(images: npt.NDArray[np.uint8], above: float, mirror: bool) -> set[tuple[int, int]]:
    flat = images.reshape(len(images), -1).astype(float)
    others = (images[..., ::-1] if mirror else images).reshape(len(images), -1).astype(float)
    found = set()
    for first in range(len(images)):
        for second in range(first + 1, len(images)):
            if flat[first].std() > 0 and others[second].std() > 0:
                correlation = np.corrcoef(flat[first], others[second])[0, 1]
                if correlation > above:
                    found.add((first, second))
    return found


@pytest.mark.parametrize("width", [5, 6])
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.3, 0.9]))
@pytest.mark.slow
def test_pairs_are_those_of_numpys_correlation(width: int, seed: int, above: float) -> None:
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (14, 1, 5, width), dtype=np.uint8)
    noise = random.integers(-9, 10, images[:4].shape)
    images[4:8] = np.clip(images[:4] + noise, 0, 255)
    images[8:11] = images[:3, ..., ::-1]
    images[11] = 7
    for mirror, pairs in zip((False, True), correlated_pairs(images, above), strict=True):
        found = set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
        assert found == reference_pairs(images, above, mirror)


@given(arrays(np.uint8, (6, 1, 3, 4)))
def test_any_images_can_be_compared(images: npt.NDArray[np.uint8]) -> None:
    rounding = 1e-9
    for mirror, pairs in zip((False, True), correlated_pairs(images, 0.98), strict=True):
        found = set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
        assert reference_pairs(images, 0.98 + rounding, mirror) <= found
        assert found <= reference_pairs(images, 0.98 - rounding, mirror)
        assert (pairs.first < pairs.second).all()
        assert (pairs.correlation > 0.98).all()
        assert (np.diff(pairs.correlation) <= 0).all()


def textures(random: np.random.Generator, count: int, shape: tuple[int, int, int], smooth: bool) -> npt.NDArray[Any]:
    """Images of slow waves, which few frequencies hold, or of noise, which they do not."""
    noise = random.normal(0, 1, (count, *shape))
    if smooth:
        noise = gaussian_filter(noise, (0, 0, 4, 4)) * 9
    return np.clip(128 + 40 * noise, 0, 255)


@pytest.mark.parametrize("smooth", [True, False])
@given(
    st.integers(0, 10_000),
    st.sampled_from([(1, 24, 20), (1, 20, 25), (3, 14, 17), (1, 1, 40), (1, 40, 1)]),
    st.sampled_from([-0.2, 0.5, 0.9, 0.98]),
)
def test_what_few_frequencies_rule_out_is_no_pair(
    smooth: bool, seed: int, shape: tuple[int, int, int], above: float
) -> None:
    random = np.random.default_rng(seed)
    values = textures(random, 12, shape, smooth)
    values[4:8] = values[:4] + random.normal(0, 8, values[:4].shape)
    values[8:11] = values[:3, ..., ::-1] + random.normal(0, 8, values[:3].shape)
    images = np.clip(values, 0, 255).astype(np.uint8)
    for mirror, pairs in zip((False, True), correlated_pairs(images, above), strict=True):
        found = set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
        assert found == reference_pairs(images, above, mirror)


def test_many_images_that_few_frequencies_cannot_tell_apart_are_compared_whole() -> None:
    """Noise: the upper bound rules nothing out, in each of the three blocks."""
    random = np.random.default_rng(0)
    images = textures(random, 1100, (1, 30, 30), smooth=False).astype(np.uint8)
    images[1099], images[1050] = images[3], images[10][..., ::-1]
    for mirrored, pairs in zip((False, True), correlated_pairs(images, 0.7), strict=True):
        flat = images.reshape(len(images), -1)
        others = (images[..., ::-1] if mirrored else images).reshape(len(images), -1)
        expected = np.argwhere(np.triu(np.corrcoef(flat, others)[: len(flat), len(flat) :] > 0.7, 1))
        found = np.stack([pairs.first, pairs.second], axis=1)
        assert sorted(found.tolist()) == expected.tolist()
        assert ([10, 1050] if mirrored else [3, 1099]) in found.tolist()


def test_more_images_than_a_block_are_compared_across_blocks() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2100, 1, 4, 4), dtype=np.uint8)
    images[2099], images[1500] = images[3], images[10][..., ::-1]
    as_is, mirrored = correlated_pairs(images, 0.999)
    assert (3, 2099) in set(zip(as_is.first.tolist(), as_is.second.tolist(), strict=True))
    assert (10, 1500) in set(zip(mirrored.first.tolist(), mirrored.second.tolist(), strict=True))


def test_near_copies_are_told_with_their_splits_and_labels() -> None:
    base = make_stripes((20, 5, 5))
    images = base.images.copy()
    images[27] = np.clip(images[2].astype(int) + 1, 0, 255)
    images[28] = np.clip(images[4][..., ::-1].astype(int) + 1, 0, 255)
    near = audit_dataset(replace(base, images=images), near=True).near
    assert near is not None
    as_is, mirrored = near
    assert [(pair.first_row, pair.second_row, pair.first_split, pair.second_split) for pair in as_is.pairs] == [
        (2, 27, "train", "test")
    ]
    assert (4, 28) in [(pair.first_row, pair.second_row) for pair in mirrored.pairs]
    assert as_is.pairs_across_splits == as_is.test_rows_with_near_copy == 1
    assert as_is.pairs[0].same_label == (base.labels[2] == base.labels[27])


def test_an_audit_is_kept_by_the_content_of_the_data() -> None:
    audit = audit_dataset(small(ROWS), near=True)
    assert cached_audit(audit.data_fingerprint) is None
    keep_audit(audit)
    assert cached_audit(audit.data_fingerprint) == audit
    assert Audit.model_validate_json(audit.model_dump_json()) == audit


@pytest.fixture(scope="module")
def fer2013(real_fer2013: tuple[npt.NDArray[np.uint8], ...]) -> ImageDataset:
    images, emotion, usage = real_fer2013
    return replace(
        small(ROWS),
        images=images.reshape(-1, 1, 48, 48),
        labels=emotion.astype(np.uint8),
        split=usage.astype(np.uint8),
        sample_ids=np.array([f"row:{row}" for row in range(len(emotion))]),
        class_names=tuple("abcdefg"),
    )


BLACK = (6458, 7629, 10423, 11286, 13148, 13402, 13988, 15894, 22198, 22927, 28601, 30002)


@pytest.mark.slow
def test_the_flaws_of_fer2013_are_found_exactly(fer2013: ImageDataset) -> None:
    """Counts that were measured apart on the same pixels, by another program."""
    audit = audit_dataset(fer2013, near=False)
    exact = audit.exact
    assert (exact.distinct_images, exact.redundant_rows, exact.groups, exact.rows_in_groups) == (
        34034,
        1853,
        1516,
        3369,
    )
    assert exact.groups_by_size == {"2": 1302, "3": 143, "4": 44, "5": 15, "6": 4, "7": 7, "12": 1}
    assert (exact.conflicting_groups, exact.rows_in_conflicting_groups) == (57, 160)
    assert (exact.groups_across_splits, exact.rows_in_groups_across_splits) == (557, 1323)
    assert exact.conflicting_groups_across_splits == 26
    within = [
        (part.groups, part.rows, part.redundant_rows, part.conflicting_groups) for part in exact.within_split.values()
    ]
    assert within == [(1035, 2271, 1236, 39), (26, 52, 26, 1), (16, 33, 17, 2)]
    across = [
        (p.distinct_images, p.rows_in_first, p.rows_in_second, p.rows_in_second_with_other_label) for p in exact.across
    ]
    assert across == [(270, 351, 280, 13), (278, 387, 288, 15), (43, 46, 44, 2)]
    assert audit.black_rows == audit.constant_rows == BLACK


@pytest.mark.skipif("FBENCH_FULL_DATA" not in os.environ, reason="half a minute of work: set FBENCH_FULL_DATA=1 for it")
def test_every_near_copy_of_fer2013_is_found(fer2013: ImageDataset) -> None:
    """A superset of what averaging over 4x4 pixels and then comparing the candidates finds."""
    near = audit_dataset(fer2013, near=True).near
    assert near is not None
    found = {(pair.first_row, pair.second_row) for pair in near[0].pairs}
    _, rows = np.unique(fer2013.images.reshape(len(fer2013.images), -1), axis=0, return_index=True)
    rows = np.sort(rows)
    flat = fer2013.images[rows].reshape(len(rows), -1).astype(np.float32)
    varied = rows[flat.std(axis=1) > 0]
    coarse = fer2013.images[varied].reshape(-1, 12, 4, 12, 4).mean(axis=(2, 4)).reshape(len(varied), -1)
    coarse -= coarse.mean(axis=1, keepdims=True)
    coarse /= np.linalg.norm(coarse, axis=1, keepdims=True)
    candidates = 0
    for start in range(0, len(varied), 2000):
        product = coarse[start : start + 2000] @ coarse.T
        for i, j in np.argwhere(product > 0.985):
            if start + i < j:
                a, b = fer2013.images[varied[start + i]].ravel(), fer2013.images[varied[j]].ravel()
                if np.corrcoef(a, b)[0, 1] > 0.98:
                    candidates += 1
                    assert (int(varied[start + i]), int(varied[j])) in found
    assert candidates == 278
