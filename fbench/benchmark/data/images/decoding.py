"""The rule by which an image file becomes 48x48 gray pixels; decoders and filters to move accuracy."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import PIL
from PIL import Image

from fbench.architectures.errors import UserError

IMAGE_SIZE: Final = 48
IMAGE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"})
CONVERSION: Final = (
    "to 8-bit gray by Pillow's 'L' (ITU-R 601-2 luma, transparency dropped), then to 48x48 by Pillow's "
    "antialiased bilinear filter, aspect ratio not kept"
)
DECODER: Final = f"Pillow {PIL.__version__}"
# Pillow's conversion to 'L' cuts deeper gray off at 255 instead of scaling it, so those modes are refused.
_MODES: Final = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"})


@dataclass(frozen=True)
class DecodedImages:
    """Pixels uint8 (N, 1, 48, 48), and how many of the N files were not 48x48 gray and were converted."""

    pixels: npt.NDArray[np.uint8]
    converted: int

    @property
    def sentence(self) -> str:
        """What was done to the images, for the description of a data set."""
        if not self.converted:
            return ""
        return f" {self.converted} images were converted ({DECODER}): {CONVERSION}."


def decode_images(paths: Sequence[Path]) -> DecodedImages:
    """Read image files in order.

    Raises:
        UserError: a file is not a readable image of at most 8 bits a channel; it is named.
    """
    pixels = np.empty((len(paths), 1, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    converted = 0
    with warnings.catch_warnings():
        # A file that would unpack to more than 89 million pixels is refused, not only warned about.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        # Transparency is dropped by the rule above, so Pillow's advice to keep it does not apply.
        warnings.filterwarnings("ignore", "Palette images with Transparency", UserWarning)
        for row, path in enumerate(paths):
            pixels[row, 0], was_converted = _decode(path)
            converted += was_converted
    return DecodedImages(pixels, converted)


def _decode(path: Path) -> tuple[npt.NDArray[np.uint8], bool]:
    try:
        with Image.open(path) as image:
            if image.mode not in _MODES:
                raise UserError(
                    f"{path} has pixels of Pillow's mode {image.mode}, which gray conversion would cut off; "
                    f"save it with 8 bits a channel."
                )
            return _to_gray(image)
    # Pillow raises SyntaxError for broken PNG chunks and ValueError or EOFError for some broken headers.
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise UserError(f"{path} is not a readable image ({_reason(error, path)}); mend or remove it.") from error


def _to_gray(image: Image.Image) -> tuple[npt.NDArray[np.uint8], bool]:
    fits = image.mode == "L" and image.size == (IMAGE_SIZE, IMAGE_SIZE)
    if fits:
        return np.asarray(image), False
    gray = image.convert("L").resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BILINEAR)
    return np.asarray(gray), True


def _reason(error: Exception, path: Path) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = str(error).replace(str(path), "the file").replace(repr(str(path)), "the file")
    return text.rstrip(".") or type(error).__name__
