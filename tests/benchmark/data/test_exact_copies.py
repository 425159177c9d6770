"""Exact copies: found by hand-made groups, and what each treatment leaves out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import make_stripes

from fbench.benchmark.data.copies import leaking_rows, places_of_test_copies, treat_copies
from fbench.benchmark.data.dataset import ImageDataset


def tiny(pictures: list[int], split: list[int], labels: list[int] | None = None) -> ImageDataset:
    """Images that are one gray value each: equal values are copies."""
    count = len(pictures)
    images = np.repeat(np.array(pictures, np.uint8), 4).reshape(count, 1, 2, 2)
    return ImageDataset(
        name="tiny",
        images=images,
        labels=np.array(labels or [0] * count, np.uint8),
        split=np.array(split, np.uint8),
        sample_ids=np.array([f"row:{row}" for row in range(count)]),
        class_names=("a", "b"),
        may_show_images=True,
        synthetic=True,
        description="tiny",
    )


# pictures   5 train twice, 6 train and test, 7 train and validation, 8 validation and test, 9 test twice, 4 alone
LEAKY = tiny([5, 5, 6, 7, 4, 7, 8, 6, 8, 9, 9], [0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2])


def test_equal_images_share_a_group_numbered_by_appearance() -> None:
    assert LEAKY.copy_groups.tolist() == [0, 0, 1, 2, 3, 2, 4, 1, 4, 5, 5]


def test_an_image_leaks_when_a_later_split_holds_its_copy() -> None:
    assert np.flatnonzero(leaking_rows(LEAKY)).tolist() == [2, 3, 6]


def test_test_images_with_copies_are_places_within_the_test_split() -> None:
    assert places_of_test_copies(LEAKY).tolist() == [0, 1]


def test_removed_leaves_out_what_leaks_and_nothing_of_the_test_split() -> None:
    clean = treat_copies(LEAKY, "removed", "tiny-removed")
    assert clean.images[:, 0, 0, 0].tolist() == [5, 5, 4, 7, 6, 8, 9, 9]
    assert clean.name == "tiny-removed"
    assert clean.left_out[-1].names == ("row:2", "row:3", "row:6")
    assert not leaking_rows(clean).any()


def test_keep_changes_the_name_alone() -> None:
    kept = treat_copies(LEAKY, "keep", "other")
    assert kept.name == "other"
    assert kept.fingerprint == LEAKY.fingerprint
    assert treat_copies(LEAKY, "keep", "tiny") is LEAKY


def per_cell(dataset: ImageDataset, rows: npt.NDArray[np.bool_]) -> dict[tuple[int, int], int]:
    cells = zip(dataset.split[rows].tolist(), dataset.labels[rows].tolist(), strict=True)
    return {cell: int(count) for cell, count in zip(*_counted(list(cells)), strict=True)}


def _counted(cells: list[tuple[int, int]]) -> tuple[list[tuple[int, int]], list[int]]:
    distinct = sorted(set(cells))
    return distinct, [cells.count(cell) for cell in distinct]


def test_the_control_leaves_out_as_many_others_of_each_class_and_split() -> None:
    base = make_stripes((90, 30, 30), size=8)
    images = base.images.copy()
    images[120:130], images[130:133] = images[:10], images[90:93]  # ten training and three validation copies
    leaky = replace(base, images=images)
    leaking = leaking_rows(leaky)
    assert leaking.sum() == 13
    control = treat_copies(leaky, "size_matched", "stripes-size_matched")
    out = np.isin(leaky.sample_ids, control.left_out[-1].names)
    assert per_cell(leaky, out) == per_cell(leaky, leaking)
    assert not (out & leaking).any()
    again = treat_copies(leaky, "size_matched", "stripes-size_matched")
    assert again.fingerprint == control.fingerprint


def test_the_control_is_drawn_from_the_images_that_do_not_leak() -> None:
    """Ten images of one class train, of which the first three leak: three of the other seven leave, drawn with seed 0
    from the generator whose stream NumPy keeps for good."""
    leaky = tiny([0, 1, 2, *range(10, 17), 0, 1, 2], [0] * 10 + [2] * 3)
    drawn = np.random.RandomState(0).permutation(np.arange(3, 10))[:3]
    control = treat_copies(leaky, "size_matched", "x")
    assert set(control.left_out[-1].names) == {f"row:{row}" for row in drawn}
    assert len(control.labels) == 10


@pytest.mark.parametrize(("others", "left_out"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 3), (9, 3)])
def test_the_control_leaves_one_image_of_each_class_that_does_not_leak(others: int, left_out: int) -> None:
    """Three training images leak, beside so many that do not."""
    leaky = tiny([0, 1, 2, *range(10, 10 + others), 0, 1, 2], [0] * (3 + others) + [2] * 3)
    assert len(treat_copies(leaky, "size_matched", "x").labels) == len(leaky.labels) - left_out


def test_without_copies_every_treatment_is_the_same_data() -> None:
    base = make_stripes(size=8)
    fingerprints = {treat_copies(base, how, "x").fingerprint for how in ("keep", "removed", "size_matched")}
    assert len(fingerprints) == 1


@pytest.mark.parametrize("treatment", ["removed", "size_matched"])
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=1, max_size=30))
def test_the_test_split_is_never_touched(treatment: str, rows: list[tuple[int, int]]) -> None:
    dataset = tiny([picture for picture, _ in rows], [split for _, split in rows])
    treated = treat_copies(dataset, treatment, "x")
    np.testing.assert_array_equal(treated.sample_ids[treated.split == 2], dataset.sample_ids[dataset.split == 2])
