"""The files of a folder of images: the part and class folder of each, and the order they are read in."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from fbench.architectures.errors import UserError
from fbench.benchmark.data.identity import Stamp, listing_key, stamp
from fbench.benchmark.data.images.decoding import DECODER, IMAGE_SUFFIXES

PartName = Literal["train", "val", "test"]
_PART_SPELLINGS: Final[dict[PartName, tuple[str, ...]]] = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
PARTS: Final = tuple(_PART_SPELLINGS)


@dataclass(frozen=True)
class ImageFile:
    """One image: its relative path in posix form, its part (None in a tree without) and its class folder."""

    relative: str
    part: PartName | None
    class_folder: str
    seen: Stamp

    @property
    def file_name(self) -> str:
        """The last component of the path."""
        return self.relative.rpartition("/")[2]


@dataclass(frozen=True)
class ImageTree:
    """The images below ``root`` in order, the class folders of each part, the number of other files.

    The order is by file name, then path.
    """

    root: Path
    files: tuple[ImageFile, ...]
    class_folders: dict[PartName | None, tuple[str, ...]]
    left_out: int

    @property
    def parts(self) -> tuple[PartName | None, ...]:
        """The parts that have a folder, in the order train, val, test; (None,) in a tree without."""
        return tuple(self.class_folders)

    @property
    def key(self) -> str | None:
        """What identifies the content: names, stamps and decoder; None while a file is too new to tell."""
        listing = listing_key((file.relative, file.seen) for file in self.files)
        folders = [(part, *names) for part, names in self.class_folders.items()]
        return None if listing is None else f"{listing} {folders} {self.left_out} {DECODER}"


def part_folders(root: Path) -> dict[PartName, Path]:
    """The folders of ``root`` that are parts, in usual spellings and any case, in the order train, val, test.

    Raises:
        UserError: two folders are the same part.
    """
    found: dict[PartName, Path] = {}
    folders = subfolders(root)
    for part, spellings in _PART_SPELLINGS.items():
        meant = [folder for folder in folders if folder.name.lower() in spellings]
        if len(meant) > 1:
            raise UserError(
                f"{root} has the folders {meant[0].name}/ and {meant[1].name}/, which both mean '{part}'; "
                "keep one of them."
            )
        if meant:
            found[part] = meant[0]
    return found


def subfolders(folder: Path) -> list[Path]:
    """The folders in ``folder`` by name, without hidden ones and those that macOS puts into archives."""
    return sorted(
        child
        for child in folder.iterdir()
        if child.is_dir() and not child.name.startswith(".") and child.name != "__MACOSX"
    )


def scan_tree(root: Path) -> ImageTree:
    """List the images of ``root``: class folders below part folders, or class folders alone.

    Raises:
        UserError: a file cannot be looked at, or two folders are the same part.
    """
    parts: Mapping[PartName, Path] | Mapping[None, Path] = part_folders(root) or {None: root}
    files: list[ImageFile] = []
    class_folders: dict[PartName | None, tuple[str, ...]] = {}
    left_out = 0
    for part, folder in parts.items():
        classes = subfolders(folder)
        class_folders[part] = tuple(child.name for child in classes)
        for class_folder in classes:
            start = class_folder.relative_to(root).as_posix()
            for relative, seen in _files_below(str(class_folder), start):
                if f".{relative.rpartition('.')[2].lower()}" in IMAGE_SUFFIXES:
                    files.append(ImageFile(relative, part, class_folder.name, seen))
                else:
                    left_out += 1
    files.sort(key=lambda file: (file.file_name, file.relative))
    return ImageTree(root, tuple(files), class_folders, left_out)


def _files_below(folder: str, relative: str) -> Iterator[tuple[str, Stamp]]:
    """Relative path and stamp of each file that is not hidden; links to folders are not followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            below = f"{relative}/{entry.name}"
            try:
                if entry.is_dir(follow_symlinks=False):
                    yield from _files_below(entry.path, below)
                else:
                    status = entry.stat()
                    if stat.S_ISREG(status.st_mode):
                        yield below, stamp(status)
            except OSError as error:
                raise UserError(f"{entry.path} cannot be read ({error.strerror}); mend or remove it.") from error
