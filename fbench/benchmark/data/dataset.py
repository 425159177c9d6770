"""What every loader returns: one labelled set of images in memory, with its splits and a content fingerprint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

SplitName = Literal["train", "selection", "test"]
SPLITS: Final[tuple[SplitName, ...]] = ("train", "selection", "test")


@dataclass(frozen=True)
class ImageDataset:
    """Images of one data set, all splits together, in the order of the source.

    ``images`` is uint8 (N, C, H, W); ``labels`` uint8 (N,), indices into ``class_names``; ``split`` uint8 (N,),
    indices into :data:`SPLITS` (0 train, 1 selection, 2 test); ``sample_ids`` is a str array (N,) that names each
    image in its source. ``may_show_images`` says whether faces may enter a report; ``synthetic`` whether they were
    rendered.
    """

    name: str
    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    split: npt.NDArray[np.uint8]
    sample_ids: npt.NDArray[np.str_]
    class_names: tuple[str, ...]
    may_show_images: bool
    synthetic: bool
    description: str

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every image."""
        channels, height, width = self.images.shape[1:]
        return int(channels), int(height), int(width)

    def rows(self, split: SplitName) -> npt.NDArray[np.int64]:
        """Row numbers of a split, ascending."""
        return np.flatnonzero(self.split == SPLITS.index(split))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over pixels, labels, splits, class names and shape, in order; sample ids are left out.

        The same pixels read from two layouts in the same order thus have one fingerprint.
        """
        digest = hashlib.sha256()
        digest.update(repr((self.images.shape, self.class_names)).encode())
        for array in (self.images, self.labels, self.split):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()
