"""The layouts in which each data set is found on disk: one function a layout, one table for all.

A layout's function looks at a path and returns what could be read there, or None where the path is something
else.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from fbench.architectures.errors import UserError
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.images.image_tree import ImageTree, part_folders, scan_tree, subfolders
from fbench.benchmark.data.layouts.ckplus import CK_CLASSES, read_ckplus
from fbench.benchmark.data.layouts.class_names import FER2013_CLASSES, fer2013_class
from fbench.benchmark.data.layouts.csv_layouts import find_ckplus_csv, find_fer2013_csv, find_ferplus
from fbench.benchmark.data.layouts.folders import read_image_tree
from fbench.benchmark.data.layouts.readable import Layout, Readable
from fbench.benchmark.data.source import DataReference


def find_fer2013_folders(reference: DataReference, path: Path) -> Readable | None:
    """Folders train/ and test/, and perhaps val/, of the seven class folders."""
    if not path.is_dir() or not part_folders(path):
        return None
    tree = scan_tree(path)
    _require_fer2013_classes(tree)
    return _readable_tree(tree, partial(read_image_tree, tree, reference.label))


def find_ckplus(reference: DataReference, path: Path) -> Readable | None:
    """The folder CK+48, or the folder it lies in."""
    root = path / "CK+48" if (path / "CK+48").is_dir() else path
    if not root.is_dir() or not any(folder.name in CK_CLASSES for folder in subfolders(root)):
        return None
    tree = scan_tree(root)
    return _readable_tree(tree, partial(read_ckplus, tree, reference.label))


def find_folders(reference: DataReference, path: Path) -> Readable | None:
    """Class folders below train/ and test/, and perhaps val/, or alone."""
    if not path.is_dir():
        return None
    tree = scan_tree(path)
    return _readable_tree(tree, partial(read_image_tree, tree, reference.label))


LAYOUTS: Final[dict[str, tuple[Layout, ...]]] = {
    "fer2013": (
        Layout("fer2013-csv", 1, find_fer2013_csv),
        Layout("fer2013-folders", 1, find_fer2013_folders),
    ),
    "ferplus": (Layout("ferplus", 1, find_ferplus),),
    "ck48": (Layout("ckplus-folders", 1, find_ckplus), Layout("ckplus-csv", 1, find_ckplus_csv)),
    "folder": (Layout("class-folders", 1, find_folders),),
}
"""The layouts of each name, tried in order. The embedded data set has none."""


def _readable_tree(tree: ImageTree, read: Callable[[], ImageDataset]) -> Readable:
    return Readable(tree.key, lambda: scan_tree(tree.root).key, read)


def _require_fer2013_classes(tree: ImageTree) -> None:
    for part, folders in tree.class_folders.items():
        found = {fer2013_class(folder) for folder in folders}
        missing = [name for name in FER2013_CLASSES if part == "train" and name not in found]
        unknown = [folder for folder in folders if fer2013_class(folder) is None]
        if missing or unknown:
            problem = f"no folder for '{missing[0]}'" if missing else f"a folder '{unknown[0]}'"
            raise UserError(
                f"{tree.root}/{part} has {problem}, but FER2013 has the classes "
                f"{', '.join(FER2013_CLASSES)}; for other classes give folder={tree.root}."
            )
