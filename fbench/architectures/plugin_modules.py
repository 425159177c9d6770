"""Modules of plug-ins, run from the bytes that were read.

The modules of the plug-ins in one folder are known to Python under names of their own, so that those of two folders
never mix: ``import blocks`` in a plug-in means the ``blocks`` beside it, whatever else has that name.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from types import CodeType, ModuleType
from typing import Any

from fbench.architectures.plugin_sources import PluginSources


class PluginModules(importlib.abc.MetaPathFinder):
    """Finds the modules of a plug-in among the bytes that were read; ``package`` is what they are known below.

    ``found`` are the names of those that were asked for, ``brought`` of all others that came while the plug-in ran.
    """

    def __init__(self, package: str, sources: PluginSources) -> None:
        self.package, self._sources = package, sources
        self.found: list[str] = []
        self.brought: list[str] = []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of a module of the plug-in; None for any other."""
        if fullname == self.package:
            return importlib.machinery.ModuleSpec(fullname, None, is_package=True)
        package, _, module = fullname.partition(".")
        if package != self.package:
            return None
        file = self._sources.module_file(module)
        if file is None and not self._sources.is_folder(module):
            return None
        self.found.append(fullname)
        if file is None:
            spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [str(self._sources.path_of(module.replace(".", "/")))]
            return spec
        return self.spec_of(fullname, file)

    def spec_of(self, fullname: str, file: str) -> importlib.machinery.ModuleSpec:
        """The spec of the module in a file of the plug-in."""
        place = self._sources.path_of(file)
        spec = importlib.util.spec_from_file_location(
            fullname,
            place,
            loader=_OfBytes(fullname, str(place), self._sources.files[file], self.names()),
            submodule_search_locations=[str(place.parent)] if place.name == "__init__.py" else None,
        )
        assert spec is not None, "a loader was given"  # noqa: S101 - for the type alone
        return spec

    def names(self) -> dict[str, Any]:
        """What Python's own names mean in the plug-in's files: ``__import__`` looks among these first."""

        def import_(
            name: str,
            globals: Mapping[str, object] | None = None,
            locals: Mapping[str, object] | None = None,
            fromlist: Sequence[str] | None = (),
            level: int = 0,
        ) -> ModuleType:
            top = name.partition(".")[0]
            if level or top not in self._sources.tops:
                return builtins.__import__(name, globals, locals, fromlist or (), level)
            try:
                found = builtins.__import__(f"{self.package}.{name}", globals, locals, fromlist or ("__name__",), 0)
            except ModuleNotFoundError as error:
                if str(error.name).startswith(f"{self.package}."):
                    said = str(error).replace(f"{self.package}.", "")
                    raise ModuleNotFoundError(said, name=str(error.name).removeprefix(f"{self.package}.")) from None
                raise
            return found if fromlist else sys.modules[f"{self.package}.{top}"]

        return {**vars(builtins), "__import__": import_}


class ByPlainName(importlib.abc.MetaPathFinder):
    """Finds a module of a plug-in where code asks for it in another way than by a statement, after all others."""

    def __init__(self, modules: PluginModules, sources: PluginSources) -> None:
        self._modules, self._sources = modules, sources

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of the same module under its plain name."""
        if fullname.partition(".")[0] not in self._sources.tops:
            return None
        if self._sources.module_file(fullname) is None and not self._sources.is_folder(fullname):
            return None
        return importlib.machinery.ModuleSpec(fullname, _Known(f"{self._modules.package}.{fullname}"))


class _Known(importlib.abc.Loader):
    """Gives a module that has another name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """The module."""
        return importlib.import_module(self._name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: it has been run."""


class _OfBytes(importlib.machinery.SourceFileLoader):
    """Runs the bytes that were read, whatever lies at their path by now."""

    def __init__(self, name: str, path: str, text: bytes, names: Mapping[str, Any]) -> None:
        super().__init__(name, path)
        self._text, self._names = text, names

    def get_code(self, fullname: str) -> CodeType:
        """The compiled text."""
        code: CodeType = self.source_to_code(self._text, self.path)
        return code

    def get_source(self, fullname: str) -> str:
        """The text, for tracebacks."""
        return importlib.util.decode_source(self._text)

    def exec_module(self, module: ModuleType) -> None:
        """Run the text with the names of the plug-in."""
        vars(module)["__builtins__"] = self._names
        super().exec_module(module)
