"""The rule by which an image file becomes 48x48 gray pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sample_files import random_images, write_png

from fbench.architectures.errors import UserError
from fbench.benchmark.data.images.decoding import decode_images


def test_a_48x48_gray_file_is_read_as_it_is(tmp_path: Path) -> None:
    image = random_images(1)[0]
    decoded = decode_images([write_png(tmp_path / "a.png", image)])
    np.testing.assert_array_equal(decoded.pixels, image[None, None])
    assert decoded.sentence == ""


def test_colour_becomes_gray_by_itu_r_601(tmp_path: Path) -> None:
    colour = np.zeros((48, 48, 3), np.uint8)
    colour[...] = (200, 100, 50)
    decoded = decode_images([write_png(tmp_path / "a.png", colour)])
    assert np.unique(decoded.pixels).tolist() == [round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)]
    assert decoded.converted == 1


def test_halving_a_size_averages_over_the_triangle_of_the_antialiased_bilinear_filter(tmp_path: Path) -> None:
    # Halving by a bilinear filter of support 2 weighs the four nearest columns 1, 3, 3, 1 eighths; a column
    # of 240 beside zeros so gives 30 and 90. A filter without antialiasing would give 0 or 120.
    image = np.zeros((96, 96), np.uint8)
    image[:, 40] = 240
    decoded = decode_images([write_png(tmp_path / "a.png", image)]).pixels[0, 0]
    assert decoded[24].nonzero()[0].tolist() == [19, 20]
    assert decoded[24, [19, 20]].tolist() == [30, 90]


def test_transparency_is_dropped(tmp_path: Path) -> None:
    image = np.full((48, 48, 2), 0, np.uint8)
    image[..., 0] = 77
    decoded = decode_images([write_png(tmp_path / "a.png", image)])
    assert np.unique(decoded.pixels).tolist() == [77]


def test_a_palette_with_transparency_is_read_without_a_warning(tmp_path: Path) -> None:
    palette = Image.fromarray(random_images(1)[0]).convert("P")
    palette.save(tmp_path / "a.png", transparency=bytes(256))
    assert decode_images([tmp_path / "a.png"]).pixels.shape == (1, 1, 48, 48)


def test_the_number_and_the_rule_of_conversion_are_told(tmp_path: Path) -> None:
    paths = [write_png(tmp_path / f"{size}.png", random_images(1, size=size)[0]) for size in (48, 50, 64)]
    sentence = decode_images(paths).sentence
    assert sentence.startswith(" 2 images were converted (Pillow ")
    assert "antialiased bilinear" in sentence


def _truncated(path: Path) -> None:
    Image.fromarray(random_images(1, size=200)[0]).save(path)
    path.write_bytes(path.read_bytes()[:2000])


def _bomb(path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(path)


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "empty.png": lambda path: path.write_bytes(b""),
    "text.png": lambda path: path.write_text("hello"),
    "truncated.jpg": _truncated,
    "truncated.png": _truncated,
    "sixteen_bits.png": lambda path: Image.fromarray(np.full((48, 48), 4000, np.uint16)).save(path),
    "bomb.png": _bomb,
    "missing.png": lambda path: None,
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_file_is_named(name: str, tmp_path: Path) -> None:
    UNREADABLE[name](tmp_path / name)
    with pytest.raises(UserError) as caught:
        decode_images([write_png(tmp_path / "good.png", random_images(1)[0]), tmp_path / name])
    message = str(caught.value)
    assert message.startswith(str(tmp_path / name))
    assert "\n" not in message
    assert message.endswith(".")
