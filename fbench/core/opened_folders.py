"""One step after another from a folder to what lies below it, following no link.

Every step is taken from an open folder to a name within it, where the system can do that (``openat`` with
``O_NOFOLLOW``); elsewhere every step is looked at before it is taken.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from fbench.core.errors import UserError, readable

_FROM_FOLDERS: Final = {os.open, os.stat, os.mkdir, os.unlink, os.rename, os.rmdir} <= os.supports_dir_fd
FOLDER: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)


class OutsideError(UserError):
    """A name or a link below a folder leads out of it."""


@contextmanager
def opened_below(root: Path, parts: Sequence[str], *, make: bool = False) -> Iterator[int | Path]:
    """A folder below ``root``, open, or its path where the system has no steps from open folders; ``make`` makes those
    that are missing.

    Raises:
        OutsideError: a step is a link.
        OSError: what the system refuses.
    """
    if not _FROM_FOLDERS:
        yield _looked_at(root, parts, make=make)
        return
    folder = os.open(root, FOLDER)
    try:
        for count, part in enumerate(parts, 1):
            try:
                try:
                    inner = os.open(part, FOLDER | NO_LINK, dir_fd=folder)
                except FileNotFoundError:  # seldom: folders are made once and opened often
                    if not make:
                        raise
                    with suppress(FileExistsError):
                        os.mkdir(part, dir_fd=folder)
                    inner = os.open(part, FOLDER | NO_LINK, dir_fd=folder)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR) and _is_link(part, folder):
                    raise link_error(root.joinpath(*parts[:count])) from error
                raise
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)


def link_error(place: Path) -> OutsideError:
    """What is raised of a link below a folder."""
    return OutsideError(
        f"{readable(str(place))} is a link, and in a run's folder none is followed; put the file or folder itself "
        "there, or remove the link."
    )


def _looked_at(root: Path, parts: Sequence[str], *, make: bool) -> Path:
    path = root
    for part in parts:
        path = path / part
        if path.is_symlink():
            raise link_error(path)
        if make:
            path.mkdir(exist_ok=True)
    return path


def _is_link(name: str, folder: int) -> bool:
    with suppress(OSError):
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    return False
