"""Files below a folder that may be somebody else's: no link is followed, and nothing outside is reached.

The folder itself may be reached by a link. Below it every step is one of :mod:`fbench.core.opened_folders`.
"""

from __future__ import annotations

import os
import shutil
import stat
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, TypedDict

from fbench.core.errors import readable
from fbench.core.opened_folders import NO_LINK, OutsideError, link_error, opened_below
from fbench.core.paths import expanded

UNFINISHED: Final = ".writing-"
"""How names of files and folders begin that were not finished; a process that was killed leaves them behind."""

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_ANEW: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_SEPARATORS: Final = frozenset("/\\\0")


class _At(TypedDict, total=False):
    dir_fd: int


@dataclass(frozen=True)
class ContainedPath:
    """A path below ``root``, by the names of its ``parts``.

    ``before_writing`` is called before anything is written there, and raises where nothing may be.

    Every method raises:
        OutsideError: a part is no plain name, or a link.
        OSError: what the system refuses, with the whole path.
    """

    root: Path
    parts: tuple[str, ...] = ()
    before_writing: Callable[[], None] | None = field(default=None, compare=False, repr=False)

    def __truediv__(self, name: str) -> ContainedPath:
        """What is called ``name`` in this folder."""
        if not name or name in (".", "..") or _SEPARATORS & set(name) or (os.name == "nt" and ":" in name):
            raise OutsideError(
                f"{readable(str(self))} is to hold a file or folder called '{readable(name)}', which is no plain name; "
                "give it one without slashes."
            )
        return ContainedPath(self.root, (*self.parts, name), self.before_writing)

    def __str__(self) -> str:
        return str(self.root.joinpath(*self.parts))

    @property
    def path(self) -> Path:
        """The path for a sentence; whatever opens it is not kept from following links."""
        return self.root.joinpath(*self.parts)

    @property
    def name(self) -> str:
        """The last part."""
        return self.parts[-1] if self.parts else self.root.name

    @property
    def parent(self) -> ContainedPath:
        """The folder around it."""
        return ContainedPath(self.root, self.parts[:-1], self.before_writing)

    # --- looking

    def is_file(self) -> bool:
        """Whether a regular file is there."""
        mode = self._mode()
        return mode is not None and stat.S_ISREG(mode)

    def is_folder(self) -> bool:
        """Whether a folder is there."""
        mode = self._mode()
        return mode is not None and stat.S_ISDIR(mode)

    def exists(self) -> bool:
        """Whether anything is there, a folder, pipe or device too."""
        return self._mode() is not None

    def names(self) -> list[str]:
        """What is in this folder, in the order of the alphabet; nothing where there is no folder."""
        try:
            with self.opened() as folder:
                return sorted(os.listdir(folder))  # noqa: PTH208 - an open folder
        except (FileNotFoundError, NotADirectoryError):
            return []

    def inode(self) -> int | None:
        """What tells a file from another one that is put in its place; none where there is none."""
        with suppress(FileNotFoundError, NotADirectoryError), self._naming(), self._around() as (name, at):
            return os.stat(name, follow_symlinks=False, **at).st_ino  # noqa: PTH116 - from an open folder
        return None

    def entries(self) -> dict[str, bool]:
        """The names, as :meth:`names` has them, and whether each is a folder and no link to one."""
        try:
            with self.opened() as folder, os.scandir(folder) as found:
                return dict(sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in found))
        except (FileNotFoundError, NotADirectoryError):
            return {}

    def descriptor(self, flags: int) -> int:
        """The file, opened with ``flags`` of :func:`os.open`; for who looks at what was opened."""
        with self._naming(), self._around() as (name, at):
            self._refuse_link(name, at)
            return os.open(name, flags | NO_LINK, 0o666, **at)

    # --- writing

    def make_folder(self) -> ContainedPath:
        """This folder, made with those around it where they are missing."""
        self._may_write()
        self.root.mkdir(parents=True, exist_ok=True)
        with self._naming(), self.opened(make=True):
            return self

    @contextmanager
    def replacing(self) -> Iterator[IO[bytes]]:
        """Open a file that takes the place of this one when the block ends well, and not before.

        In a folder of :meth:`replacing_folder` it is written where it is: the folder takes its place as a whole.
        """
        if any(part.startswith(UNFINISHED) for part in self.parts[:-1]):
            self._may_write()
            if not self.parts[-2].startswith(UNFINISHED):
                self.parent.make_folder()
            with open(self.descriptor(_ANEW), "wb") as stream:  # noqa: PTH123 - opened below the root
                yield stream
            return
        self.parent.make_folder()
        with self._naming(), self._around() as (name, at):
            self._refuse_link(name, at)
            temporary = name.parent / _unfinished() if isinstance(name, Path) else _unfinished()
            try:
                with open(os.open(temporary, _NEW, 0o666, **at), "wb") as stream:  # noqa: PTH123 - opened below the root
                    yield stream
                _rename(temporary, name, at)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, **at)
                raise

    @contextmanager
    def replacing_folder(self) -> Iterator[ContainedPath]:
        """An empty folder that takes the place of this one when the block ends well, and not before."""
        self.parent.make_folder()
        temporary = self.parent / _unfinished()
        temporary.make_folder()
        try:
            yield temporary
            self._take(temporary)
        except BaseException:
            temporary.remove()
            raise

    def _take(self, sibling: ContainedPath) -> None:
        """Move what lies beside this into its place."""
        self._may_write()
        self.remove()
        with self._naming(), self._around() as (name, at):
            source = name.with_name(sibling.name) if isinstance(name, Path) else sibling.name
            _rename(source, name, at)

    def take(self, source: Path) -> None:
        """Move a file or folder of the same file system, which is this process's own, here; a file at once."""
        self.parent.make_folder()
        if source.is_dir() or self.is_folder():
            self.remove()
        with self._naming(), self._around() as (name, at):
            if at:
                os.rename(source, name, dst_dir_fd=at["dir_fd"])
            else:
                os.replace(source, name)  # noqa: PTH105 - as above

    def move_here(self, other: ContainedPath) -> None:
        """Move a file or folder of the same root into this place, where nothing is."""
        self.parent.make_folder()
        with self._naming(), self._around() as (name, at), other._around() as (source, source_at):
            if at and source_at:
                os.rename(source, name, src_dir_fd=source_at["dir_fd"], dst_dir_fd=at["dir_fd"])
            else:
                os.replace(source, name)  # noqa: PTH105 - both are paths here

    def copy_files(self, other: ContainedPath) -> None:
        """Copy the regular files of another folder into this one.

        Raises:
            OutsideError: the other has a link, a pipe or a device among them.
        """
        for name in other.names():
            source = other / name
            if source.is_folder():
                continue
            if not source.is_file():
                raise OutsideError(f"{readable(str(source))} is no file but a pipe or device; remove it.")
            descriptor = source.descriptor(os.O_RDONLY | getattr(os, "O_BINARY", 0))
            with open(descriptor, "rb") as found, (self / name).replacing() as stream:  # noqa: PTH123 - open already
                shutil.copyfileobj(found, stream)

    def remove(self) -> None:
        """Remove a file, or a folder with all that is in it, without following a link; nothing where there is none."""
        try:
            mode = self._mode()
        except OutsideError:
            if self._parent_leads_out():
                raise
            mode = stat.S_IFLNK
        if mode is None:
            return
        with self._naming(), self._around() as (name, at):
            if stat.S_ISDIR(mode):
                self._remove_folder(name, at)
            else:
                os.unlink(name, **at)

    def _remove_folder(self, name: str | Path, at: _At) -> None:
        try:
            try:
                shutil.rmtree(name, **at)
            except PermissionError:  # as after a umask that somebody's network set
                self._let_in()
                shutil.rmtree(name, **at)
        except RecursionError:  # of Python before 3.13
            raise OutsideError(
                f"{readable(str(self))} has folders in folders, a thousand and more deep, which nothing of fbench's "
                "makes; remove it."
            ) from None

    def _let_in(self) -> None:
        """Let the owner look and write into this folder and all below it, as far as the system lets that be done."""
        waiting = [self]
        while waiting:
            folder = waiting.pop()
            with suppress(OSError), folder._around() as (name, at):
                os.chmod(name, 0o700, **at)  # noqa: PTH101 - from an open folder
                waiting += [folder / one for one, is_folder in folder.entries().items() if is_folder]

    # --- one step at a time

    def _may_write(self) -> None:
        if self.before_writing is not None:
            self.before_writing()

    def _parent_leads_out(self) -> bool:
        try:
            with self._around():
                return False
        except OutsideError:
            return True

    def _mode(self) -> int | None:
        try:
            with self._naming(), self._around() as (name, at):
                mode = os.stat(name, follow_symlinks=False, **at).st_mode  # noqa: PTH116 - from an open folder
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.S_ISLNK(mode):
            raise link_error(self.path)
        return mode

    def opened(self, *, make: bool = False) -> AbstractContextManager[int | Path]:
        """This folder, reached step by step from the root: open, or its path where the system has no such steps."""
        return opened_below(self.root, self.parts, make=make)

    @contextmanager
    def _around(self) -> Iterator[tuple[str | Path, _At]]:
        """The folder around this, open, and the name in it, as the functions of :mod:`os` take them."""
        if not self.parts:
            yield self.root, {}
            return
        with self.parent.opened() as folder:
            if isinstance(folder, int):
                yield self.parts[-1], {"dir_fd": folder}
            else:
                yield folder / self.parts[-1], {}

    def _refuse_link(self, name: str | Path, at: _At) -> None:
        with suppress(FileNotFoundError):
            if stat.S_ISLNK(os.stat(name, follow_symlinks=False, **at).st_mode):  # noqa: PTH116 - as above
                raise link_error(self.path)

    @contextmanager
    def _naming(self) -> Iterator[None]:
        """Give what the system refuses the whole path in place of a single name."""
        try:
            yield
        except OSError as error:
            if error.errno is not None:
                error.filename = str(self)
            raise


def refuse_links_below(path: Path, folders: Iterable[Path]) -> None:
    """See that a file or folder that a user named is reached by no link below one of these folders.

    Raises:
        OutsideError: it is.
    """
    for folder in folders:
        root = expanded(folder).absolute()
        with suppress(ValueError):
            ContainedPath(folder, Path(os.path.normpath(path.absolute())).relative_to(root).parts).exists()


def _unfinished() -> str:
    return f"{UNFINISHED}{uuid.uuid4().hex}"


def _rename(source: str | Path, target: str | Path, at: _At) -> None:
    if at:
        os.rename(source, target, src_dir_fd=at["dir_fd"], dst_dir_fd=at["dir_fd"])
    else:
        os.replace(source, target)  # noqa: PTH105 - both are strings elsewhere
