"""Images that are arrays already: an npz file with pixels, labels and splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import SPLITS, ImageDataset
from fbench.benchmark.data.identity import file_key
from fbench.benchmark.data.known import KnownData
from fbench.benchmark.data.layouts.data_set import DataSet, Layout, Readable
from fbench.benchmark.data.source import ResolvedReference
from fbench.benchmark.data.splits import FLAT_SHARES, SPLIT_SEED, grouped_split, stratified_split
from fbench.core.errors import UserError, readable
from fbench.core.npz import read_npz

MOST_FILE_BYTES: Final = 2**34
_NEEDED: Final = ("images", "labels")
_KNOWN: Final = (*_NEEDED, "class_names", "split", "subjects", "sample_ids", "description", "may_show_images")
_MOST_CLASSES: Final = 256


def find_arrays(reference: ResolvedReference) -> Readable | None:
    """An npz file."""
    file = reference.path
    if file.suffix.lower() != ".npz" or not file.is_file():
        return None
    return Readable(file_key(file), partial(file_key, file), partial(read_arrays, file, reference.label))


def read_arrays(file: Path, name: str) -> ImageDataset:
    """Read an npz file of ``images`` uint8 (N, H, W), (N, H, W, C) or (N, C, H, W) with C 1 or 3 and H equal to W, and
    ``labels`` (N,), indices of classes or their names.

    It may have ``class_names`` (K,), ``split`` (N,; names or indices of train, validation and test), ``subjects`` (N,),
    ``sample_ids`` (N,), ``description`` and ``may_show_images``. Without splits they are a seeded draw of 70/15/15 of
    each class, or of the subjects.

    Raises:
        UserError: it cannot be read, an array is missing, unknown or does not fit the images.
    """
    try:
        arrays = read_npz(file, MOST_FILE_BYTES)
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read ({error}); write it with numpy.savez.") from error
    return dataset_of_arrays(arrays, name, str(file))


def dataset_of_arrays(arrays: dict[str, npt.NDArray[Any]], name: str, where: str) -> ImageDataset:
    """The data set of these arrays; ``where`` names them in errors, which are those of :func:`read_arrays`."""
    for key in arrays:
        if key not in _KNOWN:
            raise UserError(f"{where} has an array '{key}'; known are {', '.join(_KNOWN)}.")
    for key in _NEEDED:
        if key not in arrays:
            raise UserError(f"{where} has no array '{key}'; add it.")
    images = _images(arrays["images"], where)
    labels, class_names = _labels(arrays["labels"], arrays.get("class_names"), len(images), where)
    subjects = _texts(arrays.get("subjects"), "subjects", len(images), where)
    split, how = _split(arrays.get("split"), labels, subjects, where)
    for index, split_name in enumerate(SPLITS):
        if not np.any(split == index):
            raise UserError(f"{where} has no image for the {split_name} split; add some.")
    learned = set(labels[split == 0].tolist())
    missing = [class_name for label, class_name in enumerate(class_names) if label not in learned]
    if missing:
        raise UserError(f"{where} has no training image of the class '{missing[0]}'; add some, or take the class out.")
    ids = _texts(arrays.get("sample_ids"), "sample_ids", len(images), where)
    if ids is not None:
        _refuse_twice(ids.tolist(), "sample_ids", where)
    about = str(arrays["description"]) + " " if "description" in arrays else ""
    return ImageDataset(
        name=name,
        images=images,
        labels=labels,
        split=split,
        sample_ids=np.array([f"row:{row}" for row in range(len(images))]) if ids is None else ids,
        class_names=class_names,
        may_show_images=bool(arrays.get("may_show_images", False)),
        synthetic=False,
        description=f"{about}{len(images)} images of arrays: {how}",
        subjects=subjects,
    )


def _images(given: npt.NDArray[Any], where: str) -> npt.NDArray[np.uint8]:
    shape = given.shape
    if given.dtype != np.uint8:
        raise UserError(f"{where} has images of the type {given.dtype}; give uint8, 0 to 255.")
    if given.ndim == 3:
        images = given[:, None]
    elif given.ndim == 4 and shape[1] in (1, 3) and shape[2] == shape[3]:
        images = given
    elif given.ndim == 4 and shape[3] in (1, 3):
        images = given.transpose(0, 3, 1, 2)
    else:
        raise UserError(
            f"{where} has images of the shape {shape}; give (N, H, W), (N, H, W, C) or (N, C, H, W), C 1 or 3."
        )
    if not len(images) or images.shape[2] != images.shape[3]:
        raise UserError(f"{where} has images of the shape {shape}; give at least one, as high as wide.")
    return np.ascontiguousarray(images)


def _labels(
    given: npt.NDArray[Any], names: npt.NDArray[Any] | None, count: int, where: str
) -> tuple[npt.NDArray[np.uint8], tuple[str, ...]]:
    _require_length(given, "labels", count, where)
    if given.dtype.kind == "U":
        class_names = tuple(sorted(set(map(str, given.tolist())))) if names is None else _names(names, where)
        unknown = sorted(set(given.tolist()) - set(class_names))
        if unknown:
            raise UserError(f"{where} has the label '{unknown[0]}', which is not among class_names.")
        indices = np.array([class_names.index(label) for label in given.tolist()])
    elif given.dtype.kind in "iu":
        indices = given.astype(np.int64)
        least, most = int(indices.min()), int(indices.max())
        class_names = tuple(map(str, range(most + 1))) if names is None else _names(names, where)
        if least < 0 or most >= len(class_names):
            raise UserError(f"{where} has labels from {least} to {most} for {len(class_names)} classes; count from 0.")
    else:
        raise UserError(f"{where} has labels of the type {given.dtype}; give whole numbers or names.")
    if not 2 <= len(class_names) <= _MOST_CLASSES:
        raise UserError(f"{where} has {len(class_names)} classes; a data set has 2 to {_MOST_CLASSES}.")
    return indices.astype(np.uint8), class_names


def _names(given: npt.NDArray[Any], where: str) -> tuple[str, ...]:
    if given.ndim != 1:
        raise UserError(f"{where} has class_names of the shape {given.shape}; give the name of each class in order.")
    if given.dtype.kind not in "UiuS":
        raise UserError(f"{where} has class_names of the type {given.dtype}; give the name of each class as text.")
    names = tuple(readable(str(name)) for name in given.tolist())
    if not all(name.strip() for name in names):
        raise UserError(f"{where} has a class without a name; name each.")
    _refuse_twice(names, "class_names", where)
    return names


def _refuse_twice(texts: Sequence[str], what: str, where: str) -> None:
    text, count = Counter(texts).most_common(1)[0] if len(texts) else ("", 0)
    if count > 1:
        raise UserError(f"{where} has '{text}' {count} times in {what}; give each once.")


def _split(
    given: npt.NDArray[Any] | None, labels: npt.NDArray[np.uint8], subjects: npt.NDArray[np.str_] | None, where: str
) -> tuple[npt.NDArray[np.uint8], str]:
    if given is None and subjects is not None:
        found = grouped_split(subjects.tolist(), labels, FLAT_SHARES, SPLIT_SEED)
        return found, f"split by subject, drawn with seed {SPLIT_SEED}; no subject is on two sides."
    if given is None:
        return stratified_split(labels, FLAT_SHARES, SPLIT_SEED), (
            f"split by a seeded stratified draw (70/15/15 of each class, seed {SPLIT_SEED})."
        )
    _require_length(given, "split", len(labels), where)
    words = [str(word) for word in given.tolist()]
    meant: dict[str, int] = {name: index for index, name in enumerate(SPLITS)}
    meant |= {str(index): index for index in range(len(SPLITS))}
    odd = sorted(set(words) - set(meant))
    if odd:
        raise UserError(f"{where} has the split '{odd[0]}'; give {', '.join(SPLITS)}, or 0, 1 and 2.")
    return np.array([meant[word] for word in words], np.uint8), "split as they say."


def _texts(given: npt.NDArray[Any] | None, what: str, count: int, where: str) -> npt.NDArray[np.str_] | None:
    if given is None:
        return None
    _require_length(given, what, count, where)
    return np.array([readable(str(text)) for text in given.tolist()])


def _require_length(given: npt.NDArray[Any], what: str, count: int, where: str) -> None:
    if given.shape != (count,):
        raise UserError(f"{where} has {what} of the shape {given.shape} for {count} images; give one for each.")


DATA_SET: Final = DataSet(
    known=KnownData(
        name="arrays",
        summary="images that are arrays already, in an npz file",
        obtain="your own; fbench.data.from_arrays writes it",
        licence="your own",
        is_binary=True,
        expects="an npz file with images, labels and perhaps class_names, split, subjects, sample_ids",
        tree=("faces.npz          images uint8 (N, H, W), (N, H, W, 3) or (N, 3, H, W), labels (N,)",),
    ),
    layouts=(Layout("npz", 1, find_arrays),),
)
