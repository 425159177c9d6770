"""RAF-DB, basic expressions: a list of names and labels, and a folder of aligned faces.

Li, Deng & Du, Reliable Crowdsourcing and Deep Locality-Preserving Learning for Expression Recognition in the Wild,
CVPR 2017. The list says which images train and which test by the beginning of their names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.architectures.errors import UserError
from fbench.benchmark.data.dataset import ImageDataset, LeftOut
from fbench.benchmark.data.identity import file_key, listing_key, stamp
from fbench.benchmark.data.images.collect import Division, LabelledFiles, collect
from fbench.benchmark.data.images.decoding import DECODER
from fbench.benchmark.data.images.image_tree import ImageFile, PartName
from fbench.benchmark.data.layouts.class_names import FER2013_CLASSES
from fbench.benchmark.data.layouts.folders import draw_selection
from fbench.benchmark.data.source import DataReference

LIST_FILE: Final = Path("EmoLabel") / "list_patition_label.txt"
IMAGE_FOLDER: Final = Path("Image") / "aligned"
RAFDB_CODES: Final = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
"""The labels 1 to 7 of the list, by FER2013's names."""
MISSING: Final = "is in the list and not in the folder"
_LINE: Final = re.compile(r"(?P<stem>(?P<part>train|test)_\d+)\.(?P<suffix>\w+)\s+(?P<label>[1-7])", re.ASCII)


def rafdb_root(path: Path) -> Path | None:
    """The folder ``basic`` at or in ``path``, or None where there is no list."""
    return next((root for root in (path, path / "basic") if (root / LIST_FILE).is_file()), None)


def read_rafdb(root: Path, reference: DataReference) -> ImageDataset:
    """Read the aligned faces: ``test_*`` tests, a seeded stratified tenth of ``train_*`` selects, the rest trains.

    Images are ordered by split, then as in the list. Classes have FER2013's names and order.

    Raises:
        UserError: a bad line of the list (named by number), or no usable image.
    """
    files, labels, missing = listed_files(root)
    left_out = (LeftOut(reason=MISSING, names=tuple(missing)),) if missing else ()
    found = LabelledFiles(root, tuple(files), np.array(labels, np.uint8), FER2013_CLASSES, left_out)
    return collect(found, reference.label, _divide)


def rafdb_key(root: Path) -> str | None:
    """What identifies the content: the list, names and stamps of the faces; None while a file is too new to tell."""
    files, _, missing = listed_files(root)
    listing = listing_key((file.relative, file.seen) for file in files)
    return None if listing is None else f"{file_key(root / LIST_FILE)} {listing} {missing} {DECODER}"


def listed_files(root: Path) -> tuple[list[ImageFile], list[int], list[str]]:
    """The faces that the list names and the folder has, their labels, and the names that the folder lacks.

    Raises:
        UserError: the list cannot be read, or a line of it is not a name and a label.
    """
    list_file = root / LIST_FILE
    try:
        lines = list_file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{list_file} cannot be read ({error}); take a fresh copy of it.") from error
    files, labels, missing = [], [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise UserError(
                f"{list_file}, line {number}: {line[:40]!r} is not a name and a label from 1 to 7, such as "
                "'train_00001.jpg 5'; mend that line."
            )
        relative = (IMAGE_FOLDER / f"{match['stem']}_aligned.{match['suffix']}").as_posix()
        part: PartName = "train" if match["part"] == "train" else "test"
        try:
            seen = stamp((root / relative).stat())
        except OSError:
            missing.append(relative)
            continue
        name = RAFDB_CODES[int(match["label"]) - 1]
        files.append(ImageFile(relative, part, name, seen))
        labels.append(FER2013_CLASSES.index(name))
    return files, labels, missing


def _divide(files: Sequence[ImageFile], labels: npt.NDArray[np.uint8]) -> Division:
    parts = np.array([0 if file.part == "train" else 2 for file in files], np.uint8)
    split, share = draw_selection(parts, labels)
    return Division(
        split,
        f"RAF-DB, basic expressions, {len(labels)} aligned faces: test_* is the test split, train_* trains, and the "
        f"selection split is a seeded stratified {share.replace('train/', 'train_*')}.",
    )
