"""IMED: the Indonesian Mixed Emotion Dataset, of which the seven single emotions are used.

Liliana, Basaruddin & Oriza, The Indonesian Mixed Emotion Dataset (IMED), AIVR 2018: seven single and twelve mixed
emotions. The layout of a copy is a folder for each emotion; names in English or Indonesian are read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import ImageDataset, LeftOutImages
from fbench.benchmark.data.images.collect import Division, LabelledFiles, collect
from fbench.benchmark.data.images.image_tree import ImageFile, ImageTree, printable, unwrapped
from fbench.benchmark.data.known import KnownData
from fbench.benchmark.data.layouts.class_folders import require_parts, split_tree
from fbench.benchmark.data.layouts.class_names import FER2013_CLASSES, fer2013_class, require_one_spelling
from fbench.benchmark.data.layouts.data_set import DataSet, Layout, Readable
from fbench.benchmark.data.layouts.readable_tree import readable_tree
from fbench.benchmark.data.options import GRAY_CHANNELS, GRAY_SIZE
from fbench.benchmark.data.source import ResolvedReference
from fbench.core.errors import UserError

_JOINS: Final = re.compile(r"\s*(?:[-_+&, ]|\band\b|\bdan\b)+\s*")
_ADVERBS: Final = {
    "angrily": "angry",
    "disgustedly": "disgust",
    "fearfully": "fear",
    "happily": "happy",
    "sadly": "sad",
}
"""Compound emotions are often named like ``happily surprised`` (Du, Tao & Martinez 2014)."""


def mixed_emotions(folder: str) -> tuple[str, ...] | None:
    """The emotions whose names a folder name joins, such as ``Angry-Disgust`` or ``happy and surprised``, or None."""
    words = [word for word in _JOINS.split(folder.strip().lower()) if word and not word.isdigit()]
    parts = [_ADVERBS.get(word) or fer2013_class(word) for word in words]
    if len(parts) < 2 or None in parts:
        return None
    return tuple(part for part in parts if part is not None)


def find_imed(reference: ResolvedReference) -> Readable | None:
    """A folder of emotion folders."""
    if not reference.path.is_dir():
        return None
    return readable_tree(unwrapped(reference.path), read_imed, reference)


def read_imed(tree: ImageTree, reference: ResolvedReference) -> ImageDataset:
    """Read the single emotions of a tree of emotion folders, split as :func:`read_image_tree` splits.

    Classes have FER2013's names and order. Who is shown is not told by the folders, so one person may be on several
    sides, which the description says.

    Raises:
        UserError: a folder that is no emotion, parts without train/, or no usable image.
    """
    require_parts(tree)
    single = {folder: fer2013_class(folder) for folders in tree.class_folders.values() for folder in folders}
    mixed = {folder: mixed_emotions(folder) for folder, name in single.items() if name is None}
    for folder, emotions in mixed.items():
        if emotions is None:
            raise UserError(
                f"{tree.root} has the folder '{folder}', which is neither one of {', '.join(FER2013_CLASSES)} nor a "
                "mix of them; rename it or take it away."
            )
    for part, folders in tree.class_folders.items():
        require_one_spelling(folders, f"{tree.root}/{part}" if part else str(tree.root))
    classes = tuple(name for name in FER2013_CLASSES if name in single.values())
    files = tuple(file for file in tree.files if single[file.class_folder])
    labels = np.array([classes.index(str(single[file.class_folder])) for file in files], np.uint8)
    left_out = [*tree.left_out]
    for folder, emotions in mixed.items():
        names = [file.relative for file in tree.files if file.class_folder == folder]
        if names:
            reason = f"shows a mixed emotion ({' and '.join(emotions or ())})"
            left_out.append(LeftOutImages(reason=reason, names=printable(names)))
    found = LabelledFiles(tree.root, files, labels, classes, tuple(left_out))
    return collect(found, reference.label, partial(_divide, tree), options=reference.options)


def _divide(tree: ImageTree, files: Sequence[ImageFile], labels: npt.NDArray[np.uint8]) -> Division:
    split, how = split_tree(tree, files, labels)
    told = "" if tree.parts == (None,) else " The folders do not tell whether one person is on several sides."
    return Division(split, f"IMED, {len(labels)} images of single emotions: {how}{told}")


DATA_SET: Final = DataSet(
    known=KnownData(
        name="imed",
        summary="IMED: Indonesian faces; its 7 single emotions are used, its 12 mixed ones left out (Liliana et "
        "al. 2018)",
        obtain="from its authors (Universitas Indonesia)",
        licence="research, by request to the authors",
        expects="a folder of one folder of images for each emotion",
        tree=("Anger/*.jpg ...", "Happy/*.jpg ...", "Angry-Disgust/*.jpg ...   (mixed: left out and counted)"),
        own_options=(GRAY_SIZE, GRAY_CHANNELS),
    ),
    layouts=(Layout("imed-folders", 1, find_imed),),
)
