"""Networks of a user's own, in Python files that register them when they are run."""

from __future__ import annotations

import atexit
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType

from fbench.architectures.plugin_sources import PluginSources, read_sources
from fbench.architectures.registry import registering_from, source_digest
from fbench.core.errors import UserError, readable, reason_on_a_line


def load_plugin(path: str | Path) -> ModuleType:
    """Run a Python file that registers architectures; the second time for one file does nothing.

    The file is imported under a name made of its path, so that equal file names do not clash. Modules beside it that it
    imports are found there, wherever the program was started. If it fails, the names that it had registered are free
    again.

    Returns:
        The imported module.

    Raises:
        UserError: there is no such file, it raises, or it registers a taken name; the file and the reason are
            named.
    """
    if readable(str(path)) != str(path):
        raise UserError(
            f"The path of the plug-in {readable(str(path))} is not UTF-8 text of one line, and records name it; rename "
            "it."
        )
    file = Path(path).resolve()
    name = f"fbench_plugin_{hashlib.sha256(str(file).encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    if not file.is_file():
        raise UserError(f"There is no plug-in file {path}; give the path of a Python file.")
    if file.suffix != ".py":
        raise UserError(f"The plug-in {path} is no Python file; give one that ends in .py.")
    return _run(name, read_sources(file), str(path))


def load_trusted(sources: PluginSources, never_from: Path) -> ModuleType:
    """Run source files that somebody trusts by their digest: the bytes that were hashed, from a private copy.

    From then on this process imports nothing from the working directory or ``never_from``, the folder of the run that
    the files came with, unless fbench itself lies there.

    Raises:
        UserError: as :func:`load_plugin`.
    """
    name = f"fbench_plugin_{sources.digest[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    return _run(name, private_copy(sources, never_from), str(sources.paths[0]))


def private_copy(sources: PluginSources, never_from: Path) -> PluginSources:
    """A copy for this process and its children, who then import nothing from the folders that :func:`load_trusted`
    names."""
    _forget_folders(never_from)
    copy = Path(tempfile.mkdtemp(prefix="fbench-plugin-"))  # for its owner alone
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    return sources.written_to(copy)


def _run(name: str, sources: PluginSources, shown: str) -> ModuleType:
    """Run the bytes of a plug-in; neither the file nor what Python keeps compiled beside it is read again.

    What it sets of the process (default dtype, threads, working directory) ends with its run: other networks and
    plug-ins come after it.
    """
    from fbench.architectures.process_settings import settings_but_randomness_kept  # imports torch

    finder = _Siblings(sources)
    spec = importlib.util.spec_from_file_location(
        name, sources.folder / sources.main, loader=_OfBytes(name, sources, sources.main)
    )
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type] # a loader was given, so there is one
    sys.modules[name] = module
    sys.meta_path.insert(0, finder)
    try:
        with settings_but_randomness_kept(), registering_from(source_digest(sources.files[sources.main]), shown):
            module.__spec__.loader.exec_module(module)  # type: ignore[union-attr] # as above
    except BaseException as error:
        del sys.modules[name]
        sys.meta_path.remove(finder)
        for sibling in finder.found:
            sys.modules.pop(sibling, None)
        if isinstance(error, UserError):
            raise UserError(f"The plug-in {shown} cannot be loaded: {error}") from error
        if isinstance(error, Exception | SystemExit):
            raise UserError(f"The plug-in {shown} raised {reason_on_a_line(error)}; mend the file.") from error
        raise
    return module


class _OfBytes(importlib.machinery.SourceFileLoader):
    """Runs the bytes that were read, whatever lies at their path by now."""

    def __init__(self, name: str, sources: PluginSources, file: str) -> None:
        super().__init__(name, str(sources.folder / file))
        self._text = sources.files[file]

    def get_code(self, fullname: str) -> CodeType:
        """The compiled text."""
        code: CodeType = self.source_to_code(self._text, self.path)
        return code

    def get_source(self, fullname: str) -> str:
        """The text, for tracebacks."""
        return importlib.util.decode_source(self._text)


class _Siblings(importlib.abc.MetaPathFinder):
    """Finds the modules of a plug-in that lie beside it, among the bytes that were read."""

    def __init__(self, sources: PluginSources) -> None:
        self._sources = sources
        self.found: list[str] = []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of a module of the plug-in; None for any other."""
        file = self._sources.module_file(fullname)
        if file is None:
            return None
        self.found.append(fullname)
        folder = self._sources.folder / file
        return importlib.util.spec_from_file_location(
            fullname,
            folder,
            loader=_OfBytes(fullname, self._sources, file),
            submodule_search_locations=[str(folder.parent)] if folder.name == "__init__.py" else None,
        )


def _forget_folders(never_from: Path) -> None:
    """Take the working directory and a folder out of where Python looks for modules."""
    own = Path(__file__).parents[2]  # where fbench lies
    kept = []
    for entry in sys.path:
        folder = Path(entry or ".").resolve()
        beside = folder == Path.cwd() or folder.is_relative_to(never_from.resolve())
        if folder == own or not beside:
            kept.append(entry)
    sys.path[:] = kept
