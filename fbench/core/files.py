"""Files and folders that appear whole or not at all, and places where they cannot appear, told before any work."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from fbench.core.contained import UNFINISHED, ContainedPath
from fbench.core.errors import UserError, readable

_LONGEST_NAME: Final = 255


@contextmanager
def replacing(path: Path | ContainedPath) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of ``path`` when the block ends well, and not before."""
    if isinstance(path, ContainedPath):
        with path.replacing() as stream:
            yield stream
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = unfinished_beside(path)
    try:
        with temporary.open("xb") as stream:
            yield stream
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def unfinished_beside(path: Path) -> Path:
    """A name beside ``path`` that nothing has, on the same file system, for what is not finished."""
    return path.parent / f"{UNFINISHED}{uuid.uuid4().hex}"


def require_writable_file(file: Path, what: str, option: str) -> None:
    """See that a file can be written, before the work of which it is the result; nothing is left behind.

    ``what`` is to be written, such as "The report"; ``option`` is how its place was given, such as ``--output``.

    Raises:
        UserError: it is a folder, a device or a link that leads nowhere, or lies where nothing can be written.
    """
    problem = _problem(file, folder=False)
    if problem is not None:
        raise UserError(
            f"{what} cannot be written to {readable(str(file))} ({problem}); name another file with {option}."
        )


def require_writable_folder(folder: Path, what: str, option: str) -> None:
    """As :func:`require_writable_file`, for a folder that is there or will be made with the folders above it.

    Raises:
        UserError: it is no folder, or nothing can be written there.
    """
    problem = _problem(folder, folder=True)
    if problem is not None:
        raise UserError(
            f"{what} cannot be written to {readable(str(folder))} ({problem}); name another folder with {option}."
        )


def _problem(path: Path, *, folder: bool) -> str | None:
    if "\0" in str(path):
        return "no name holds a null character"
    try:
        return _problem_of_target(path, folder=folder) or _problem_of_place(path if folder else path.parent, path)
    except OSError as error:
        return error.strerror or str(error)


def _problem_of_target(path: Path, *, folder: bool) -> str | None:
    if not os.path.lexists(path):
        return None
    if not path.exists():
        return "it is a link that leads nowhere"
    if path.is_dir() == folder:
        return None if folder or path.is_file() else "it is a device or pipe"
    if folder:
        return "it is no folder"
    return "it is a folder, and a file is to be written" if path.is_dir() else None


def _problem_of_place(folder: Path, path: Path) -> str | None:
    """Why nothing can be written in a folder that may still have to be made; a nameless file in the lowest folder that
    exists tells what permissions alone do not (read-only and virtual file systems)."""
    missing: list[str] = []
    existing = folder.absolute()
    while not os.path.lexists(existing):
        missing.append(existing.name)
        existing = existing.parent
    if not existing.is_dir():
        return f"{readable(str(existing))} is {'no folder' if existing.exists() else 'a link that leads nowhere'}"
    with tempfile.TemporaryFile(dir=existing):
        pass
    longest = os.pathconf(existing, "PC_NAME_MAX") if hasattr(os, "pathconf") else _LONGEST_NAME
    if any(len(os.fsencode(name)) > longest for name in (*missing, path.name)):
        return f"it has a name of more than {longest} bytes"
    return None
