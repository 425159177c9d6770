"""The files of a folder of images: the part and class folder of each, and the order they are read in."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from fbench.benchmark.data.dataset import LeftOutImages
from fbench.benchmark.data.identity import Stamp, listing_key, stamp
from fbench.benchmark.data.images.decoding import CONVERSION, IMAGE_SUFFIXES, UNREAD_SUFFIXES
from fbench.core.errors import UserError, readable, storable

PartName = Literal["train", "val", "test"]
_PART_SPELLINGS: Final[dict[PartName, tuple[str, ...]]] = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
PARTS: Final = tuple(_PART_SPELLINGS)
NO_IMAGE_SUFFIX: Final = "is no image file by its suffix"
UNREAD_FORMAT: Final = "is in an image format that is not read; convert it to PNG"
NO_CLASS_FOLDER: Final = "lies in no class folder"
BROKEN_LINK: Final = "is a link that leads nowhere"
FOLDER_LINK: Final = "is a link to a folder, which is not followed"
NO_FILE: Final = "is a pipe or device"
_DEEPEST_WRAPPER: Final = 2
_NO_STAMP: Final[Stamp] = (0, 0, 0, 0)


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
    """The images below ``root`` in order, the class folders of each part, and the files that are none.

    The order is by file name, then path.
    """

    root: Path
    files: tuple[ImageFile, ...]
    class_folders: dict[PartName | None, tuple[str, ...]]
    left_out: tuple[LeftOutImages, ...]

    @property
    def parts(self) -> tuple[PartName | None, ...]:
        """The parts that have a folder, in the order train, val, test; (None,) in a tree without."""
        return tuple(self.class_folders)

    @property
    def key(self) -> str | None:
        """What identifies the content: names, stamps and the rule of conversion; None while a file is too new."""
        listing = listing_key((file.relative, file.seen) for file in self.files)
        folders = [(part, *names) for part, names in self.class_folders.items()]
        others = [part.model_dump() for part in self.left_out]
        return None if listing is None else f"{listing} {folders} {others} {CONVERSION}"


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
    """The folders in ``folder`` by name, without hidden ones, links, and those that macOS puts into archives."""
    return sorted(
        child
        for child in folder.iterdir()
        if child.is_dir() and not child.is_symlink() and not child.name.startswith(".") and child.name != "__MACOSX"
    )


def unwrapped(root: Path) -> Path:
    """The folder that holds the parts or classes: ``root``, or the single folder within it, two levels down at most.

    Archives often unpack to ``images/train`` or ``fer2013/images/train``. A single folder that holds images itself is
    a class and no wrapper, and a folder with images beside it wraps nothing.
    """
    for _ in range(_DEEPEST_WRAPPER):
        inside = subfolders(root)
        if part_folders(root) or len(inside) != 1 or _loose_images(root) or _loose_images(inside[0]):
            return root
        root = inside[0]
    return root


def scan_tree(root: Path) -> ImageTree:
    """List the images of ``root``: class folders below part folders, or class folders alone.

    Raises:
        UserError: a folder cannot be looked at, two folders are the same part, images lie beside the folders of
            parts or classes, or a class folder has a name that cannot name a class.
    """
    parts: Mapping[PartName, Path] | Mapping[None, Path] = part_folders(root) or {None: root}
    _require_one_layout(root, parts)
    for folder in parts.values():
        _require_names_of_classes(folder)
    return _scan(root, list(parts.items()))


def scan_classes(root: Path, tops: Sequence[Path], ignored: str) -> ImageTree:
    """List the images of class folders that lie in several folders at or below ``root``, without parts.

    ``ignored`` is a file that is no image and not worth a word: the class map itself.

    Raises:
        UserError: a folder cannot be looked at.
    """
    return _scan(root, [(None, top) for top in tops], ignored)


def _scan(root: Path, tops: Sequence[tuple[PartName | None, Path]], ignored: str = "") -> ImageTree:
    files: list[ImageFile] = []
    class_folders: dict[PartName | None, tuple[str, ...]] = {}
    others: dict[str, list[str]] = {}
    for part, folder in tops:
        classes = subfolders(folder)
        names = (*class_folders.get(part, ()), *(child.name for child in classes))
        class_folders[part] = tuple(dict.fromkeys(names))
        for odd, reason in _outside_classes(folder):
            others.setdefault(reason, []).append(odd.relative_to(root).as_posix())
        for class_folder in classes:
            start = class_folder.relative_to(root).as_posix()
            for relative, seen, problem in files_below(str(class_folder), start):
                if problem or not is_image_name(relative):
                    others.setdefault(problem or _why_no_image(relative), []).append(relative)
                else:
                    files.append(ImageFile(relative, part, class_folder.name, seen))
    files.sort(key=lambda file: (file.file_name, file.relative))
    left_out = tuple(
        LeftOutImages(reason=reason, names=printable(sorted(found)))
        for reason, names in others.items()
        if (found := [name for name in names if name.rpartition("/")[2] != ignored])
    )
    return ImageTree(root, tuple(files), class_folders, left_out)


def printable(names: list[str]) -> tuple[str, ...]:
    """Names with bytes that are no text written as escapes, so that they can be stored and shown."""
    return tuple(storable(name) for name in names)


def is_image_name(name: str) -> bool:
    """Whether a file is an image by its suffix, and not hidden."""
    return f".{name.rpartition('.')[2].lower()}" in IMAGE_SUFFIXES and not name.rpartition("/")[2].startswith(".")


def _why_no_image(name: str) -> str:
    return UNREAD_FORMAT if PurePosixPath(name).suffix.lower() in UNREAD_SUFFIXES else NO_IMAGE_SUFFIX


def _outside_classes(folder: Path) -> Iterator[tuple[Path, str]]:
    """Images and links that lie in a folder of class folders and belong to no class, and why."""
    for child in sorted(folder.iterdir()):
        if child.is_file():
            if is_image_name(child.name):
                yield child, NO_CLASS_FOLDER
        elif child.is_symlink() and not child.name.startswith("."):
            yield child, FOLDER_LINK if child.is_dir() else BROKEN_LINK


def _loose_images(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if is_image_name(child.name) and child.is_file())


def _require_names_of_classes(folder: Path) -> None:
    """A class is called what its folder is, in tables, JSON and figures, so that the name must be text of one line."""
    for child in subfolders(folder):
        shown = readable(child.name)
        if shown == child.name:
            continue
        if any("\ud800" <= letter <= "\udfff" for letter in child.name):
            raise UserError(
                f"{folder} has the class folder '{shown}', whose name is not UTF-8 (names from an archive of another "
                "system often are not); rename it, for all at once with `convmv -f gbk -t utf8 -r --notest`, or unpack "
                "the archive again with the right encoding."
            )
        raise UserError(f"{folder} has the class folder '{shown}', whose name has a control character; rename it.")


def _require_one_layout(root: Path, parts: Mapping[PartName, Path] | Mapping[None, Path]) -> None:
    loose, beside = _loose_images(root), subfolders(root)
    if loose and beside:
        raise UserError(
            f"{root} has images such as {loose[0].name} beside the folder {beside[0].name}/, so it is not clear what "
            "they show; move them into a class folder or away."
        )
    if None in parts:
        return
    known = set(parts.values())
    for folder in subfolders(root):
        if folder in known:
            continue
        if any(is_image_name(relative) for relative, _, _ in files_below(str(folder), folder.name)):
            names = ", ".join(f"{child.name}/" for child in parts.values())
            raise UserError(
                f"{root} has images in {folder.name}/ beside {names}, so it is not clear which split they belong to; "
                f"move that folder away or into one of them."
            )


def files_below(folder: str, relative: str) -> Iterator[tuple[str, Stamp, str]]:
    """Relative path, stamp and problem of each file below a folder that is not hidden, by name.

    ``relative`` is what the paths begin with, if anything. The problem is empty, or says why a link or a pipe is not
    read: links to folders are not followed, so that circles of links end.

    Raises:
        UserError: a folder cannot be looked at.
    """
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(f"{folder} cannot be read ({error.strerror}); mend or remove it.") from error
    for entry in listed:
        if entry.name.startswith("."):
            continue
        below = f"{relative}/{entry.name}" if relative else entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from files_below(entry.path, below)
            continue
        try:
            status = entry.stat()
        except OSError:  # the link leads nowhere, or in a circle
            yield below, _NO_STAMP, BROKEN_LINK
            continue
        if stat.S_ISDIR(status.st_mode):
            yield below, _NO_STAMP, FOLDER_LINK
        elif stat.S_ISREG(status.st_mode):
            yield below, stamp(status), ""
        else:
            yield below, _NO_STAMP, NO_FILE
