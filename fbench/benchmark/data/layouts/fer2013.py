"""FER2013: as its CSV, or as image folders of the seven classes.

Goodfellow et al., Challenges in Representation Learning, ICML 2013 workshop.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from fbench.benchmark.data.identity import file_key
from fbench.benchmark.data.images.image_tree import ImageTree, part_folders, scan_tree, unwrapped
from fbench.benchmark.data.known import KnownData
from fbench.benchmark.data.layouts.class_folders import read_image_tree
from fbench.benchmark.data.layouts.class_names import FER2013_CLASSES, fer2013_class
from fbench.benchmark.data.layouts.data_set import DataSet, Layout, Readable
from fbench.benchmark.data.layouts.fer2013_csv import WHOLE_FILES, read_fer2013_csv
from fbench.benchmark.data.layouts.readable_tree import readable_tree
from fbench.benchmark.data.source import ResolvedReference
from fbench.core.errors import UserError

_TRAINING_FILE: Final = "train.csv"


def find_fer2013_csv(reference: ResolvedReference) -> Readable | None:
    """A CSV, or a folder with one under its own name; a file with published splits wins.

    ``train.csv`` has no test part, so that image folders beside it, which may have one, win over it.
    """
    file = reference.path
    if file.is_dir():
        names = WHOLE_FILES if part_folders(file) else (*WHOLE_FILES, _TRAINING_FILE)
        inside = [file / candidate for candidate in names if (file / candidate).is_file()]
        if not inside:
            return None
        file = inside[0]
    return Readable(file_key(file), partial(file_key, file), partial(read_fer2013_csv, file, reference.label))


def find_fer2013_folders(reference: ResolvedReference) -> Readable | None:
    """Folders train/ and test/, and perhaps val/, of the seven class folders."""
    root = unwrapped(reference.path) if reference.path.is_dir() else reference.path
    if not root.is_dir() or not part_folders(root):
        return None
    _require_fer2013_classes(scan_tree(root))
    return readable_tree(root, read_image_tree, reference)


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


DATA_SET: Final = DataSet(
    known=KnownData(
        name="fer2013",
        summary="FER2013: 35,887 gray 48x48 faces, seven expressions (Goodfellow et al. 2013)",
        obtain="Kaggle: the challenge 'Challenges in Representation Learning: Facial Expression Recognition', "
        "or its copies as image folders",
        licence="research under the rules of the challenge; the images are not to be passed on",
        expects="fer2013.csv, icml_face_data.csv, Kaggle's train.csv, a folder with one of them, "
        "or a folder with train/ and test/ (and perhaps val/) of the seven class folders",
        tree=(
            "fer2013.csv             emotion,pixels,Usage",
            "icml_face_data.csv      emotion, Usage, pixels",
            "train.csv (test.csv)    emotion,pixels (test.csv: pixels, no labels, so it is not used)",
            "train/angry/*.png  test/angry/*.png  [val/angry/*.png]  ...",
        ),
    ),
    layouts=(
        Layout("fer2013-csv", 2, find_fer2013_csv),
        Layout("fer2013-folders", 2, find_fer2013_folders),
    ),
)
