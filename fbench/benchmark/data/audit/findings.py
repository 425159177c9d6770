"""What an audit of a data set finds: counts by split and class, copies, blank images, and who is on which side."""

from __future__ import annotations

from typing import Final, Literal

from fbench.benchmark.data.dataset import LeftOutImages, SplitName
from fbench.core.schema import FrozenModel

AUDIT_SCHEMA_VERSION: Final = 1
NEAR_CORRELATION: Final = 0.98
"""Pearson correlation of the pixels above which two distinct images count as near copies."""


class SplitPair(FrozenModel):
    """Exact copies between two splits. Rows are images.

    ``rows_in_second_with_other_label`` have another label than some copy in the first split.
    """

    first: SplitName
    second: SplitName
    distinct_images: int
    rows_in_first: int
    rows_in_second: int
    rows_in_second_with_other_label: int


class SplitCopies(FrozenModel):
    """Groups of equal images within one split; a group is conflicting where its images carry different labels."""

    groups: int
    rows: int
    redundant_rows: int
    conflicting_groups: int


class ExactCopies(FrozenModel):
    """Images of which all pixels are equal. A group is two or more equal images.

    ``redundant_rows`` is the number of images less the number of distinct ones. ``groups_by_size`` maps the size of
    a group (as text, for JSON) to how many there are.
    """

    distinct_images: int
    redundant_rows: int
    groups: int
    rows_in_groups: int
    groups_by_size: dict[str, int]
    conflicting_groups: int
    rows_in_conflicting_groups: int
    groups_across_splits: int
    rows_in_groups_across_splits: int
    conflicting_groups_across_splits: int
    within_split: dict[SplitName, SplitCopies]
    across: tuple[SplitPair, ...]


class CopyPair(FrozenModel):
    """Two distinct images (rows of the data set, first < second) and the correlation of their pixels.

    Each row is the first of its exact copies; ``same_label`` says whether all copies of both carry one label.
    """

    first_row: int
    second_row: int
    correlation: float
    first_split: SplitName
    second_split: SplitName
    same_label: bool


class NearCopies(FrozenModel):
    """Every pair of distinct images whose correlation is above a threshold; each distinct image counts once.

    ``kind`` says whether the second image was compared as it is, or mirrored left to right. ``pairs`` holds all, the
    most alike first.
    """

    kind: Literal["as_is", "mirrored"]
    correlation_above: float
    pairs: tuple[CopyPair, ...]
    pairs_across_splits: int
    pairs_with_other_label: int
    test_rows_with_near_copy: int
    """Test images with such a pair in the training or validation split, exact copies counted in."""


class SubjectOnBothSides(FrozenModel):
    """A subject with images in more than one split, by split."""

    subject: str
    images: dict[SplitName, int]


class Audit(FrozenModel):
    """All findings on one data set. Rows are numbers of images in the data set, from 0.

    What was not looked for is none: near copies in a quick audit, non-faces without FERPlus, subjects where the
    source does not tell them. ``test_rows_with_copies`` are places within the test split, from 0, of images with an
    exact copy in the training or validation split. ``imbalance`` is the largest class of the training split over the
    smallest.
    """

    schema_version: int = AUDIT_SCHEMA_VERSION
    data_name: str
    data_fingerprint: str
    description: str
    conversion: str
    class_names: tuple[str, ...]
    images_by_split_and_class: dict[SplitName, tuple[int, ...]]
    imbalance: float
    left_out: tuple[LeftOutImages, ...]
    exact: ExactCopies
    constant_rows: tuple[int, ...]
    black_rows: tuple[int, ...]
    test_rows_with_copies: tuple[int, ...]
    near: tuple[NearCopies, ...] | None = None
    non_face_rows: tuple[int, ...] | None = None
    subjects: int | None = None
    subjects_on_both_sides: tuple[SubjectOnBothSides, ...] | None = None
