"""A data set of gray images as one small file that travels, and as the arrays that fbench reads."""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.layouts.arrays import read_arrays
from fbench.benchmark.data.layouts.class_names import FER2013_CLASSES
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.references import parse_reference
from fbench.core.errors import UserError
from fbench.core.npz import read_npz, write_npz
from tests.gpu.contact.packed_images import pack_images, unpack_images

BESIDE: Final = ("labels", "split", "class_names")
_DIFFERENCES: Final = ("residual_xz", "shape", "emotion", "usage")
Arrays = dict[str, npt.NDArray[Any]]


def faces_of(given: str) -> ImageDataset:
    """The images that ``--faces`` of the packing names.

    It is what ``--data`` of fbench takes, such as ``fer2013=PATH`` or ``NAME=arrays:PATH``, or the path of an npz file
    of FER2013's ``images`` (N, 48, 48), ``emotion`` and ``usage``, or with its images as ``residual_xz``: what is left
    of each pixel after the plane through W, N and NW, clipped between W and N, compressed by LZMA.

    Raises:
        UserError: it cannot be read.
    """
    file = Path(given).expanduser()
    if file.suffix != ".npz" or not file.is_file():
        return load_dataset(parse_reference(given))
    try:
        arrays = read_npz(file)
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read ({error}); give an npz file of FER2013.") from error
    if "emotion" not in arrays:
        return read_arrays(file, "faces")
    if set(_DIFFERENCES) <= arrays.keys():
        arrays["images"] = _from_differences(arrays["residual_xz"], tuple(int(one) for one in arrays["shape"]))
    elif "images" not in arrays:
        raise UserError(f"{file} has neither images nor {', '.join(_DIFFERENCES)}; give an npz file of FER2013.")
    return fer2013_of(arrays["images"], arrays["emotion"], arrays["usage"])


def fer2013_of(
    images: npt.NDArray[np.uint8], emotion: npt.NDArray[np.uint8], usage: npt.NDArray[np.uint8]
) -> ImageDataset:
    """FER2013 of arrays, with the fingerprint that it has as ``fer2013.csv``; ``usage`` is 0 Training, 1 PublicTest, 2
    PrivateTest."""
    return ImageDataset(
        name="fer2013",
        images=images[:, None],
        labels=emotion,
        split=usage,
        sample_ids=np.array([f"row:{row}" for row in range(len(images))]),
        class_names=FER2013_CLASSES,
        may_show_images=False,
        synthetic=False,
        description="FER2013 from its arrays",
    )


def write_packed(file: Path, dataset: ImageDataset) -> None:
    """Write a data set of gray images into a file for :func:`unpack_to`.

    Raises:
        UserError: its images have colours.
    """
    if dataset.image_shape[0] != 1:
        raise UserError(f"{dataset.name} has images of {dataset.image_shape[0]} channels; give gray ones.")
    beside = {"labels": dataset.labels, "split": dataset.split, "class_names": np.array(dataset.class_names)}
    with file.open("wb") as stream:
        write_npz(stream, pack_images(dataset.images[:, 0]) | beside)


def unpack_to(packed: Path, target: Path) -> ImageDataset:
    """Write the arrays of a packed data set as ``NAME=arrays:TARGET`` of ``--data`` takes them, and return them.

    Raises:
        ValueError: the file is damaged.
        OSError: it is not there.
    """
    if not target.exists():
        arrays = read_npz(packed)
        partial = target.with_suffix(".partial.npz")
        whole = {"images": unpack_images(arrays)} | {name: arrays[name] for name in BESIDE}
        with partial.open("wb") as stream:
            write_npz(stream, whole, compressed=False)
        partial.rename(target)
    return read_arrays(target, "faces")


def _from_differences(compressed: npt.NDArray[np.uint8], shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Images uint8 (N, H, W) from what is left of each pixel after its prediction."""
    left = np.frombuffer(lzma.decompress(compressed.tobytes()), np.uint8).reshape(shape)
    count, height, width = shape
    known = np.zeros((height, width, count), np.int16)
    for row in range(height):
        for column in range(width):
            predicted: Any = 0
            if row and column:
                west, north, corner = known[row, column - 1], known[row - 1, column], known[row - 1, column - 1]
                predicted = np.clip(west + north - corner, np.minimum(west, north), np.maximum(west, north))
            elif row or column:
                predicted = known[row, column - 1] if column else known[row - 1, column]
            known[row, column] = (left[:, row, column] + predicted) & 255
    return np.ascontiguousarray(known.astype(np.uint8).transpose(2, 0, 1))
