"""The rule by which an image file becomes 48x48 gray pixels; decoders and filters are known to move accuracy."""

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
IMAGE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"})
DECODER: Final = f"Pillow {PIL.__version__}, libjpeg {features.version('jpg')}"
CONVERSION: Final = (
    f"{DECODER}: first frame, turned as EXIF says, 16 bits a channel scaled to 8, gray by Pillow's 'L' (ITU-R 601-2 "
    "luma, transparency dropped), 48x48 by Pillow's antialiased bilinear filter, aspect ratio not kept"
)
EMPTY: Final = "is empty"
NOT_AN_IMAGE: Final = "is not an image"
DAMAGED: Final = "is cut short or damaged"
TOO_LARGE: Final = "has more than 89 million pixels"
TOO_DEEP: Final = "has 32 bits a channel"
UNREADABLE: Final = "cannot be read"
_GRAY_OF_16_BITS: Final = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})
_MODES: Final = frozenset({"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"})
# Formats that give back the very pixels that were written; those of a JPEG depend on the decoder.
_LOSSLESS: Final = frozenset({"PNG", "BMP", "PPM", "GIF"})


class UnusableImageError(Exception):
    """A file that gives no image; its text is the reason, one of the phrases above."""


@dataclass(frozen=True)
class DecodedImages:
    """The images of N files that could be used, in order.

    ``pixels`` is uint8 (M, 1, 48, 48), ``usable`` bool (N,) with M true entries, ``reasons`` the phrase of each other
    file by its place, and ``converted`` how many of the M were anything but lossless 8-bit gray of 48x48.
    """

    pixels: npt.NDArray[np.uint8]
    usable: npt.NDArray[np.bool_]
    reasons: dict[int, str]
    converted: int

    @property
    def conversion(self) -> str:
        """The rule that was applied, empty where every file held its pixels exactly."""
        return CONVERSION if self.converted else ""

    @property
    def sentence(self) -> str:
        """What was done to the images, for the description of a data set."""
        if not self.converted:
            return ""
        return f" {self.converted} images were converted ({CONVERSION})."


def decode_images(paths: Sequence[Path]) -> DecodedImages:
    """Read image files in order; a file that gives no image is named with its reason and left out."""
    pixels = np.empty((len(paths), 1, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    usable = np.zeros(len(paths), np.bool_)
    reasons: dict[int, str] = {}
    converted = 0
    for row, path in enumerate(paths):
        try:
            pixels[row, 0], was_converted = _decode(path)
        except UnusableImageError as error:
            reasons[row] = str(error)
        else:
            usable[row] = True
            converted += was_converted
    return DecodedImages(pixels[usable], usable, reasons, converted)


def open_image(path: Path) -> Image.Image:
    """The first frame of an image file, decoded, upright, in one of Pillow's modes of 8 or 16 bits.

    Raises:
        UnusableImageError: it gives no image.
    """
    try:
        if path.stat().st_size == 0:
            raise UnusableImageError(EMPTY)
        with warnings.catch_warnings():
            # A file that would unpack to more than 89 million pixels is refused, not only warned about.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # Pillow also warns of odd but readable files (transparency in bytes, broken EXIF, extra TIFF data).
            warnings.simplefilter("ignore", UserWarning)
            with Image.open(path) as image:
                if image.mode not in _MODES | _GRAY_OF_16_BITS:
                    raise UnusableImageError(TOO_DEEP)
                image.load()
                upright = ImageOps.exif_transpose(image)
                upright.format = image.format
                return upright
    except UnidentifiedImageError as error:
        raise UnusableImageError(NOT_AN_IMAGE) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusableImageError(TOO_LARGE) from error
    except OSError as error:  # an error of the system has a number, one of a decoder has none
        raise UnusableImageError(DAMAGED if error.errno is None else UNREADABLE) from error
    # What Pillow's decoders raise on broken chunks, headers and tables.
    except (SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, struct.error, MemoryError) as error:
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


def _decode(path: Path) -> tuple[npt.NDArray[np.uint8], bool]:
    image = open_image(path)
    exact = image.mode == "L" and image.size == (IMAGE_SIZE, IMAGE_SIZE) and image.format in _LOSSLESS
    if exact:
        return np.asarray(image), False
    gray = to_gray(image)
    if gray.size != (IMAGE_SIZE, IMAGE_SIZE):
        gray = gray.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BILINEAR)
    return np.asarray(gray), True
