"""The images that int8 learns its ranges from: some of those that the network was trained on, never test images."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import ImageDataset

IMAGES: Final = 512
SEED: Final = 0


def calibration_pixels(dataset: ImageDataset, images: int = IMAGES, seed: int = SEED) -> npt.NDArray[np.float32]:
    """Pixels 0 to 255, float32 (N, C, H, W), of ``images`` training images drawn with ``seed``; all, where fewer."""
    rows = dataset.rows("train")
    drawn = np.random.default_rng(seed).permutation(rows)[:images]
    return np.asarray(dataset.images[np.sort(drawn)], dtype=np.float32)
