"""The independent units of a split: subjects where the source tells them, sequences, groups of copies, or images."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.predictions import ClusterUnit, SplitClusters


def clusters_of_rows(dataset: ImageDataset, rows: npt.NDArray[np.int64]) -> SplitClusters | None:
    """Which of these images belong together, by number in order of appearance; none where each stands for itself.

    Names of subjects stay behind. Where any of them is trained on too, the unit says so: an interval is then no
    statement on new people. Copies are exact and near ones, as an audit finds them; rendered images have exact ones
    alone.
    """
    named = dataset.sequences if dataset.subjects is None else dataset.subjects
    if named is not None:
        unit: ClusterUnit = "sequences" if dataset.subjects is None else "subjects"
        names = named[rows].tolist()
        is_known = not set(names).isdisjoint(named[dataset.rows("train")].tolist())
        return SplitClusters("known_subjects" if is_known else unit, _numbered(names))
    groups = _renumbered(dataset.copy_groups[rows]) if dataset.synthetic else _near_copies(dataset.images[rows])
    return SplitClusters("copies", groups) if groups.max(initial=-1) + 1 < len(rows) else None


def _near_copies(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    return _groups_of_copies(_Pixels(_digest(images), images))


@dataclass(frozen=True)
class _Pixels:
    """Images, equal where their digests are."""

    digest: str
    images: npt.NDArray[np.uint8] = field(compare=False)


@lru_cache(maxsize=4)
def _groups_of_copies(pixels: _Pixels) -> npt.NDArray[np.int64]:
    """Two splits of two data sets are kept: each trial asks, and a comparison takes a second."""
    # Here, since the comparison imports torch, which whoever knows the subjects does without.
    from fbench.benchmark.data.audit.findings import NEAR_CORRELATION
    from fbench.benchmark.data.audit.near import correlated_pairs, linked_groups

    as_is, mirrored = correlated_pairs(pixels.images, NEAR_CORRELATION)
    pairs = np.concatenate([np.stack([found.first, found.second], axis=1) for found in (as_is, mirrored)])
    return _numbered(linked_groups(pixels.images, pairs).tolist())


def _digest(images: npt.NDArray[np.uint8]) -> str:
    return hashlib.sha256(repr(images.shape).encode() + np.ascontiguousarray(images).tobytes()).hexdigest()


def _renumbered(groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """As :func:`_numbered`, of many numbers at once."""
    _, first, found = np.unique(groups, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[found.reshape(-1)].astype(np.int64)


def _numbered(names: Iterable[str | int]) -> npt.NDArray[np.int64]:
    """A number for each name, in order of appearance."""
    numbers: dict[str | int, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
