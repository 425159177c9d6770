"""CK+: the 48x48 crops of the extended Cohn-Kanade set, as class folders or as a CSV of pixels.

Lucey et al., The Extended Cohn-Kanade Dataset (CK+), CVPR workshops 2010.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from fbench.benchmark.data.identity import file_key
from fbench.benchmark.data.images.image_tree import subfolders, unwrapped
from fbench.benchmark.data.known import KnownData
from fbench.benchmark.data.layouts.ck_classes import CLASSES_OF_OPTION
from fbench.benchmark.data.layouts.ckplus import ck_class, read_ckplus
from fbench.benchmark.data.layouts.ckplus_csv import read_ckplus_csv
from fbench.benchmark.data.layouts.data_set import DataSet, Layout, Readable
from fbench.benchmark.data.layouts.readable_tree import readable_tree
from fbench.benchmark.data.options import FOLD, SPLIT, DataOption
from fbench.benchmark.data.source import ResolvedReference
from fbench.core.errors import UserError

_CSV_FILES: Final = ("ckextended.csv", "ck48.csv")


def find_ckplus(reference: ResolvedReference) -> Readable | None:
    """The folder CK+48, or a folder it lies in."""
    path = reference.path
    if not path.is_dir():
        return None
    root = path / "CK+48" if (path / "CK+48").is_dir() else unwrapped(path)
    if not any(ck_class(folder.name) for folder in subfolders(root)):
        return None
    return readable_tree(root, read_ckplus, reference)


def find_ckplus_csv(reference: ResolvedReference) -> Readable | None:
    """A CSV file, or a folder with one under its usual name or with one alone.

    Raises:
        UserError: a folder has several CSV files, none of them under the usual name.
    """
    file = path = reference.path
    if path.is_dir():
        inside = sorted(path.glob("*.csv"))
        usual = [path / name for name in _CSV_FILES if path / name in inside]
        if not inside:
            return None
        if len(inside) > 1 and not usual:
            raise UserError(
                f"{path} has {len(inside)} CSV files ({inside[0].name}, {inside[1].name}"
                f"{', ...' if len(inside) > 2 else ''}); give the one that holds CK+."
            )
        file = (usual or inside)[0]
    return Readable(file_key(file), partial(file_key, file), partial(read_ckplus_csv, file, reference))


DATA_SET: Final = DataSet(
    known=KnownData(
        name="ck48",
        summary="CK+: 48x48 faces of the last frames of 327 sequences, seven expressions (Lucey et al. 2010)",
        obtain="by agreement with the owners (University of Pittsburgh); the 48x48 crops circulate as CK+48 and "
        "ckextended.csv",
        licence="research by agreement; faces may not be published or passed on",
        expects="the folder CK+48 with its class folders of files named like S010_004_00000017.png, or a CSV with "
        "emotion, pixels and Usage such as ckextended.csv",
        tree=("CK+48/anger/S010_004_00000017.png ...", "ckextended.csv          emotion,pixels,Usage"),
        own_options=(
            DataOption(
                name="classes",
                allowed=tuple(CLASSES_OF_OPTION),
                help="contempt7: six basic expressions and contempt; basic6: without contempt; basic7: with "
                "neutral, where the source has it, and without contempt",
            ),
            SPLIT,
            FOLD,
        ),
    ),
    layouts=(Layout("ckplus-folders", 2, find_ckplus), Layout("ckplus-csv", 2, find_ckplus_csv)),
)
