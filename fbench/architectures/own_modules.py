"""Where imported modules come from: from files of a user's own, or from a package that has a version."""

from __future__ import annotations

import ast
import importlib.util
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Final

NEVER_OWN: Final = frozenset(sys.stdlib_module_names) | {"fbench", "torch", "numpy"}
"""Modules of Python, and those whose versions every record has."""
PLUGIN_PREFIX: Final = "fbench_plugin_"
"""Begins the names under which Python knows the modules of plug-ins."""
_OF_PYTHON: Final = Path(sysconfig.get_path("stdlib"))
_OF_PACKAGES: Final = frozenset({"site-packages", "dist-packages"})


@dataclass(frozen=True)
class Own:
    """A module of the user's own; ``folder`` is where Python finds it."""

    folder: Path


@dataclass(frozen=True)
class Installed:
    """A module of an installed package."""

    package: str
    version: str


def home_of(top: str, beside: Path) -> Own | Installed | None:
    """Where a module or package of this name comes from, for code in a file in the folder ``beside``, which comes
    first; None for one of Python, fbench, PyTorch or NumPy, and for one that is nowhere.

    Nothing is imported. A package that is installed from a folder where it is worked on is the user's own.
    """
    if top in NEVER_OWN:
        return None
    if is_file(beside / top / "__init__.py") or is_file(beside / f"{top}.py"):
        return Own(beside)
    spec = _spec_of(top)
    if spec is None or spec.origin is None:
        if is_package_without_init(beside / top):
            return Own(beside)
        return None if spec is None else _home_without_init(spec)
    return _home_of_file(top, Path(spec.origin), is_package=spec.submodule_search_locations is not None)


def home_of_file(module: str, file: Path) -> Own | Installed:
    """Where the module with this dotted name, which Python has imported from this file, comes from."""
    top = module.partition(".")[0]
    if _OF_PACKAGES & set(file.parts) and (found := _installed(top)) is not None:
        return found
    depth = 0 if top == "__main__" else module.count(".") + (file.name == "__init__.py")
    return Own(file.parents[min(depth, len(file.parents) - 1)])


def loaded_own_file(module: ModuleType) -> tuple[str, Path] | None:
    """The file of a module that was loaded, where it is the user's own: its path from the folder where Python finds
    it, and that folder."""
    name, file = module.__name__, getattr(module, "__file__", None)
    if (
        name.partition(".")[0] in NEVER_OWN
        or name.startswith(PLUGIN_PREFIX)
        or not isinstance(file, str)
        or not file.endswith(".py")
    ):
        return None
    path = Path(file)
    depth = name.count(".") + (path.name == "__init__.py")
    if _OF_PACKAGES & set(path.parts) or path.is_relative_to(_OF_PYTHON) or depth >= len(path.parents):
        return None
    folder = path.parents[depth]
    return path.relative_to(folder).as_posix(), folder


def imports_of(text: bytes) -> frozenset[str]:
    """The first parts of the names that a text imports from anywhere but its own package."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in strings, which running it tells
            nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()  # running it says what is wrong
    return frozenset(name.partition(".")[0] for node in nodes for name in _imported_by(node) if name)


def is_file(file: Path) -> bool:
    """Whether there is such a file; a name that no file can have is none."""
    try:
        return file.is_file()
    except (OSError, ValueError):
        return False


def is_package_without_init(folder: Path) -> bool:
    """Whether a folder can be imported as a package all the same, as there is Python code in it."""
    try:
        return folder.is_dir() and next(folder.glob("*.py"), None) is not None
    except (OSError, ValueError):
        return False


def _imported_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level:
        yield node.module or ""
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
            yield node.args[0].value


def _spec_of(top: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):  # a module that was made by hand has no spec
        return None


def _home_without_init(spec: ModuleSpec) -> Own | Installed | None:
    """Of a package without ``__init__.py``; its folders are all that is known."""
    for folder in spec.submodule_search_locations or ():
        if not _OF_PACKAGES & set(Path(folder).parts) and is_package_without_init(Path(folder)):
            return Own(Path(folder).parent)
        if found := _installed(spec.name):
            return found
    return None


def _home_of_file(top: str, file: Path, *, is_package: bool) -> Own | Installed | None:
    if file.suffix != ".py" and not _OF_PACKAGES & set(file.parts):
        return None  # compiled into Python, or a library of the user's own, which has no text
    if _OF_PACKAGES & set(file.parts) and (found := _installed(top)) is not None:
        return found
    return Own(file.parents[1] if is_package else file.parent) if file.suffix == ".py" else None


def _installed(top: str) -> Installed | None:
    names = _packages().get(top)
    if not names:
        return None
    name = sorted(names)[0]
    return Installed(name, metadata.version(name))


@cache
def _packages() -> dict[str, list[str]]:
    """The packages that bring each module; found once, because the search reads the metadata of all."""
    return dict(metadata.packages_distributions())
