from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from trained_run import TrainedRun

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.images.decoding import decode_image, decode_images
from fbench.benchmark.export.formats import ExportReport
from fbench.benchmark.export.metadata import ExportFormat
from fbench.benchmark.export.predict import predict, probabilities
from fbench.core.errors import UserError


def write_test_images(stripes: ImageDataset, folder: Path) -> list[str]:
    """Every test image as a PNG; the class that each should get is that of the kept predictions."""
    folder.mkdir(exist_ok=True)
    for place, row in enumerate(stripes.rows("test")):
        Image.fromarray(stripes.images[row, 0]).save(folder / f"{place:03}.png")
    return sorted(str(file) for file in folder.iterdir())


@pytest.mark.parametrize("kind", ["plain", "flipped"])
def test_images_get_the_classes_that_the_trial_predicted(
    kind: str, trained: TrainedRun, stripes: ImageDataset, tmp_path: Path
) -> None:
    trial_id, names = getattr(trained, kind), write_test_images(stripes, tmp_path / "images")
    kept = trained.folder.predictions(trial_id)["test"].predicted
    found = predict(trained.folder.path, trial_id[:9], [tmp_path / "images"])
    assert [image.image for image in found.images] == names
    assert [image.predicted for image in found.images] == [stripes.class_names[place] for place in kept]
    assert found.skipped == ()
    for image in found.images:
        assert sum(image.probabilities.values()) == pytest.approx(1)
        assert list(image.probabilities.values()) == sorted(image.probabilities.values(), reverse=True)
        assert next(iter(image.probabilities)) == image.predicted


@pytest.mark.parametrize("export_format", [ExportFormat.ONNX, ExportFormat.SAFETENSORS, ExportFormat.TORCH_EXPORT])
def test_an_exported_file_predicts_the_same(
    export_format: ExportFormat,
    trained: TrainedRun,
    stripes: ImageDataset,
    tmp_path: Path,
    exported: Callable[[str, ExportFormat], ExportReport],
) -> None:
    write_test_images(stripes, tmp_path / "images")
    model = exported("flipped", export_format).path
    expected = predict(trained.folder.path, trained.flipped, [tmp_path / "images"])
    found = predict(trained.folder.path, trained.flipped, [tmp_path / "images"], model=model)
    assert found.model == str(model)
    for one, other in zip(found.images, expected.images, strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-4)


def test_flipped_probabilities_are_the_normalised_geometric_mean_of_image_and_mirror() -> None:
    """A network that gives the sums of the left and of the right half of an image."""

    def halves(pixels: np.ndarray) -> np.ndarray:
        return np.stack([pixels[..., :1].sum((1, 2, 3)), pixels[..., 1:].sum((1, 2, 3))], axis=1)

    pixels = np.array([[[[0.0, 2.0]]]], dtype=np.float32)
    np.testing.assert_allclose(probabilities(halves, pixels, flip=True), [[0.5, 0.5]])
    share = 1 / (1 + np.exp(2.0))
    np.testing.assert_allclose(probabilities(halves, pixels, flip=False), [[share, 1 - share]])


def test_what_gives_no_image_is_named_and_skipped(trained: TrainedRun, stripes: ImageDataset, tmp_path: Path) -> None:
    good = tmp_path / "good.png"
    Image.fromarray(stripes.images[0, 0]).save(good)
    (tmp_path / "text.png").write_text("no image", encoding="utf-8")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "folder").mkdir()
    given = [tmp_path / "text.png", good, tmp_path / "empty.jpg", tmp_path / "nowhere.png", tmp_path / "folder"]
    found = predict(trained.folder.path, trained.plain, given)
    assert [image.image for image in found.images] == [str(good)]
    assert {Path(skip.image).name: skip.reason for skip in found.skipped} == {
        "text.png": "is not an image",
        "empty.jpg": "is empty",
        "nowhere.png": "does not exist",
        "folder": "is a folder without images",
    }
    with pytest.raises(UserError, match=r"No image could be read \(.*text.png is not an image"):
        predict(trained.folder.path, trained.plain, [tmp_path / "text.png"])


@pytest.mark.skipif(sys.platform != "linux", reason="file names of any bytes")
def test_a_name_that_is_no_text_can_be_shown(trained: TrainedRun, stripes: ImageDataset, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"f\xe4ce.png")
    Image.fromarray(stripes.images[0, 0]).save(odd)
    (image,) = predict(trained.folder.path, trained.plain, [tmp_path]).images
    assert image.image.encode().endswith(rb"f\udce4ce.png")


def test_images_of_any_size_and_colour_follow_the_stated_rule(trained: TrainedRun, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    photo = Image.fromarray(generator.integers(0, 256, (60, 90, 3), dtype=np.uint8))
    photo.save(tmp_path / "photo.png")
    gray = np.asarray(photo.convert("L").resize((16, 16), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(decode_image(tmp_path / "photo.png", (1, 16, 16)), gray[None])
    colour = np.asarray(photo.convert("RGB").resize((20, 30), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(decode_image(tmp_path / "photo.png", (3, 30, 20)), colour.transpose(2, 0, 1))
    deep = Image.fromarray(generator.integers(0, 65536, (48, 48), dtype=np.uint16))
    deep.save(tmp_path / "deep.png")
    as_data = decode_images([tmp_path / "photo.png", tmp_path / "deep.png"]).pixels
    for name, pixels in zip(("photo.png", "deep.png"), as_data, strict=True):
        np.testing.assert_array_equal(decode_image(tmp_path / name, (1, 48, 48)), pixels)
    assert (decode_image(tmp_path / "deep.png", (3, 48, 48)) == as_data[1]).all()
    found = predict(trained.folder.path, trained.plain, [tmp_path / "photo.png"])
    assert "16x16 by Pillow's antialiased bilinear filter" in found.conversion
