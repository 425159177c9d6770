"""What every loader returns: one labelled set of images in memory, with its splits and a content fingerprint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator

from fbench.benchmark.data.exact_copies import copy_groups
from fbench.core.schema import FrozenModel


def validation_for_selection(word: object) -> object:
    """Files of an older fbench, and those of its users, call the validation split the selection split."""
    return word.replace("selection", "validation") if isinstance(word, str) else word


SplitName = Annotated[Literal["train", "validation", "test"], BeforeValidator(validation_for_selection)]
ROW_ARRAYS: Final = ("images", "labels", "split", "sample_ids", "label_shares", "subjects", "sequences")
"""The fields of :class:`ImageDataset` that have an entry for each image; the last three may be none."""
SPLITS: Final[tuple[SplitName, ...]] = ("train", "validation", "test")


class LeftOutImages(FrozenModel):
    """Images or rows of the source that are not in the data set, for one reason, such as "is cut short".

    ``names`` are those of the source (relative paths, or ``row:17``), all of them, in order.
    """

    reason: str
    names: tuple[str, ...]

    def counted(self) -> LeftOutCount:
        """The number, and the first three names."""
        return LeftOutCount(reason=self.reason, count=len(self.names), examples=self.names[:3])


class LeftOutCount(FrozenModel):
    """How many images or rows were left out for one reason, with the names of the first few: what records keep."""

    reason: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class ImageDataset:
    """Images of one data set, all splits together, in the order of the source.

    ``images`` is uint8 (N, C, H, W); ``labels`` uint8 (N,), indices into ``class_names``; ``split`` uint8 (N,),
    indices into :data:`SPLITS` (0 train, 1 validation, 2 test); ``sample_ids`` is a str array (N,) that names each
    image in its source. ``may_show_images`` says whether faces may enter a report; ``synthetic`` whether they were
    rendered.

    ``label_shares`` float32 (N, classes), rows summing to 1, are training targets where annotators disagreed;
    ``labels`` stay what is evaluated. ``subjects`` is a str array (N,) where the source tells who is shown;
    ``sequences`` is one where only frames that belong together are known, by their likeness.
    ``conversion`` is the rule by which pixels were made from files, empty where every file held them exactly.
    ``left_out`` says what the source had and the data set has not.
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
    label_shares: npt.NDArray[np.float32] | None = None
    subjects: npt.NDArray[np.str_] | None = None
    sequences: npt.NDArray[np.str_] | None = None
    conversion: str = ""
    left_out: tuple[LeftOutImages, ...] = ()

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

        The same pixels read from two layouts in the same order thus have one fingerprint. Where pixels were
        converted, or labels are shares, these enter too.
        """
        digest = hashlib.sha256()
        digest.update(repr((self.images.shape, self.class_names)).encode())
        for array in (self.images, self.labels, self.split):
            digest.update(np.ascontiguousarray(array).data)
        if self.label_shares is not None:
            digest.update(b"label shares" + np.ascontiguousarray(self.label_shares).tobytes())
        if self.conversion:
            digest.update(b"conversion" + self.conversion.encode())
        return digest.hexdigest()

    @cached_property
    def copy_groups(self) -> npt.NDArray[np.int64]:
        """The number (N,) of the distinct image that each is, in order of appearance."""
        return copy_groups(self.images)

    def take(self, keep: npt.NDArray[np.bool_], **changes: Any) -> ImageDataset:
        """The images where ``keep`` (N,) is true, in order, with other fields changed by name."""
        rows: dict[str, Any] = {}
        for name in ROW_ARRAYS:
            value = getattr(self, name)
            rows[name] = None if value is None else value[keep]
        return replace(self, **(rows | changes))
