"""Many folders side by side that hold files of the same names, as those of a run's trials: looked at and read with a
few calls of the system each, and no more trust than :mod:`fbench.core.contained` has."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from fbench.core.bounded import MOST_JSON_BYTES, read_bytes
from fbench.core.contained import UNFINISHED, ContainedPath
from fbench.core.opened_folders import FOLDER, NO_LINK


class Signature(NamedTuple):
    """What changes when a file is written, replaced or touched, by whatever means: its time of change cannot be set."""

    inode: int
    size: int
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True)
class Sibling:
    """One of the folders, open."""

    place: ContainedPath
    _descriptor: int | None

    def signature(self, file: str) -> Signature | None:
        """Of a regular file; none where there is none.

        Raises:
            OutsideError: it is a link.
        """
        try:
            if self._descriptor is None:
                found = os.stat(self.place.path / file, follow_symlinks=False)  # noqa: PTH116 - as below
            else:
                found = os.stat(file, dir_fd=self._descriptor, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.S_ISREG(found.st_mode):
            return Signature(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        if stat.S_ISLNK(found.st_mode):
            (self.place / file).exists()  # says so
        return None

    def content(self, file: str, most_bytes: int = MOST_JSON_BYTES) -> bytes:
        """Of a regular file.

        Raises:
            OSError: there is none, or it cannot be read.
            ValueError: it is no regular file, or larger.
            OutsideError: it is a link.
        """
        if self._descriptor is None:
            return read_bytes(self.place / file, most_bytes)
        try:
            opened = os.open(file, _READ | NO_LINK, dir_fd=self._descriptor)
        except OSError:
            return read_bytes(self.place / file, most_bytes)  # has the words for it
        try:
            found = os.fstat(opened)
            if stat.S_ISREG(found.st_mode) and found.st_size <= most_bytes:
                content = os.read(opened, found.st_size + 1)
                if len(content) == found.st_size:
                    return content
        finally:
            os.close(opened)
        return read_bytes(self.place / file, most_bytes)


_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


@contextmanager
def _opened(place: ContainedPath, around: object) -> Iterator[Sibling | None]:
    if not isinstance(around, int):
        yield Sibling(place, None) if place.is_folder() else None
        return
    try:
        descriptor = os.open(place.name, FOLDER | NO_LINK, dir_fd=around)
    except OSError:
        yield Sibling(place, None) if place.is_folder() else None  # a link is said there
        return
    try:
        yield Sibling(place, descriptor)
    finally:
        os.close(descriptor)


def siblings(folder: ContainedPath, names: Sequence[str] | None = None) -> Iterator[Sibling]:
    """The folders in a folder, in the order of the alphabet, each open until the next is asked for; those that were not
    finished are left out. With ``names`` those of them that are there, in this order.

    Raises:
        OutsideError: one is a link.
        OSError: the folder cannot be read.
    """
    wanted = [name for name in folder.names() if not name.startswith(UNFINISHED)] if names is None else names
    if not wanted:
        return
    with folder.opened() as around:
        for name in wanted:
            with _opened(folder / name, around) as found:
                if found is not None:
                    yield found
