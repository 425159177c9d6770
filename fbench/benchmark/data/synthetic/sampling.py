"""Random numbers of the data set: every image has its own stretch of a counter-based generator.

Philox (J. K. Salmon et al., *Parallel random numbers: as easy as 1, 2, 3*, SC 2011) maps a key and a counter to
random bits. The key is (seed, 4 * split + stream), the counter starts at a multiple of the row, so an image is the
same however many images are drawn at a time, and no two splits or streams share a draw.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import SPLITS, SplitName
from fbench.benchmark.data.synthetic.drawing import IMAGE_SIZE
from fbench.benchmark.data.synthetic.expressions import CLASS_NAMES, UNIFORMS_PER_IMAGE, sample_intensities
from fbench.benchmark.data.synthetic.parameters import FIELD_COUNT, Array, FaceParameters, from_uniforms

_STREAMS = 4
_LABELS, _PARAMETERS, _NOISE = range(3)
_PER_COUNTER = 4  # draws of 64 bits that Philox makes of one counter value
_NOISE_BYTES = 4
_UNIFORMS = -(-(UNIFORMS_PER_IMAGE + FIELD_COUNT) // _PER_COUNTER) * _PER_COUNTER


def sample_labels(count: int, *, seed: int, split: SplitName) -> npt.NDArray[np.uint8]:
    """Shuffled labels (count,) of one split, classes balanced up to rounding."""
    labels = np.arange(count) % len(CLASS_NAMES)
    generator = np.random.Generator(_stream(seed, split, _LABELS))
    return generator.permutation(labels).astype(np.uint8)


def sample_parameters(
    labels: npt.NDArray[np.integer], *, seed: int, split: SplitName, first_row: int = 0
) -> FaceParameters:
    """Draw the parameters of the rows ``first_row`` to ``first_row + len(labels)`` of a split, given their labels."""
    bits = _stream(seed, split, _PARAMETERS).advance(first_row * _UNIFORMS // _PER_COUNTER)
    uniforms = np.random.Generator(bits).random((len(labels), _UNIFORMS))
    intensities = sample_intensities(labels, uniforms[:, :UNIFORMS_PER_IMAGE])
    return from_uniforms(intensities, uniforms[:, UNIFORMS_PER_IMAGE : UNIFORMS_PER_IMAGE + FIELD_COUNT])


def sample_noise(count: int, *, seed: int, split: SplitName, first_row: int = 0) -> Array:
    """Noise (count, 48, 48) of mean 0 and standard deviation 1 for rows of a split.

    A pixel is the standardised sum of four uniform bytes (Irwin-Hall), which is near normal and, unlike a normal
    draw, needs no function whose last bit differs between machines.
    """
    words = IMAGE_SIZE * IMAGE_SIZE * _NOISE_BYTES // 8
    bits = _stream(seed, split, _NOISE).advance(first_row * words // _PER_COUNTER)
    raw = bits.random_raw(count * words).astype("<u8", copy=False).view(np.uint8)
    planes = raw.reshape(count, _NOISE_BYTES, IMAGE_SIZE * IMAGE_SIZE)
    total = planes.sum(axis=1, dtype=np.int16)
    centred = total.astype(np.float32) - np.float32(_NOISE_BYTES * 127.5)
    deviation = np.float32(np.sqrt(_NOISE_BYTES * (256**2 - 1) / 12))
    return np.asarray(centred / deviation).reshape(count, IMAGE_SIZE, IMAGE_SIZE)


def _stream(seed: int, split: SplitName, stream: int) -> np.random.Philox:
    """A generator of its own for each seed, split and purpose."""
    key = np.array([seed, _STREAMS * SPLITS.index(split) + stream], np.uint64)
    return np.random.Philox(key=key)
