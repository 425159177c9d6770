"""A tree of images that was found, as something that can be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.images.image_tree import ImageTree, scan_tree
from fbench.benchmark.data.layouts.data_set import Readable
from fbench.benchmark.data.source import ResolvedReference
from fbench.core.errors import readable

TreeReader = Callable[[ImageTree, ResolvedReference], ImageDataset]


def readable_tree(root: Path, read: TreeReader, reference: ResolvedReference) -> Readable:
    """The class folders below ``root``; where it lies inside of the path that was given, the description says so.

    Raises:
        UserError: see :func:`scan_tree`.
    """
    tree = scan_tree(root)

    def read_and_say_where() -> ImageDataset:
        dataset = read(tree, reference)
        if root == reference.path:
            return dataset
        inside = readable(root.relative_to(reference.path).as_posix())
        return replace(dataset, description=f"{dataset.description} They lie in {inside}/.")

    return Readable(tree.key, lambda: scan_tree(root).key, read_and_say_where)
