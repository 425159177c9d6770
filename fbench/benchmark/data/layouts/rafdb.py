"""RAF-DB, basic expressions: a list of names and labels, and a folder of aligned faces.

Li, Deng & Du, Reliable Crowdsourcing and Deep Locality-Preserving Learning for Expression Recognition in the Wild,
CVPR 2017. The list says which images train and which test by the beginning of their names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import ImageDataset, LeftOutImages
from fbench.benchmark.data.file_kinds import require_text
from fbench.benchmark.data.identity import Stamp, file_key, listing_key
from fbench.benchmark.data.images.collect import Division, LabelledFiles, collect
from fbench.benchmark.data.images.decoding import CONVERSION
from fbench.benchmark.data.images.image_tree import ImageFile, PartName, files_below, printable
from fbench.benchmark.data.known import KnownData
from fbench.benchmark.data.layouts.class_folders import draw_validation
from fbench.benchmark.data.layouts.class_names import FER2013_CLASSES
from fbench.benchmark.data.layouts.data_set import DataSet, Layout, Readable
from fbench.benchmark.data.options import GRAY_CHANNELS, GRAY_SIZE
from fbench.benchmark.data.source import ResolvedReference
from fbench.core.errors import UserError

LIST_FILE: Final = Path("EmoLabel") / "list_patition_label.txt"
IMAGE_FOLDER: Final = Path("Image") / "aligned"
RAFDB_CODES: Final = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
"""The labels 1 to 7 of the list, by FER2013's names."""
MISSING: Final = "is in the list and not in the folder"
NOT_LISTED: Final = "is in the folder and not in the list"
_LINE: Final = re.compile(r"(?P<stem>(?P<part>train|test)_\d+)\.(?P<suffix>\w+)\s+(?P<label>[1-7])", re.ASCII)


def find_rafdb(reference: ResolvedReference) -> Readable | None:
    """The folder basic of RAF-DB, or the folder it lies in."""
    root = rafdb_root(reference.path) if reference.path.is_dir() else None
    if root is None:
        return None
    return Readable(rafdb_key(root), partial(rafdb_key, root), partial(read_rafdb, root, reference))


def rafdb_root(path: Path) -> Path | None:
    """The folder ``basic`` at or in ``path``, or None where there is no list."""
    return next((root for root in (path, path / "basic") if (root / LIST_FILE).is_file()), None)


@dataclass(frozen=True)
class ListedFaces:
    """The faces that the list names and the folder has, with their labels, and what one of the two lacks."""

    files: tuple[ImageFile, ...]
    labels: tuple[int, ...]
    left_out: tuple[LeftOutImages, ...]


def read_rafdb(root: Path, reference: ResolvedReference) -> ImageDataset:
    """Read the aligned faces: ``test_*`` tests, a seeded stratified tenth of ``train_*`` selects, the rest trains.

    Images are ordered by split, then as in the list. Classes have FER2013's names and order.

    Raises:
        UserError: a bad line of the list (named by number), or no usable image.
    """
    faces = listed_faces(root)
    if not faces.files:
        raise UserError(f"{root / IMAGE_FOLDER} has none of the faces that {LIST_FILE} names; unpack them there.")
    labels = np.array(faces.labels, np.uint8)
    found = LabelledFiles(root, faces.files, labels, FER2013_CLASSES, faces.left_out)
    return collect(found, reference.label, _divide, options=reference.options)


def rafdb_key(root: Path) -> str | None:
    """What identifies the content: the list, names and stamps of the faces; None while a file is too new to tell."""
    faces = listed_faces(root)
    listing = listing_key((file.relative, file.seen) for file in faces.files)
    others = [part.model_dump() for part in faces.left_out]
    return None if listing is None else f"{file_key(root / LIST_FILE)} {listing} {others} {CONVERSION}"


def listed_faces(root: Path) -> ListedFaces:
    """Look up the faces of the list, in its order.

    Raises:
        UserError: the list or the folder cannot be read, or a line of the list is not a name and a label, or names a
            face a second time.
    """
    if not (root / IMAGE_FOLDER).is_dir():
        raise UserError(f"{root} has {LIST_FILE} and no folder {IMAGE_FOLDER}; unpack the aligned faces there.")
    present: dict[str, Stamp] = {}
    problems: dict[str, str] = {}
    for relative, seen, problem in files_below(str(root / IMAGE_FOLDER), IMAGE_FOLDER.as_posix()):
        if problem:
            problems[relative] = problem
        else:
            present[relative] = seen
    files, labels = [], []
    for relative, part, label in _listed(root / LIST_FILE):
        if relative in present:
            files.append(ImageFile(relative, part, FER2013_CLASSES[label], present.pop(relative)))
            labels.append(label)
        else:
            problems.setdefault(relative, MISSING)
    problems |= dict.fromkeys(present, NOT_LISTED)
    left_out = tuple(
        LeftOutImages(reason=reason, names=printable([name for name, why in problems.items() if why == reason]))
        for reason in dict.fromkeys(problems.values())
    )
    return ListedFaces(tuple(files), tuple(labels), left_out)


def _listed(list_file: Path) -> list[tuple[str, PartName, int]]:
    """Relative path, part and label of each line."""
    require_text(list_file, "take a fresh copy of it")
    try:
        lines = list_file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{list_file} cannot be read ({error}); take a fresh copy of it.") from error
    listed: dict[str, tuple[str, PartName, int]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise UserError(
                f"{list_file}, line {number}: {line[:40]!r} is not a name and a label from 1 to 7, such as "
                "'train_00001.jpg 5'; mend that line."
            )
        if match["stem"] in listed:
            raise UserError(f"{list_file}, line {number} names {match['stem']} a second time; keep one of the lines.")
        relative = (IMAGE_FOLDER / f"{match['stem']}_aligned.{match['suffix']}").as_posix()
        part: PartName = "train" if match["part"] == "train" else "test"
        listed[match["stem"]] = relative, part, FER2013_CLASSES.index(RAFDB_CODES[int(match["label"]) - 1])
    return list(listed.values())


def _divide(files: Sequence[ImageFile], labels: npt.NDArray[np.uint8]) -> Division:
    parts = np.array([0 if file.part == "train" else 2 for file in files], np.uint8)
    split, share = draw_validation(parts, labels)
    return Division(
        split,
        f"RAF-DB, basic expressions, {len(labels)} aligned faces: test_* is the test split, train_* trains, and the "
        f"validation split is a seeded stratified {share.replace('train/', 'train_*')}.",
    )


DATA_SET: Final = DataSet(
    known=KnownData(
        name="rafdb",
        summary="RAF-DB basic: 15,339 faces from the web, seven expressions (Li, Deng & Du 2017)",
        obtain="by request from whdeng.cn/RAF/model1.html",
        licence="non-commercial research; images may not be passed on",
        expects="the folder basic of RAF-DB, with EmoLabel/list_patition_label.txt and Image/aligned",
        tree=(
            "EmoLabel/list_patition_label.txt   train_00001.jpg 5",
            "Image/aligned/train_00001_aligned.jpg",
        ),
        own_options=(GRAY_SIZE, GRAY_CHANNELS),
    ),
    layouts=(Layout("rafdb-basic", 1, find_rafdb),),
)
