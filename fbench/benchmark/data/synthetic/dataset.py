"""The data set `synthetic`: rendered faces that need no download, made anew from a seed in a few seconds."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import SPLITS, ImageDataset, SplitName
from fbench.benchmark.data.known import KnownData
from fbench.benchmark.data.layouts.data_set import DataSet, Layout, Readable
from fbench.benchmark.data.source import ResolvedReference
from fbench.benchmark.data.synthetic.expressions import CLASS_NAMES
from fbench.benchmark.data.synthetic.render import render
from fbench.benchmark.data.synthetic.sampling import sample_labels, sample_noise, sample_parameters
from fbench.core.errors import UserError

GENERATOR_VERSION: Final[int] = 1
"""Raised whenever the same seed gives other images or labels."""

_ROWS_AT_A_TIME = 512


def find_synthetic(_: ResolvedReference) -> Readable:
    """The data set at its usual seed and sizes, known by these and by NumPy's version for the random streams."""
    key = f"{load_synthetic.__kwdefaults__} NumPy {np.__version__}"
    return Readable(key, lambda: key, load_synthetic)


def load_synthetic(*, seed: int = 0, train: int = 4096, validation: int = 1024, test: int = 2048) -> ImageDataset:
    """Render the data set: gray 48x48 faces with seven expressions built from FACS action units.

    Classes are balanced up to rounding and shuffled. The same seed and sizes give the same bytes on every machine
    and with any number of threads; splits share no random draw.

    Args:
        seed: from 0 to 2^64 - 1.
        train, validation, test: images in each split, at least one each.

    Raises:
        UserError: a seed or size out of range.
    """
    sizes: dict[SplitName, int] = {"train": train, "validation": validation, "test": test}
    _check(seed, sizes)
    images, labels = zip(*(_render_split(seed, split, count) for split, count in sizes.items()), strict=True)
    ids = [f"synthetic:{split}:{row}" for split, count in sizes.items() for row in range(count)]
    return ImageDataset(
        name="synthetic",
        images=np.concatenate(images),
        labels=np.concatenate(labels),
        split=np.repeat(np.arange(len(SPLITS), dtype=np.uint8), list(sizes.values())),
        sample_ids=np.array(ids),
        class_names=CLASS_NAMES,
        may_show_images=True,
        synthetic=True,
        description=(
            f"Synthetic: faces rendered from FACS action units, not photographs of people (generator version "
            f"{GENERATOR_VERSION}, seed {seed}; {train} train, {validation} validation, {test} test images)."
        ),
    )


def _render_split(seed: int, split: SplitName, count: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    labels = sample_labels(count, seed=seed, split=split)
    parts = []
    for first in range(0, count, _ROWS_AT_A_TIME):
        some = labels[first : first + _ROWS_AT_A_TIME]
        parameters = sample_parameters(some, seed=seed, split=split, first_row=first)
        parts.append(render(parameters, sample_noise(len(some), seed=seed, split=split, first_row=first)))
    return np.concatenate(parts), labels


def _check(seed: int, sizes: dict[SplitName, int]) -> None:
    if not 0 <= seed < 2**64:
        raise UserError(f"The seed of the synthetic data is {seed}; give a whole number from 0 to 2^64 - 1.")
    for split, count in sizes.items():
        if count < 1:
            raise UserError(f"The {split} split of the synthetic data has {count} images; give at least 1.")


DATA_SET: Final = DataSet(
    known=KnownData(
        name="synthetic",
        summary="rendered faces with seven expressions, embedded; needs no download",
        obtain="comes with fbench",
        licence="MIT, as fbench",
        expects=None,
        may_show_images=True,
    ),
    layouts=(Layout("generator", GENERATOR_VERSION, find_synthetic),),
)
