"""The layouts that are folders of image files: FER2013, CK+48, IMED, RAF-DB, class folders and class maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.images.image_tree import ImageTree, part_folders, scan_tree, subfolders, unwrapped
from fbench.benchmark.data.layouts.ckplus import ck_class, read_ckplus
from fbench.benchmark.data.layouts.class_map import MAP_FILE
from fbench.benchmark.data.layouts.class_map_images import class_map_key, read_class_map
from fbench.benchmark.data.layouts.class_names import FER2013_CLASSES, fer2013_class
from fbench.benchmark.data.layouts.folders import read_image_tree
from fbench.benchmark.data.layouts.imed import read_imed
from fbench.benchmark.data.layouts.rafdb import rafdb_key, rafdb_root, read_rafdb
from fbench.benchmark.data.layouts.readable import Readable
from fbench.benchmark.data.source import DataReference
from fbench.core.errors import UserError, readable

TreeReader = Callable[[ImageTree, DataReference], ImageDataset]


def find_fer2013_folders(reference: DataReference, path: Path) -> Readable | None:
    """Folders train/ and test/, and perhaps val/, of the seven class folders."""
    root = unwrapped(path) if path.is_dir() else path
    if not root.is_dir() or not part_folders(root):
        return None
    _require_fer2013_classes(scan_tree(root))
    return _readable_tree(path, root, read_image_tree, reference)


def find_ckplus(reference: DataReference, path: Path) -> Readable | None:
    """The folder CK+48, or a folder it lies in."""
    if not path.is_dir():
        return None
    root = path / "CK+48" if (path / "CK+48").is_dir() else unwrapped(path)
    if not any(ck_class(folder.name) for folder in subfolders(root)):
        return None
    return _readable_tree(path, root, read_ckplus, reference)


def find_imed(reference: DataReference, path: Path) -> Readable | None:
    """A folder of emotion folders."""
    if not path.is_dir():
        return None
    return _readable_tree(path, unwrapped(path), read_imed, reference)


def find_rafdb(reference: DataReference, path: Path) -> Readable | None:
    """The folder basic of RAF-DB, or the folder it lies in."""
    root = rafdb_root(path) if path.is_dir() else None
    if root is None:
        return None
    return Readable(rafdb_key(root), partial(rafdb_key, root), partial(read_rafdb, root, reference))


def find_class_map(reference: DataReference, path: Path) -> Readable | None:
    """A class map, or a folder with one under its usual name."""
    file = path / MAP_FILE if path.is_dir() else path
    if file.suffix.lower() != ".toml" or not file.is_file():
        return None
    return Readable(class_map_key(file), partial(class_map_key, file), partial(read_class_map, file, reference))


def find_folders(reference: DataReference, path: Path) -> Readable | None:
    """Class folders below train/ and test/, and perhaps val/, or alone."""
    if not path.is_dir():
        return None
    return _readable_tree(path, unwrapped(path), read_image_tree, reference)


def _readable_tree(path: Path, root: Path, read: TreeReader, reference: DataReference) -> Readable:
    tree = scan_tree(root)

    def read_and_say_where() -> ImageDataset:
        dataset = read(tree, reference)
        if root == path:
            return dataset
        inside = readable(root.relative_to(path).as_posix())
        return replace(dataset, description=f"{dataset.description} They lie in {inside}/.")

    return Readable(tree.key, lambda: scan_tree(root).key, read_and_say_where)


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
