"""Data sets that were read once, kept in the user's cache as plain arrays so that they are read fast again.

An entry is one ``.npz`` file named by the hash of what it was read from; nothing is pickled. Entries are
written to a temporary file and moved into place, so that a reader never sees half of one, and an entry that
cannot be read back whole is passed over: the data set is then read again from its source.
"""

from __future__ import annotations

import json
import logging
import os
import zipfile
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt
import platformdirs

from fbench.benchmark.data.dataset import ROW_ARRAYS, SPLITS, ImageDataset, LeftOutImages
from fbench.core.files import replacing
from fbench.core.npz import write_npz
from fbench.core.paths import expanded

_ENTRY_FORMAT: Final = 2
_OPTIONAL: Final = {"label_shares": (2, "f"), "subjects": (1, "U"), "sequences": (1, "U")}
_REQUIRED: Final = {"images": (4, "u"), "labels": (1, "u"), "split": (1, "u"), "sample_ids": (1, "U")}
"""Dimensions and NumPy kind of each array."""
_FIELDS: Final = ("name", "class_names", "may_show_images", "synthetic", "description", "conversion")
DAMAGED: Final = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    NotImplementedError,
    zipfile.BadZipFile,
)
"""What NumPy and zipfile raise on a file that is cut short, altered (each array has a CRC-32) or not theirs."""

_log = logging.getLogger(__name__)


def cache_directory() -> Path:
    """The folder of everything that fbench keeps between runs; it may not exist yet.

    ``FBENCH_CACHE_DIR`` names another folder than the one that is usual for the user's system.
    """
    override = os.environ.get("FBENCH_CACHE_DIR")
    return expanded(override) if override else platformdirs.user_cache_path("fbench", appauthor=False)


def read_entry(key: str) -> ImageDataset | None:
    """The data set kept under ``key``, or None where there is none or it is damaged."""
    try:
        with _entry_file(key).open("rb") as stream:
            return read_whole(stream)
    except FileNotFoundError:
        return None
    except DAMAGED as error:
        _log.info("cache entry %s is passed over: %s", key, error)
        return None


def write_entry(key: str, dataset: ImageDataset) -> None:
    """Keep ``dataset`` under ``key``; a cache that cannot be written is reported once and costs only time."""
    try:
        with replacing(_entry_file(key)) as stream:
            write_whole(stream, dataset)
    except OSError as error:
        _log.warning("the data set could not be kept in %s and will be read anew: %s", cache_directory(), error)


def read_whole(stream: IO[bytes]) -> ImageDataset:
    """The data set that :func:`write_whole` wrote; its fingerprint is the one that was written with it.

    Raises:
        Exception: of :data:`DAMAGED`, where it is none, or not whole.
    """
    # The caller opens it, since NumPy leaves a file open that turns out to be no archive.
    with np.load(stream, allow_pickle=False) as entry:
        arrays = {name: entry[name] for name in (*_REQUIRED, *_OPTIONAL) if name in _REQUIRED or name in entry}
        about = json.loads(entry["about"].tobytes())
    return _restore(arrays, about)


def write_whole(stream: IO[bytes], dataset: ImageDataset) -> None:
    """Write a data set as one npz file.

    Raises:
        OSError: the disk refuses.
    """
    about = {name: getattr(dataset, name) for name in _FIELDS}
    about |= {
        "format": _ENTRY_FORMAT,
        "fingerprint": dataset.fingerprint,
        "left_out": [part.model_dump() for part in dataset.left_out],
    }
    present = ((name, getattr(dataset, name)) for name in ROW_ARRAYS)
    arrays = {name: array for name, array in present if array is not None}
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    write_npz(stream, arrays, compressed=False)


def _entry_file(key: str) -> Path:
    return cache_directory() / "datasets" / f"{key}.npz"


def _restore(arrays: dict[str, npt.NDArray[Any]], about: dict[str, Any]) -> ImageDataset:
    """Build the data set, after a check that the arrays are what :class:`ImageDataset` promises.

    Raises:
        ValueError, KeyError, TypeError: they are not.
    """
    if about["format"] != _ENTRY_FORMAT:
        raise ValueError(f"format {about['format']}, not {_ENTRY_FORMAT}")
    count = len(arrays["images"])
    for name, array in arrays.items():
        dimensions, kind = (_REQUIRED | _OPTIONAL)[name]
        if array.ndim != dimensions or array.dtype.kind != kind or len(array) != count:
            raise ValueError(f"{name} has shape {array.shape} and type {array.dtype}")
    if arrays["labels"].max() >= len(about["class_names"]) or arrays["split"].max() >= len(SPLITS):
        raise ValueError("labels or splits out of range")
    dataset = ImageDataset(
        **arrays,
        name=str(about["name"]),
        class_names=tuple(about["class_names"]),
        may_show_images=bool(about["may_show_images"]),
        synthetic=bool(about["synthetic"]),
        description=str(about["description"]),
        conversion=str(about["conversion"]),
        left_out=tuple(LeftOutImages.model_validate(part) for part in about["left_out"]),
    )
    # The fingerprint was computed from these very bytes when the entry was written, and the zip's CRC-32
    # vouches for them; a cached_property keeps its value in the instance's __dict__, so that is where it is
    # put back instead of hashing 83 MB on every start.
    vars(dataset)["fingerprint"] = str(about["fingerprint"])
    return dataset
