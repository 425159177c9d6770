"""Images that travel in few bytes come back as they were."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from fbench.benchmark.data.layouts.class_names import FER2013_CLASSES
from fbench.core.errors import UserError
from tests.gpu.contact.packed_faces import faces_of, fer2013_of, unpack_to, write_packed
from tests.gpu.contact.packed_images import pack_images, unpack_images
from tests.gpu.contact.trials import patterned_images


def smooth(count: int, size: int = 20) -> npt.NDArray[np.uint8]:
    """Images as photographs are, each pixel much like its neighbours."""
    steps = np.random.default_rng(0).normal(0, 6, (count, size, size))
    return np.clip(128 + steps.cumsum(1).cumsum(2) / 4, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "images",
    [
        smooth(40),
        np.random.default_rng(1).integers(0, 256, (9, 7, 12), dtype=np.uint8),
        np.zeros((3, 5, 5), np.uint8),
        np.full((1, 1, 1), 255, np.uint8),
        np.tile(smooth(2), (3, 1, 1)),
    ],
    ids=["smooth", "noise", "black", "one pixel", "copies"],
)
def test_images_come_back_bit_for_bit(images: npt.NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(unpack_images(pack_images(images)), images)


def test_images_that_can_be_predicted_take_less_than_with_lzma() -> None:
    images = smooth(400)
    assert pack_images(images)["words"].nbytes < len(lzma.compress(images.tobytes()))


def test_copies_take_next_to_nothing() -> None:
    once, thrice = pack_images(smooth(40)), pack_images(np.tile(smooth(40), (3, 1, 1)))
    assert thrice["words"].nbytes == once["words"].nbytes


def test_images_that_were_changed_on_their_way_are_refused() -> None:
    packed = pack_images(smooth(40))
    packed["words"][len(packed["words"]) // 2] ^= 1
    with pytest.raises(ValueError, match="damaged"):
        unpack_images(packed)


def test_a_data_set_travels_with_its_fingerprint(tmp_path: Path) -> None:
    dataset = patterned_images(42, 14)
    write_packed(tmp_path / "packed.npz", dataset)
    back = unpack_to(tmp_path / "packed.npz", tmp_path / "arrays.npz")
    assert back.fingerprint == dataset.fingerprint
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["arrays.npz", "packed.npz"]


def of_fer2013(count: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    images = smooth(count, 48)
    return images, (np.arange(count) % 7).astype(np.uint8), np.repeat([0, 1, 2], [count - 14, 7, 7]).astype(np.uint8)


@pytest.mark.parametrize("form", ["plain", "differences", "arrays"])
def test_faces_are_read_in_each_form(tmp_path: Path, form: str) -> None:
    images, emotion, usage = of_fer2013(28)
    file = tmp_path / "faces.npz"
    if form == "plain":
        np.savez(file, images=images, emotion=emotion, usage=usage)
    elif form == "arrays":
        np.savez(file, images=images, labels=emotion, split=usage, class_names=np.array(FER2013_CLASSES))
    else:
        left = np.frombuffer(lzma.compress(differences(images).tobytes()), np.uint8)
        np.savez(file, residual_xz=left, shape=np.array(images.shape), emotion=emotion, usage=usage)
    assert faces_of(str(file)).fingerprint == fer2013_of(images, emotion, usage).fingerprint


def differences(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """What is left of each pixel after its prediction, by the definition."""
    known, left = images.astype(int), np.zeros(images.shape, np.uint8)
    for image, row, column in np.ndindex(*images.shape):
        near = known[image]
        if row and column:
            west, north = near[row, column - 1], near[row - 1, column]
            predicted = np.clip(west + north - near[row - 1, column - 1], min(west, north), max(west, north))
        else:
            predicted = near[row, column - 1] if column else near[row - 1, column] if row else 0
        left[image, row, column] = (near[row, column] - predicted) % 256
    return left


def test_files_that_are_no_faces_are_told_in_a_sentence(tmp_path: Path) -> None:
    np.savez(tmp_path / "labels.npz", emotion=np.zeros(3, np.uint8))
    with pytest.raises(UserError, match="has neither images nor residual_xz"):
        faces_of(str(tmp_path / "labels.npz"))
    (tmp_path / "text.npz").write_text("no zip", encoding="utf-8")
    with pytest.raises(UserError, match=r"text\.npz cannot be read"):
        faces_of(str(tmp_path / "text.npz"))
