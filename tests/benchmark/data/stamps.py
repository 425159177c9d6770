"""A data set that fbench does not know, declared in one module: a folder with an array of images and one of labels."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.identity import file_key
from fbench.benchmark.data.known import KnownData
from fbench.benchmark.data.layouts.data_set import DataSet, Layout, Readable
from fbench.benchmark.data.options import DataOption
from fbench.benchmark.data.source import ResolvedReference


def find_stamps(reference: ResolvedReference) -> Readable | None:
    """A folder with images.npy, uint8 (N, 48, 48), and labels.npy, uint8 (N,)."""
    files = [reference.path / name for name in ("images.npy", "labels.npy")]
    if not all(file.is_file() for file in files):
        return None

    def key() -> str:
        return " ".join(map(file_key, files))

    return Readable(key(), key, partial(read_stamps, *files, reference))


def read_stamps(images: Path, labels: Path, reference: ResolvedReference) -> ImageDataset:
    """Rows go to train, validation and test in turn; with ``order=reversed`` the last image comes first."""
    pixels, classes = np.load(images)[:, None], np.load(labels)
    step = -1 if reference.options["order"] == "reversed" else 1
    rows = np.arange(len(classes))[::step]
    return ImageDataset(
        name=reference.label,
        images=pixels[rows],
        labels=classes[rows],
        split=(np.arange(len(rows)) % 3).astype(np.uint8),
        sample_ids=np.array([f"stamp:{row}" for row in rows]),
        class_names=("used", "unused"),
        may_show_images=False,
        synthetic=False,
        description="Stamps.",
    )


DATA_SET: Final = DataSet(
    known=KnownData(
        name="stamps",
        summary="stamps, used and unused",
        obtain="from a drawer",
        licence="your own",
        expects="a folder with images.npy and labels.npy",
        tree=("images.npy", "labels.npy"),
        own_options=(DataOption(name="order", help="of the images", allowed=("kept", "reversed")),),
    ),
    layouts=(Layout("stamps", 1, find_stamps),),
)
