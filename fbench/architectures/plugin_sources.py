"""The source files of a plug-in as one set: its own file, and those of the user's own that it imports.

What is found here was read, not run: imports are read off the text. Modules that were imported in another way are known
when the plug-in has been run, and are then added.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Final, Literal

from fbench.architectures.own_modules import Installed, Own, home_of, home_of_file, imports_of, is_file, loaded_own_file
from fbench.core.bounded import read_bytes
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError, readable
from fbench.core.hashing import canonical_json

_MOST_SOURCE_BYTES: Final = 4 * 2**20
_MOST_FILES: Final = 2000


@dataclass(frozen=True)
class PluginSources:
    """The bytes of a plug-in's files, by their paths from where Python finds them, with ``/``.

    Attributes:
        folder: where the plug-in lies.
        main: the plug-in itself.
        files: the contents; ``main`` among them.
        packages: the versions of the installed packages that the files import, but for PyTorch and NumPy.
        folders: where files lie that are not beside the plug-in.
    """

    folder: Path
    main: str
    files: Mapping[str, bytes]
    packages: Mapping[str, str] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over the names and contents of all files."""
        contents = {name: hashlib.sha256(text).hexdigest() for name, text in self.files.items()}
        return hashlib.sha256(canonical_json({"main": self.main, "files": contents}).encode()).hexdigest()

    @cached_property
    def identity(self) -> str:
        """SHA-256 (hex) of what networks of this plug-in are: the text of all files, line endings made equal, and the
        versions of packages. Where there is the plug-in alone, that of its text."""
        texts = {name: source_digest(text) for name, text in self.files.items() if name != self.main}
        main = source_digest(self.files[self.main])
        if not texts and not self.packages:
            return main
        content = {"main": main, "modules": texts, "packages": dict(self.packages)}
        return hashlib.sha256(canonical_json(content).encode()).hexdigest()

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where the files lie, the plug-in first."""
        return tuple(self.path_of(name) for name in sorted(self.files, key=lambda name: (name != self.main, name)))

    def path_of(self, name: str) -> Path:
        """Where a file lies."""
        return self.folders.get(name, self.folder) / name

    def written_to(self, folder: Path) -> PluginSources:
        """The same files in another folder, which gets a copy of their bytes."""
        for name, text in self.files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text)
        return PluginSources(folder, self.main, self.files, self.packages)

    def module_file(self, module: str) -> str | None:
        """The file of a module beside the plug-in, such as ``blocks`` or ``blocks.conv``; None for others."""
        stem = module.replace(".", "/")
        return next((name for name in (f"{stem}/__init__.py", f"{stem}.py") if name in self.beside), None)

    def is_folder(self, module: str) -> bool:
        """Whether a name is that of a package beside the plug-in without ``__init__.py``."""
        return any(name.startswith(f"{module.replace('.', '/')}/") for name in self.beside)

    @cached_property
    def beside(self) -> frozenset[str]:
        """The files that lie beside the plug-in, or below."""
        return frozenset(self.files) - frozenset(self.folders)

    @cached_property
    def tops(self) -> frozenset[str]:
        """The first parts of the names of all modules beside the plug-in."""
        return frozenset(name.partition("/")[0].removesuffix(".py") for name in self.beside)

    def with_loaded(self, modules: Iterable[ModuleType]) -> PluginSources:
        """The same with those modules of the user's own, of ``modules``, that were loaded from other files.

        Raises:
            UserError: one cannot be read, or there are too many.
        """
        found = _Set(self.folder / self.main, self.folder)
        found.files, found.folders, found.packages = dict(self.files), dict(self.folders), dict(self.packages)
        for module in modules:
            if (place := loaded_own_file(module)) is not None:
                name, folder = place
                if found.folders.get(name, folder) != folder:  # a path that the plug-in added comes before
                    del found.files[name]
                found.add(name, folder)
        found.follow_imports()
        return replace(self, files=found.files, folders=found.folders, packages=found.packages)


def source_digest(text: bytes) -> str:
    """SHA-256 (hex) of a source text, line endings made equal."""
    return hashlib.sha256(text.replace(b"\r\n", b"\n")).hexdigest()


def read_sources(file: Path, *, beside_alone: bool = False) -> PluginSources:
    """Read a plug-in with the modules of the user's own that it imports, and those that these import.

    A package is taken whole. Modules beside the plug-in come first, but for those of Python, fbench, PyTorch and NumPy;
    with ``beside_alone``, for code of others, the user's own modules elsewhere are none of it.

    Raises:
        UserError: a file is missing, no regular one, too large, or there are too many.
    """
    found = _Set(file, file.parent)
    found.add(file.name, file.parent)
    found.follow_imports("beside" if beside_alone else "anywhere")
    return PluginSources(file.parent, file.name, found.files, found.packages, found.folders)


def sources_of_module(module: str, file: Path) -> PluginSources:
    """The sources behind a module with this dotted name that Python has imported from a file: as of
    :func:`read_sources`, and its package with it; of one from an installed package the file, and the version.

    Raises:
        UserError: as of :func:`read_sources`.
    """
    home = home_of_file(module, file)
    folder = home.folder if isinstance(home, Own) else file.parent
    found = _Set(folder / file.relative_to(folder).as_posix(), folder)
    main = file.relative_to(folder).as_posix()
    found.add(main, folder)
    if isinstance(home, Installed):
        found.packages[home.package] = home.version
    else:
        if "/" in main:
            for name in _files_of(folder, module.partition(".")[0]):
                found.add(name, folder)
        found.follow_imports()
    return PluginSources(folder, main, found.files, found.packages, found.folders)


def sources_of_text(text: bytes, folder: Path) -> PluginSources:
    """The sources behind a text that is no file, as the cell of a notebook, run in a folder.

    Raises:
        UserError: as of :func:`read_sources`.
    """
    found = _Set(folder / "cell.py", folder)
    found.put("cell.py", text)
    found.follow_imports()
    return PluginSources(folder, "cell.py", found.files, found.packages, found.folders)


def read_copy(folder: ContainedPath, main: str) -> PluginSources:
    """Read a copy of a plug-in's files that has a folder of its own: all files there are of the set.

    Raises:
        UserError: a file is missing, no regular one, too large, or there are too many; or a link lies there.
    """
    found = _Set(folder.path / main, folder.path)
    for name, file in ((main, folder / main), *_files_below(folder)):
        found.add(name, folder.path, file)
    found.follow_imports("here already")
    return PluginSources(folder.path, main, found.files, found.packages)


class _Set:
    """The files that were found so far, of those that imports of theirs are still to be read off."""

    def __init__(self, main: Path, folder: Path) -> None:
        self._main, self._folder, self._waiting = main, folder, list[str]()
        self.files: dict[str, bytes] = {}
        self.folders: dict[str, Path] = {}
        self.packages: dict[str, str] = {}

    def add(self, name: str, folder: Path, file: ContainedPath | None = None) -> None:
        """Read a file, by its path from a folder where Python finds it."""
        if name in self.files:
            return
        if len(self.files) == _MOST_FILES:
            raise UserError(
                f"The plug-in {readable(str(self._main))} imports more than {_MOST_FILES} files of your own; move what "
                "it needs into a folder of its own."
            )
        self.put(name, _read(file or folder / name))
        if folder != self._folder:
            self.folders[name] = folder

    def put(self, name: str, text: bytes) -> None:
        """Add a text under the name of a file."""
        self.files[name] = text
        self._waiting.append(name)

    def follow_imports(self, own: Literal["anywhere", "beside", "here already"] = "anywhere") -> None:
        """Add what the files import: files of the user's own, where they may be, and packages."""
        while self._waiting:
            for top in sorted(imports_of(self.files[self._waiting.pop()])):
                home = home_of(top, self._folder)
                if isinstance(home, Installed):
                    self.packages[home.package] = home.version
                elif isinstance(home, Own) and (own == "anywhere" or (own == "beside" and home.folder == self._folder)):
                    for name in _files_of(home.folder, top):
                        self.add(name, home.folder)


def _read(file: Path | ContainedPath) -> bytes:
    try:
        return read_bytes(file, _MOST_SOURCE_BYTES)
    except FileNotFoundError as error:
        raise UserError(f"There is no plug-in file {readable(str(file))}; give the path of a Python file.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(
            f"The plug-in {readable(str(file))} cannot be read ({reason}); give the path of a Python file."
        ) from error


def _files_of(folder: Path, top: str) -> Iterator[str]:
    """The files of a module or package that lies in a folder, by their paths from there."""
    if is_file(folder / f"{top}.py") and not is_file(folder / top / "__init__.py"):
        yield f"{top}.py"
    else:
        yield from _python_files(folder, folder / top)


def _files_below(folder: ContainedPath, prefix: str = "") -> Iterator[tuple[str, ContainedPath]]:
    for name, is_folder in folder.entries().items():
        if is_folder:
            yield from _files_below(folder / name, f"{prefix}{name}/")
        elif name.endswith(".py"):
            yield f"{prefix}{name}", folder / name


def _python_files(folder: Path, below: Path) -> Iterator[str]:
    for where, folders, names in os.walk(below):
        folders[:] = sorted(name for name in folders if name.isidentifier())
        for name in sorted(names):
            if name.endswith(".py"):
                yield (PurePosixPath(Path(where).relative_to(folder)) / name).as_posix()
