"""Exact copies: images of which all pixels are equal, within and across splits, and what may be done about them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import SPLITS, ImageDataset, LeftOutImages

COPY_REASON: Final = "is an exact copy of an image in a later split"
CONTROL_REASON: Final = "was drawn at random as the control for the number of removed copies"
CONTROL_SEED: Final = 0


def leaking_rows(dataset: ImageDataset) -> npt.NDArray[np.bool_]:
    """Which images (N,) have an exact copy in a later split, in the order train, validation, test."""
    groups = dataset.copy_groups
    latest = np.zeros(groups.max(initial=-1) + 1, np.uint8)
    np.maximum.at(latest, groups, dataset.split)
    return np.asarray(dataset.split < latest[groups])


def places_of_test_copies(dataset: ImageDataset) -> npt.NDArray[np.int64]:
    """Places within the test split, ascending, of images with an exact copy in the training or validation split."""
    groups, test = dataset.copy_groups, SPLITS.index("test")
    elsewhere = np.unique(groups[dataset.split != test])
    return np.flatnonzero(np.isin(groups[dataset.split == test], elsewhere))


def treat_copies(dataset: ImageDataset, treatment: str, name: str) -> ImageDataset:
    """Keep exact copies across splits, remove them, or leave out as many other images instead.

    ``removed`` leaves out training images with a copy in the validation or test split, and validation images with a
    copy in the test split; the test split stays as it is. ``size_matched`` keeps all of them and leaves out as many
    images of the same class and split that have no copy in a later split, drawn with a fixed seed: the control for
    having fewer images. The result carries ``name``.
    """
    if treatment == "keep":
        return dataset if dataset.name == name else _renamed(dataset, name)
    leaking = leaking_rows(dataset)
    if treatment == "removed":
        out, reason = leaking, COPY_REASON
    else:
        out, reason = _as_many_others(dataset, leaking), CONTROL_REASON
    left_out = LeftOutImages(reason=reason, names=tuple(dataset.sample_ids[out].tolist()))
    return dataset.take(
        ~out,
        name=name,
        left_out=(*dataset.left_out, left_out),
        description=f"{dataset.description} {int(out.sum())} images were left out: each {reason}.",
    )


def _renamed(dataset: ImageDataset, name: str) -> ImageDataset:
    renamed = replace(dataset, name=name)
    vars(renamed)["fingerprint"] = dataset.fingerprint  # a name is no part of it
    return renamed


def _as_many_others(dataset: ImageDataset, leaking: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    # RandomState, since the drawn rows are part of a fingerprint and NumPy keeps that stream for good.
    random = np.random.RandomState(CONTROL_SEED)
    out = np.zeros(len(leaking), np.bool_)
    for split in range(len(SPLITS)):
        for label in range(len(dataset.class_names)):
            cell = (dataset.split == split) & (dataset.labels == label)
            others = np.flatnonzero(cell & ~leaking)
            wanted = min(int((cell & leaking).sum()), max(0, len(others) - 1))
            out[random.permutation(others)[:wanted]] = True
    return out
