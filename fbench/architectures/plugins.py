"""Networks of a user's own, in Python files that register them when they are run."""

from __future__ import annotations

import atexit
import hashlib
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from fbench.architectures.own_modules import PLUGIN_PREFIX, loaded_own_file
from fbench.architectures.plugin_modules import ByPlainName, PluginModules
from fbench.architectures.plugin_sources import PluginSources, read_sources
from fbench.architectures.registry import registering_from
from fbench.core.arguments import typed_arguments
from fbench.core.errors import UserError, readable, reason_on_a_line


@typed_arguments
def load_plugin(path: str | Path) -> ModuleType:
    """Run a Python file that registers architectures; the second time for one file does nothing.

    The file and the modules beside it that it imports get names made of their folder, so that equal file names do not
    clash; they are found there, wherever the program was started. If it fails, the names that it had registered are
    free again.

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
    package = f"{PLUGIN_PREFIX}{_hash(str(file.parent))}"
    if (loaded := sys.modules.get(f"{package}.{_module_name(file.name)}")) is not None:
        return loaded
    if not file.is_file():
        raise UserError(f"There is no plug-in file {path}; give the path of a Python file.")
    if file.suffix != ".py":
        raise UserError(f"The plug-in {path} is no Python file; give one that ends in .py.")
    return _run(package, read_sources(file), str(path))


def load_trusted(sources: PluginSources, never_from: Path) -> ModuleType:
    """Run source files that somebody trusts by their digest: the bytes that were hashed, from a private copy.

    From then on this process imports nothing from the working directory or ``never_from``, the folder of the run that
    the files came with, unless fbench itself lies there.

    Raises:
        UserError: as :func:`load_plugin`.
    """
    package = f"{PLUGIN_PREFIX}{sources.digest[:16]}"
    if (loaded := sys.modules.get(f"{package}.{_module_name(sources.main)}")) is not None:
        return loaded
    return _run(package, private_copy(sources, never_from), str(sources.paths[0]))


def private_copy(sources: PluginSources, never_from: Path) -> PluginSources:
    """A copy for this process and its children, who then import nothing from the folders that :func:`load_trusted`
    names."""
    _forget_folders(never_from)
    copy = Path(tempfile.mkdtemp(prefix="fbench-plugin-"))  # for its owner alone
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    return sources.written_to(copy)


def _run(package: str, sources: PluginSources, shown: str) -> ModuleType:
    """Run the bytes of a plug-in; neither the file nor what Python keeps compiled beside it is read again.

    What it sets of the process (default dtype, threads, working directory) ends with its run: other networks and
    plug-ins come after it. Modules of the user's own that earlier plug-ins imported by paths that they added are not
    there for it.
    """
    from fbench.architectures.process_settings import settings_but_randomness_kept  # imports torch

    name = f"{package}.{_module_name(sources.main)}"
    if name in sys.modules:
        return sys.modules[name]
    finder = PluginModules(package, sources)
    by_plain_name = ByPlainName(finder, sources)
    sys.meta_path.insert(0, finder)
    sys.meta_path.append(by_plain_name)
    importlib.import_module(package)
    spec = finder.spec_of(name, sources.main)
    module = importlib.util.module_from_spec(spec)
    try:
        with _without_others(finder), settings_but_randomness_kept():
            before = frozenset(sys.modules)
            sys.modules[name] = module

            def run_sources() -> PluginSources:
                finder.brought = [one for one in sys.modules if one not in before and not one.startswith(PLUGIN_PREFIX)]
                return sources.with_loaded([sys.modules[one] for one in finder.brought])

            with registering_from(run_sources, shown):
                spec.loader.exec_module(module)  # type: ignore[union-attr] # it has one
    except BaseException as error:
        for loaded in (name, *finder.found):
            sys.modules.pop(loaded, None)
        for own in (finder, by_plain_name):
            sys.meta_path.remove(own)
        if isinstance(error, UserError):
            raise UserError(f"The plug-in {shown} cannot be loaded: {error}") from error
        if isinstance(error, Exception | SystemExit):
            raise UserError(f"The plug-in {shown} raised {reason_on_a_line(error)}; mend the file.") from error
        raise
    return module


@contextmanager
def _without_others(finder: PluginModules) -> Iterator[None]:
    """Take away, for a block, the user's modules that plug-ins before this one imported by paths that they added."""
    others = [one for one in sys.meta_path if isinstance(one, PluginModules) and one is not finder]
    names = {name for other in others for name in other.brought if name in sys.modules}
    hidden = {name: sys.modules.pop(name) for name in names if loaded_own_file(sys.modules[name]) is not None}
    try:
        yield
    finally:
        for name, module in hidden.items():
            sys.modules.setdefault(name, module)


def _module_name(file: str) -> str:
    """A name for the module in a file of any name."""
    stem = file.removesuffix(".py")
    return stem if stem.isidentifier() else f"file_{_hash(stem)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


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
