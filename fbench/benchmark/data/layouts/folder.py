"""Any images: sorted into class folders, or described by a class map."""

from __future__ import annotations

from functools import partial
from typing import Final

from fbench.benchmark.data.images.image_tree import unwrapped
from fbench.benchmark.data.known import KnownData
from fbench.benchmark.data.layouts.class_folders import read_image_tree
from fbench.benchmark.data.layouts.class_map import MAP_FILE
from fbench.benchmark.data.layouts.class_map_images import class_map_key, read_class_map
from fbench.benchmark.data.layouts.data_set import DataSet, Layout, Readable
from fbench.benchmark.data.layouts.readable_tree import readable_tree
from fbench.benchmark.data.options import CHANNELS, FOLD, SIZE
from fbench.benchmark.data.source import ResolvedReference


def find_class_map(reference: ResolvedReference) -> Readable | None:
    """A class map, or a folder with one under its usual name."""
    file = reference.path / MAP_FILE if reference.path.is_dir() else reference.path
    if file.suffix.lower() != ".toml" or not file.is_file():
        return None
    return Readable(class_map_key(file), partial(class_map_key, file), partial(read_class_map, file, reference))


def find_class_folders(reference: ResolvedReference) -> Readable | None:
    """Class folders below train/ and test/, and perhaps val/, or alone."""
    if not reference.path.is_dir():
        return None
    return readable_tree(unwrapped(reference.path), read_image_tree, reference)


DATA_SET: Final = DataSet(
    known=KnownData(
        name="folder",
        summary="any images sorted into class folders, or described by a class map in TOML",
        obtain="your own",
        licence="your own",
        expects="a folder with train/ and test/ (and perhaps val/) of class folders, of class folders alone, "
        "or a class map (a .toml file)",
        tree=(
            "train/CLASS/*.png  test/CLASS/*.png  [val/CLASS/*.png]",
            "CLASS/*.png",
            "faces.toml         root, [classes], and optional splits, subject, may_show_images, licence",
        ),
        own_options=(FOLD, SIZE, CHANNELS),
    ),
    layouts=(Layout("class-map", 2, find_class_map), Layout("class-folders", 3, find_class_folders)),
)
