"""Size and channels of images of one's own: as they are, or as asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.references import parse_reference
from fbench.benchmark.runs.request import RunRequest
from fbench.core.errors import UserError

GENERATOR = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FBENCH_CACHE_DIR", str(tmp_path / "cache"))


def folder_of(folder: Path, size: tuple[int, int], mode: str = "RGB", kind: str = "png", grey: bool = False) -> Path:
    """Ten images of each of two classes."""
    for name in ("calm", "joy"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index in range(10):
            shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
            pixels = GENERATOR.integers(0, 256, shape, np.uint8)
            if grey:
                pixels[:] = pixels[..., :1]
            Image.fromarray(pixels).save(folder / name / f"{index}.{kind}")
    return folder


def load(reference: str) -> ImageDataset:
    return load_dataset(parse_reference(reference))


@pytest.mark.parametrize(
    ("size", "mode", "shape"),
    [
        ((64, 64), "RGB", (3, 64, 64)),
        ((64, 64), "L", (1, 64, 64)),
        ((48, 48), "L", (1, 48, 48)),
        ((300, 300), "RGB", (3, 48, 48)),
        ((64, 40), "RGB", (3, 48, 48)),
    ],
)
def test_images_of_one_size_keep_it(tmp_path: Path, size: tuple[int, int], mode: str, shape: tuple[int, ...]) -> None:
    found = load(f"folder={folder_of(tmp_path / 'x', size, mode)}")
    assert found.image_shape == shape
    assert (found.conversion == "") == (shape[1:] == size)


def test_pixels_of_lossless_colour_images_are_those_of_the_files(tmp_path: Path) -> None:
    found = load(f"folder={folder_of(tmp_path / 'x', (32, 32))}")
    row = found.sample_ids.tolist().index("calm/3.png")
    with Image.open(tmp_path / "x" / "calm" / "3.png") as image:
        np.testing.assert_array_equal(found.images[row].transpose(1, 2, 0), np.asarray(image))


def test_gray_pictures_in_colour_files_are_gray(tmp_path: Path) -> None:
    assert load(f"folder={folder_of(tmp_path / 'x', (64, 64), kind='jpg', grey=True)}").image_shape == (1, 64, 64)


def test_images_of_several_sizes_become_48x48(tmp_path: Path) -> None:
    folder_of(tmp_path / "x", (64, 64))
    Image.fromarray(np.zeros((70, 70, 3), np.uint8)).save(tmp_path / "x" / "joy" / "odd.png")
    assert load(f"folder={tmp_path / 'x'}").image_shape == (3, 48, 48)


@pytest.mark.parametrize(
    ("options", "shape"),
    [("size=32", (3, 32, 32)), ("channels=gray", (1, 64, 64)), ("size=96,channels=rgb", (3, 96, 96))],
)
def test_they_become_what_is_asked_for(tmp_path: Path, options: str, shape: tuple[int, ...]) -> None:
    assert load(f"folder:{options}={folder_of(tmp_path / 'x', (64, 64))}").image_shape == shape


@pytest.mark.parametrize("options", ["size=5", "size=x", "size=4000", "channels=cmyk"])
def test_a_form_that_cannot_be_is_a_sentence(tmp_path: Path, options: str) -> None:
    with pytest.raises(UserError, match="The data option"):
        load(f"folder:{options}={folder_of(tmp_path / 'x', (64, 64))}")


def test_data_have_the_name_that_they_are_given(tmp_path: Path) -> None:
    folder_of(tmp_path / "x", (64, 64))
    assert load(f"shapes=folder:{tmp_path / 'x'}").name == "shapes"
    assert load(f"forms=folder:{tmp_path / 'x'}").name == "forms"  # now out of the cache
    assert load(f"shapes=folder:fold=1/5,size=32={tmp_path / 'x'}").name == "shapes-fold1of5-32"
    assert str(parse_reference(f"shapes=folder:{tmp_path / 'x'}")) == f"shapes=folder:{tmp_path / 'x'}"
    again = str(parse_reference(f"shapes=folder:fold=1/5={tmp_path / 'x'}"))
    assert again == f"shapes=folder:fold=1/5={tmp_path / 'x'}"


def test_options_of_a_run_reach_the_data_that_can_have_them(tmp_path: Path) -> None:
    data = ("synthetic", f"shapes=folder:{folder_of(tmp_path / 'x', (64, 64))}")
    plain, own = RunRequest(data=data, image_size=32, channels="gray").references()
    assert plain.options == {}
    assert own.options == {"size": "32", "channels": "gray"}
    with pytest.raises(UserError, match="size 32 was asked for, and the images of synthetic are of one kind"):
        RunRequest(image_size=32).references()
