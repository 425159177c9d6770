"""A compact SVG is the same picture: its text, references, places and pixels stay."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from fbench.reports.figures.compact import compact_svg
from fbench.reports.figures.lettering import fitted, text_width_in, wrapped, wrapped_name

SVG = """<svg viewBox="0 0 9 9">
 <defs>
  <path id="m12ab" d="M 0 0
L 0 3.5
" style="stroke: #1c2128"/>
 </defs>
 <!-- a &lt;name&gt; -->
 <g id="text_1">
  <g id="row-3">
   <text style="font-size: 9px; font-family: 'DejaVu Sans', sans-serif; text-anchor: middle" x="1.23456" y="-0.0001" \
transform="rotate(-0 1.23456 2)">two  words, 3.14159</text>
   <use xlink:href="#m12ab" x="10.000001" y="2.006" style="stroke-width: 0.8"/>
  </g>
 </g>
 <g style="fill: none"><path d="M 1.23456 2.5 L 100 3.999" clip-path="url(#p9)"/></g>
</svg>
"""


def test_comments_counted_ids_and_digits_that_nobody_sees_go() -> None:
    assert compact_svg(SVG) == (
        '<svg viewBox="0 0 9 9"><defs><path id="m12ab" d="M 0 0 L 0 3.5" style="stroke: #1c2128"/></defs>'
        '<g id="row-3"><text style="font-size: 9px; text-anchor: middle" x="1.23" y="-0">two  words, 3.14159</text>'
        '<use xlink:href="#m12ab" x="10" y="2.01" style="stroke-width: 0.8"/></g>'
        '<g style="fill: none"><path d="M 1.23 2.5 L 100 4" clip-path="url(#p9)"/></g></svg>\n'
    )


def as_svg(pixels: npt.NDArray[np.uint8]) -> str:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png")
    return f'<svg><image href="data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"/></svg>'


def pixels_of(svg: str) -> npt.NDArray[np.uint8]:
    (data,) = re.findall('base64,([^"]*)"', svg)
    return np.array(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA"))


def test_an_image_of_few_colours_keeps_every_pixel_in_fewer_bytes() -> None:
    pixels = np.random.default_rng(0).choice(np.arange(0, 256, 51, dtype=np.uint8), (40, 60, 4))
    pixels[..., 1:3], pixels[:3, :, 3] = 7, 0
    svg = as_svg(pixels)
    small = compact_svg(svg)
    np.testing.assert_array_equal(pixels_of(small), pixels)
    assert len(small) < 0.7 * len(svg)


def test_an_image_of_many_colours_keeps_what_is_clear_and_nearly_every_colour() -> None:
    """Grey faces under a smooth heat, as networks are shown with."""
    across, down = np.meshgrid(np.arange(96), np.arange(48))
    grey = np.random.default_rng(0).integers(60, 200, across.shape)
    warmth = np.minimum(across, down) / 47
    rgb = [(1 - warmth) * grey + warmth * colour for colour in (230, 180, 20)]
    pixels = np.stack([*rgb, np.full_like(grey, 255)], axis=2).astype(np.uint8)
    pixels[:, 40:44] = 0
    svg = as_svg(pixels)
    compact = compact_svg(svg)
    assert len(compact) < 0.7 * len(svg)
    small = pixels_of(compact)
    np.testing.assert_array_equal(small[..., 3], pixels[..., 3])
    shown = pixels[..., 3] == 255
    off = np.abs(small[shown].astype(int) - pixels[shown].astype(int))
    assert off.mean() < 4
    assert off.max() < 40


def test_an_image_that_is_half_clear_stays() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (30, 30, 4), dtype=np.uint8)
    svg = as_svg(pixels)
    np.testing.assert_array_equal(pixels_of(compact_svg(svg)), pixels)


def test_widths_are_those_of_the_layout_font() -> None:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    font = FontProperties(family="DejaVu Sans", size=9)
    for text in ("ires_identity_shortcut_only", "WWW", "squeeze-and-excitation, reduction 4"):
        width, *_ = TextToPath().get_text_width_height_descent(text, font, ismath=False)
        assert text_width_in([text, "i"], 9) == pytest.approx(width / 72, rel=0.03)
    assert text_width_in([], 9) == 0


@pytest.mark.parametrize("room", [0.3, 0.8, 1.4])
def test_a_name_is_cut_to_its_room_and_no_further(room: float) -> None:
    name = "ires_identity_shortcut_only"
    cut = fitted(name, room, 9)
    assert text_width_in([cut], 9) <= room
    assert cut.endswith("…")
    assert text_width_in([name[: len(cut)] + "…"], 9) > room
    assert fitted(name, 5, 9) == name


def test_a_text_is_parted_between_words() -> None:
    text = "squeeze-and-excitation, reduction 4, gate h_swish"
    lines = wrapped(text, 1.9, 9)
    assert " ".join(lines) == text
    assert len(lines) > 1
    assert all(text_width_in([line], 9) <= 1.9 for line in lines)
    assert wrapped("one_word_that_is_too_long", 0.2, 9) == ["one_word_that_is_too_long"]
    assert wrapped("", 1, 9) == [""]


@pytest.mark.parametrize("name", ["my_mobile-inverted.bottleneck_with_attention_v2", "abcdefghijklmnopqrstuvwxyz" * 2])
def test_a_name_stands_whole_in_lines_that_fit(name: str) -> None:
    lines = wrapped_name(name, 1.2, 9, 9)
    assert "".join(lines) == name
    assert len(lines) > 1
    assert all(text_width_in([line], 9) <= 1.2 for line in lines)
    assert wrapped_name("short", 1.2, 9, 9) == ["short"]


def test_a_name_is_parted_after_an_underscore_and_an_endless_one_is_cut_in_its_last_line() -> None:
    assert wrapped_name("mobile_inverted_bottleneck", 1.0, 9, 3) == ["mobile_", "inverted_", "bottleneck"]
    first, second = wrapped_name("never_ends_" * 40, 1.0, 9, 2)
    assert first == "never_ends_"
    assert second.endswith("…")
    assert text_width_in([second], 9) <= 1.0


def test_a_letter_keeps_its_accent_where_a_name_is_parted() -> None:
    lines = wrapped_name("e\N{COMBINING ACUTE ACCENT}" * 30, 0.4, 9, 99)
    assert len(lines) > 1
    assert not any(line.startswith("\N{COMBINING ACUTE ACCENT}") for line in lines)
