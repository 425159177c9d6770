"""The rule by which an image file becomes 48x48 gray pixels."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sample_files import random_images, write_png

from fbench.benchmark.data.images.decoding import (
    DAMAGED,
    EMPTY,
    NOT_AN_IMAGE,
    OTHER_COLOURS,
    TOO_DEEP,
    TOO_LARGE,
    UNREADABLE,
    decode_images,
)


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


UNUSABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.png": (lambda path: path.write_bytes(b""), EMPTY),
    "text.png": (lambda path: path.write_text("hello"), NOT_AN_IMAGE),
    "truncated.jpg": (_truncated, DAMAGED),
    "truncated.png": (_truncated, DAMAGED),
    "header_only.png": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 30), DAMAGED),
    "deep.tif": (lambda path: Image.fromarray(np.zeros((48, 48), np.float32)).save(path), TOO_DEEP),
    "lab.tif": (lambda path: Image.new("LAB", (48, 48)).save(path), OTHER_COLOURS),
    # Pillow's decoder of DDS raises NotImplementedError on this one, so it must not be asked.
    "texture.png": (lambda path: path.write_bytes(b"DDS " + struct.pack("<I", 124) + bytes(120)), NOT_AN_IMAGE),
    "bomb.png": (_bomb, TOO_LARGE),
    "missing.png": (lambda path: None, UNREADABLE),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_file_that_gives_no_image_is_left_out_with_its_reason(name: str, tmp_path: Path) -> None:
    make, reason = UNUSABLE[name]
    make(tmp_path / name)
    good = random_images(1)
    decoded = decode_images([tmp_path / name, write_png(tmp_path / "good.png", good[0])])
    assert decoded.reasons == {0: reason}
    assert decoded.usable.tolist() == [False, True]
    np.testing.assert_array_equal(decoded.pixels, good[None])


def test_sixteen_bits_are_scaled_to_eight_and_not_cut_off(tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 48 * 48).round().astype(np.uint16).reshape(48, 48)
    Image.fromarray(values).save(tmp_path / "deep.png")
    decoded = decode_images([tmp_path / "deep.png"])
    np.testing.assert_array_equal(decoded.pixels[0, 0], (values / 257).round().astype(np.uint8))
    assert decoded.converted == 1


def test_a_pgm_of_sixteen_bits_follows_the_same_rule(tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 48 * 48).round().astype(">u2")
    (tmp_path / "deep.pgm").write_bytes(b"P5 48 48 65535\n" + values.tobytes())
    decoded = decode_images([tmp_path / "deep.pgm"])
    np.testing.assert_array_equal(decoded.pixels.ravel(), (values / 257).round().astype(np.uint8))


def test_a_photo_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    image = random_images(1)[0]
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 270 degrees to stand upright
    Image.fromarray(image).save(tmp_path / "turned.png", exif=exif)
    decoded = decode_images([tmp_path / "turned.png"])
    np.testing.assert_array_equal(decoded.pixels[0, 0], np.rot90(image, 3))
    assert decoded.converted == 1


def test_of_an_animation_the_first_frame_is_read(tmp_path: Path) -> None:
    first, second = (Image.fromarray(np.full((48, 48), value, np.uint8)) for value in (60, 200))
    first.save(tmp_path / "moving.gif", save_all=True, append_images=[second])
    first.save(tmp_path / "moving.png", save_all=True, append_images=[second], default_image=False)
    decoded = decode_images([tmp_path / "moving.gif", tmp_path / "moving.png"])
    assert np.unique(decoded.pixels).tolist() == [60]
    assert decoded.converted == 2


def test_cmyk_and_one_bit_become_gray(tmp_path: Path) -> None:
    Image.new("CMYK", (48, 48), (0, 0, 0, 255)).save(tmp_path / "black.jpg")
    Image.new("1", (48, 48), 1).save(tmp_path / "white.png")
    pixels = decode_images([tmp_path / "black.jpg", tmp_path / "white.png"]).pixels
    assert pixels[0].max() <= 3
    assert np.unique(pixels[1]).tolist() == [255]


def test_a_gray_jpeg_of_the_right_size_counts_as_converted_because_decoders_differ(tmp_path: Path) -> None:
    Image.fromarray(random_images(1)[0]).save(tmp_path / "a.jpg")
    decoded = decode_images([tmp_path / "a.jpg"])
    assert decoded.converted == 1
    assert "libjpeg" in decoded.conversion


def test_damaged_bytes_of_any_format_never_raise(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    image = Image.fromarray(random_images(1, size=20)[0])
    for suffix in ("png", "jpg", "gif", "bmp", "webp", "ppm"):
        path = tmp_path / f"whole.{suffix}"
        image.convert("RGB").save(path)
        whole = np.frombuffer(path.read_bytes(), np.uint8)
        for number in range(60):
            damaged = whole[: random.integers(1, len(whole) + 1)].copy()
            places = random.integers(0, len(damaged), 3)
            damaged[places] = random.integers(0, 256, 3)
            (tmp_path / f"{number}.{suffix}").write_bytes(damaged.tobytes())
    decoded = decode_images(sorted(tmp_path.iterdir()))
    assert len(decoded.reasons) + decoded.usable.sum() == 6 * 61
