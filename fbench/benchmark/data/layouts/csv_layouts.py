"""The layouts that are CSV files: FER2013, FERPlus beside it, and CK+."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from fbench.benchmark.data.identity import file_key
from fbench.benchmark.data.images.image_tree import part_folders
from fbench.benchmark.data.layouts.ckplus_csv import read_ckplus_csv
from fbench.benchmark.data.layouts.fer2013_csv import read_fer2013_csv
from fbench.benchmark.data.layouts.ferplus import VOTES_FILE, read_ferplus
from fbench.benchmark.data.layouts.readable import Readable
from fbench.benchmark.data.source import DataReference
from fbench.core.errors import UserError

_WHOLE_FILES: Final = ("fer2013.csv", "icml_face_data.csv")
_TRAINING_FILE: Final = "train.csv"
_CK_FILES: Final = ("ckextended.csv", "ck48.csv")


def find_fer2013_csv(reference: DataReference, path: Path) -> Readable | None:
    """A CSV, or a folder with one under its own name; a file with published splits wins.

    ``train.csv`` has no test part, so that image folders beside it, which may have one, win over it.
    """
    file = path
    if path.is_dir():
        names = _WHOLE_FILES if part_folders(path) else (*_WHOLE_FILES, _TRAINING_FILE)
        inside = [path / candidate for candidate in names if (path / candidate).is_file()]
        if not inside:
            return None
        file = inside[0]
    return Readable(file_key(file), partial(file_key, file), partial(read_fer2013_csv, file, reference.label))


def find_ferplus(reference: DataReference, path: Path) -> Readable | None:
    """A folder with the votes and FER2013's CSV, or either of the two files with the other beside it.

    Raises:
        UserError: the votes are there and no CSV with published splits.
    """
    folder = path if path.is_dir() else path.parent
    given_images = path.is_file() and path.name in _WHOLE_FILES
    votes = folder / VOTES_FILE if path.is_dir() or given_images else path
    if not votes.is_file():
        return None
    beside = [path] if given_images else [folder / name for name in _WHOLE_FILES if (folder / name).is_file()]
    if not beside:
        raise UserError(
            f"{folder} has {votes.name} and neither of {' and '.join(_WHOLE_FILES)}, which hold the images; put one of "
            "them beside it."
        )
    images = beside[0]

    def key() -> str:
        return f"{file_key(votes)} {file_key(images)}"

    return Readable(key(), key, partial(read_ferplus, votes, images, reference))


def find_ckplus_csv(reference: DataReference, path: Path) -> Readable | None:
    """A CSV file, or a folder with one under its usual name or with one alone.

    Raises:
        UserError: a folder has several CSV files, none of them under the usual name.
    """
    file = path
    if path.is_dir():
        inside = sorted(path.glob("*.csv"))
        usual = [path / name for name in _CK_FILES if path / name in inside]
        if not inside:
            return None
        if len(inside) > 1 and not usual:
            raise UserError(
                f"{path} has {len(inside)} CSV files ({inside[0].name}, {inside[1].name}"
                f"{', ...' if len(inside) > 2 else ''}); give the one that holds CK+."
            )
        file = (usual or inside)[0]
    return Readable(file_key(file), partial(file_key, file), partial(read_ckplus_csv, file, reference))
