"""Predictions of one trial: the classes that define accuracy, and the logits they came from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import SplitName, validation_for_selection
from fbench.core.contained import ContainedPath
from fbench.core.npz import read_npz, write_npz

SMALL_FILE: Final = "predictions.npz"
LOGITS_FILE: Final = "logits.npz"


ClusterUnit = Literal["subjects", "known_subjects", "sequences", "copies"]
"""What the images of a cluster have in common: who is shown, perhaps in training too; the sequence that they are frames
of; or that they are copies."""


@dataclass(frozen=True)
class SplitClusters:
    """The independent units of a split: ``numbers`` (N,), equal for images that belong together."""

    unit: ClusterUnit
    numbers: npt.NDArray[np.integer]


@dataclass(frozen=True)
class SplitPredictions:
    """Predictions for one split, in the order of the data set.

    ``predicted`` and ``labels`` (N,) are class indices; ``predicted`` is the argmax of the fp32 logits before they
    were rounded. ``logits`` float16 (N, classes), of :func:`rounded_logits`, and ``sample_ids`` (N,) are none where
    only the small part was kept. ``clusters`` are none where each image stands for itself, or where they were not kept.
    """

    predicted: npt.NDArray[np.integer]
    labels: npt.NDArray[np.integer]
    logits: npt.NDArray[np.float16] | None = None
    sample_ids: npt.NDArray[np.str_] | None = None
    clusters: SplitClusters | None = None

    @property
    def correct(self) -> npt.NDArray[np.bool_]:
        """Per image, whether the predicted class is the label (N,)."""
        return np.asarray(self.predicted == self.labels)


def rounded_logits(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float16]:
    """fp32 logits (N, classes) as float16, in which nothing above 65,504 has a number.

    A row with a larger one is moved so that its largest is 0, which changes no probability; what lies more than 65,504
    below that has the probability 0 either way.
    """
    most = float(np.finfo(np.float16).max)
    large = np.abs(logits).max(axis=1, keepdims=True) > most
    moved = np.where(large, np.maximum(logits - logits.max(axis=1, keepdims=True), -most), logits)
    return moved.astype(np.float16)


Predictions = dict[SplitName, SplitPredictions]


def prediction_files(predictions: Predictions) -> dict[str, bytes]:
    """The files, by name, of the small part (classes, labels and clusters) and of the logits with sample ids."""
    small: dict[str, npt.NDArray[np.generic]] = {}
    large: dict[str, npt.NDArray[np.generic]] = {}
    for split, part in predictions.items():
        small[f"{split}_predicted"] = _narrow(part.predicted)
        small[f"{split}_labels"] = _narrow(part.labels)
        if part.clusters is not None:
            small[f"{split}_{part.clusters.unit}"] = _narrow(part.clusters.numbers)
        if part.logits is not None and part.sample_ids is not None:
            large[f"{split}_logits"] = part.logits
            large[f"{split}_sample_ids"] = part.sample_ids
    files = {SMALL_FILE: _npz(small)}
    return files | {LOGITS_FILE: _npz(large)} if large else files


def _npz(arrays: Mapping[str, npt.NDArray[np.generic]]) -> bytes:
    stream = BytesIO()
    write_npz(stream, arrays)
    return stream.getvalue()


def read_classes(folder: ContainedPath) -> Predictions:
    """Classes, labels and clusters of what :func:`prediction_files` gave, without logits: a fifth of the time.

    Raises:
        OSError: there is no file, or it cannot be read.
        ValueError: it is damaged, or its arrays do not fit each other.
    """
    return classes_in(read_npz(folder / SMALL_FILE))


def classes_in(arrays: Mapping[str, npt.NDArray[Any]]) -> Predictions:
    """Classes, labels and clusters of the arrays of the small file.

    Raises:
        ValueError: they do not fit each other.
    """
    small = _in_words_of_today(arrays)
    for name, values in small.items():
        wanted = small.get(f"{name.partition('_')[0]}_predicted", values).shape
        if values.ndim != 1 or values.dtype.kind not in "iu" or values.shape != wanted:
            raise ValueError(f"{name} is {values.dtype} of shape {values.shape}; it needs one whole number an image")
    splits: tuple[SplitName, ...] = ("validation", "test")
    return {
        split: SplitPredictions(
            predicted=small[f"{split}_predicted"], labels=small[f"{split}_labels"], clusters=_clusters(split, small)
        )
        for split in splits
        if f"{split}_predicted" in small and f"{split}_labels" in small
    }


def read_predictions(folder: ContainedPath) -> Predictions:
    """Read what :func:`prediction_files` gave; logits are none where their file is missing.

    Raises:
        OSError: a file cannot be read.
        ValueError: it is damaged.
    """
    classes = read_classes(folder)
    if not (folder / LOGITS_FILE).exists():
        return classes
    large = _in_words_of_today(read_npz(folder / LOGITS_FILE))
    return {
        split: replace(part, logits=large.get(f"{split}_logits"), sample_ids=large.get(f"{split}_sample_ids"))
        for split, part in classes.items()
    }


def answers_sha256(predictions: Predictions) -> dict[SplitName, str]:
    """SHA-256 (hex) of the predicted classes of each split, as whole numbers of 8 bytes, the lowest first."""
    return {
        split: hashlib.sha256(part.predicted.astype("<i8").tobytes()).hexdigest() for split, part in predictions.items()
    }


def _clusters(split: SplitName, small: Mapping[str, npt.NDArray[Any]]) -> SplitClusters | None:
    for unit in get_args(ClusterUnit):
        numbers = small.get(f"{split}_{unit}")
        if numbers is not None:
            return SplitClusters(unit, numbers)
    return None


def _narrow(numbers: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """Numbers from 0 on in the smallest unsigned type that holds them (uint8 up to 256 classes)."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))


def _in_words_of_today(archive: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    return {str(validation_for_selection(name)): values for name, values in archive.items()}
