"""The rule by which an image file becomes pixels of one shape; decoders and filters are known to move accuracy."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import PIL
from PIL import Image, ImageOps, UnidentifiedImageError, features

IMAGE_SIZE: Final = 48
IMAGE_SUFFIXES: Final = frozenset(
    {
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".bmp", ".dib"),
        *(".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pbm", ".pnm"),
    }
)
UNREAD_SUFFIXES: Final = frozenset(
    {
        *(".avif", ".avifs", ".heic", ".heif", ".hif", ".jxl", ".jp2", ".j2k", ".jpx", ".jpf", ".tga", ".ico"),
        *(".psd", ".svg", ".eps", ".dds", ".exr", ".hdr", ".pcx", ".sgi"),
        *(".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"),
    }
)
"""Of images in formats that are not read."""
_JPEG_LIBRARY: Final = "libjpeg_turbo" if features.check_feature("libjpeg_turbo") else "jpg"
DECODER: Final = (
    f"Pillow {PIL.__version__}, {_JPEG_LIBRARY.replace('jpg', 'libjpeg').replace('_', '-')} "
    f"{features.version(_JPEG_LIBRARY)}"
)
"""libjpeg-turbo tells its own version apart from that of the interface it imitates, which stays 6.2 or 8.0."""
Shape = tuple[int, int, int]
"""Channels, height and width."""
_GRAY_RULE: Final = "gray by Pillow's 'L' (ITU-R 601-2 luma, transparency dropped)"
_COLOUR_RULE: Final = "colour by Pillow's 'RGB' (transparency dropped)"


def conversion_rule(shape: Shape) -> str:
    """The rule by which a file becomes an image of 1 or 3 channels, as a phrase."""
    channels, height, width = shape
    return (
        f"{DECODER}: first frame, turned as EXIF says, 16-bit gray divided by 257 and rounded, 16-bit colour by its "
        f"high byte, {_GRAY_RULE if channels == 1 else _COLOUR_RULE}, {width}x{height} by Pillow's antialiased "
        "bilinear filter, aspect ratio not kept"
    )


GRAY_48: Final[Shape] = (1, IMAGE_SIZE, IMAGE_SIZE)
CONVERSION: Final = conversion_rule(GRAY_48)
EMPTY: Final = "is empty"
NOT_AN_IMAGE: Final = "is not an image"
DAMAGED: Final = "is cut short or damaged"
TOO_LARGE: Final = "has more than 89 million pixels"
TOO_DEEP: Final = "has 32 bits a channel"
OTHER_COLOURS: Final = "has a colour model that is not read"
UNREADABLE: Final = "cannot be read"
# Pillow would start Ghostscript on an EPS that is named .png, and its decoder of DDS raises NotImplementedError.
_FORMATS: Final = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
# Of these formats, a PPM of more than 8 bits is read as "I", with values scaled to 0 to 65,535.
_GRAY_OF_16_BITS: Final = frozenset({"I;16", "I;16B", "I;16L", "I;16N", "I"})
_MODES: Final = frozenset({"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"})
# Formats that give back the very pixels that were written; those of a JPEG depend on the decoder. A GIF may be
# animated, which only a look at its second frame tells.
_LOSSLESS: Final = frozenset({"PNG", "BMP", "PPM"})
_ORIENTATION: Final = 0x0112
"""The tag of EXIF 2.32; 1 is upright."""
# What Pillow's decoders raise on broken chunks, headers and tables.
_DECODER_ERRORS: Final = (
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    NotImplementedError,
    struct.error,
    MemoryError,
)


class UnusableImageError(Exception):
    """A file that gives no image; its text is the reason, one of the phrases above."""


@dataclass(frozen=True)
class DecodedImages:
    """The images of N files that could be used, in order.

    ``pixels`` is uint8 (M, C, H, W), ``usable`` bool (N,) with M true entries, ``reasons`` the phrase of each other
    file by its place, and ``converted`` how many of the M were anything but lossless 8 bits a channel of this shape.
    """

    pixels: npt.NDArray[np.uint8]
    usable: npt.NDArray[np.bool_]
    reasons: dict[int, str]
    converted: int

    @property
    def conversion(self) -> str:
        """The rule that was applied, empty where every file held its pixels exactly."""
        channels, height, width = self.pixels.shape[1:]
        return conversion_rule((channels, height, width)) if self.converted else ""

    @property
    def sentence(self) -> str:
        """What was done to the images, for the description of a data set."""
        if not self.converted:
            return ""
        return f" {self.converted} images were converted ({self.conversion})."


def decode_images(paths: Sequence[Path], shape: Shape = GRAY_48) -> DecodedImages:
    """Read image files in order; a file that gives no image is named with its reason and left out."""
    pixels = np.empty((len(paths), *shape), np.uint8)
    usable = np.zeros(len(paths), np.bool_)
    reasons: dict[int, str] = {}
    converted = 0
    for row, path in enumerate(paths):
        try:
            pixels[row], was_converted = _decode(path, shape)
        except UnusableImageError as error:
            reasons[row] = str(error)
        else:
            usable[row] = True
            converted += was_converted
    return DecodedImages(pixels[usable], usable, reasons, converted)


def open_image(path: Path) -> Image.Image:
    """The first frame of an image file, decoded, upright, in one of Pillow's modes of 8 or 16 bits a channel.

    Raises:
        UnusableImageError: it gives no image.
    """
    return _open(path)[0]


def _open(path: Path) -> tuple[Image.Image, bool]:
    """The image, and whether its pixels are those that the file stores, as they lie there."""
    try:
        if path.stat().st_size == 0:
            raise UnusableImageError(EMPTY)
        with warnings.catch_warnings():
            # A file that would unpack to more than 89 million pixels is refused, not only warned about.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # Pillow also warns of odd but readable files (transparency in bytes, broken EXIF, extra TIFF data).
            warnings.simplefilter("ignore", UserWarning)
            with Image.open(path, formats=_FORMATS) as image:
                _require_known_mode(image)
                image.load()
                upright = image.getexif().get(_ORIENTATION, 1) == 1
                as_stored = image.format in _LOSSLESS and upright and not getattr(image, "is_animated", False)
                return ImageOps.exif_transpose(image), as_stored
    except UnidentifiedImageError as error:
        raise UnusableImageError(NOT_AN_IMAGE) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusableImageError(TOO_LARGE) from error
    except OSError as error:  # an error of the system has a number, one of a decoder has none
        raise UnusableImageError(DAMAGED if error.errno is None else UNREADABLE) from error
    except _DECODER_ERRORS as error:
        raise UnusableImageError(DAMAGED) from error


def to_gray(image: Image.Image) -> Image.Image:
    """8-bit gray by the rule, at the image's own size."""
    if image.mode in _GRAY_OF_16_BITS:
        values = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((values + 128) // 257).astype(np.uint8))
    with warnings.catch_warnings():
        # Transparency is dropped by the rule, so Pillow's advice to keep it does not apply.
        warnings.simplefilter("ignore", UserWarning)
        return image.convert("L")


def _require_known_mode(image: Image.Image) -> None:
    if image.mode == "F" or (image.mode == "I" and image.format != "PPM"):
        raise UnusableImageError(TOO_DEEP)
    if image.mode not in _MODES | _GRAY_OF_16_BITS:
        raise UnusableImageError(OTHER_COLOURS)


def to_colour(image: Image.Image) -> Image.Image:
    """8-bit RGB by the rule, at the image's own size."""
    if image.mode in _GRAY_OF_16_BITS:
        return to_gray(image).convert("RGB")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # as for gray
        return image.convert("RGB")


def decode_image(path: Path, shape: Shape) -> npt.NDArray[np.uint8]:
    """An image file as uint8 (C, H, W) by :func:`conversion_rule`; C is 1 or 3.

    Raises:
        UnusableImageError: it gives no image.
    """
    return _decode(path, shape)[0]


def _decode(path: Path, shape: Shape) -> tuple[npt.NDArray[np.uint8], bool]:
    """The pixels, and whether they are anything but those that the file holds."""
    channels, height, width = shape
    image, as_stored = _open(path)
    is_exact = as_stored and image.mode == ("L" if channels == 1 else "RGB") and image.size == (width, height)
    converted = _resized(to_gray(image) if channels == 1 else to_colour(image), (width, height))
    pixels = np.asarray(converted)
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1)), not is_exact


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if image.size == size else image.resize(size, Image.Resampling.BILINEAR)
