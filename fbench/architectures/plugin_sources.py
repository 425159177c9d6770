"""The source files of a plug-in as one set with one digest: its own file, and those beside it that it imports.

What is found here was read, not run: imports are read off the text. A file that is imported in another way is no part
of the set, and is not found when the set is run from a private copy.
"""

from __future__ import annotations

import ast
import hashlib
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

from fbench.core.bounded import read_bytes
from fbench.core.errors import UserError, readable
from fbench.core.hashing import canonical_json

_MOST_SOURCE_BYTES: Final = 4 * 2**20
_MOST_FILES: Final = 500
_NEVER_BESIDE: Final = frozenset(sys.stdlib_module_names) | {"fbench", "torch", "numpy"}


@dataclass(frozen=True)
class PluginSources:
    """The bytes of a plug-in's files, by their paths from ``folder`` with ``/``; ``main`` is the plug-in itself."""

    folder: Path
    main: str
    files: Mapping[str, bytes]

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over the names and contents of all files."""
        contents = {name: hashlib.sha256(text).hexdigest() for name, text in self.files.items()}
        return hashlib.sha256(canonical_json({"main": self.main, "files": contents}).encode()).hexdigest()

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where the files lie, the plug-in first."""
        return tuple(self.folder / name for name in sorted(self.files, key=lambda name: (name != self.main, name)))

    def written_to(self, folder: Path) -> PluginSources:
        """The same files in another folder, which gets a copy of their bytes."""
        for name, text in self.files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text)
        return PluginSources(folder, self.main, self.files)

    def module_file(self, module: str) -> str | None:
        """The file of a module that the plug-in imports, such as ``blocks`` or ``blocks.conv``; None for others."""
        stem = module.replace(".", "/")
        return next((name for name in (f"{stem}/__init__.py", f"{stem}.py") if name in self._siblings), None)

    @cached_property
    def _siblings(self) -> frozenset[str]:
        return frozenset(self.files) - {self.main}


def read_sources(file: Path) -> PluginSources:
    """Read a plug-in with the modules beside it that it imports, and those that these import.

    A package is taken whole. Modules of Python, of fbench, PyTorch and NumPy are never taken from beside a plug-in.

    Raises:
        UserError: a file is missing, no regular one, too large, or there are too many.
    """
    folder = file.parent
    files = {file.name: _read(file)}
    waiting = [file.name]
    while waiting:
        for top in _imported(files[waiting.pop()]) - _NEVER_BESIDE:
            for name in _files_of(folder, top):
                if name not in files:
                    if len(files) == _MOST_FILES:
                        raise UserError(
                            f"The plug-in {readable(str(file))} imports more than {_MOST_FILES} files beside it; move "
                            "what it needs into a folder of its own."
                        )
                    files[name] = _read(folder / name)
                    waiting.append(name)
    return PluginSources(folder, file.name, files)


def _read(file: Path) -> bytes:
    try:
        return read_bytes(file, _MOST_SOURCE_BYTES)
    except FileNotFoundError as error:
        raise UserError(f"There is no plug-in file {readable(str(file))}; give the path of a Python file.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(
            f"The plug-in {readable(str(file))} cannot be read ({reason}); give the path of a Python file."
        ) from error


def _imported(text: bytes) -> frozenset[str]:
    """The first parts of the names that a text imports from anywhere but its own package."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in strings, which running it tells
            tree = ast.parse(text)
            nodes = list(ast.walk(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()  # running it says what is wrong
    modules = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    return frozenset(module.partition(".")[0] for module in modules)


def _files_of(folder: Path, top: str) -> Iterator[str]:
    """The files of a module or package that lies in a folder, by their paths from there."""
    if _is_file(folder / top / "__init__.py"):
        for where, folders, names in os.walk(folder / top):
            folders[:] = sorted(name for name in folders if name.isidentifier())
            for name in sorted(names):
                if name.endswith(".py"):
                    yield (PurePosixPath(Path(where).relative_to(folder)) / name).as_posix()
    elif _is_file(folder / f"{top}.py"):
        yield f"{top}.py"


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except (OSError, ValueError):  # of a name that no file can have
        return False
