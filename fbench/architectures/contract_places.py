"""Where the counts of a network are kept: beside the code that registers it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from fbench.architectures.contract import BUILT_IN_CONTRACT, USER_CONTRACT_NAME, built_in_contract
from fbench.architectures.registry import module_of, plugin_file_of


def contract_of(name: str) -> Path:
    """The file of a registered network's row, whether it is there or not.

    A plug-in's lies beside it. A package's lies in the package's folder where that holds one; else it is that of the
    working directory, because what is installed is not written into. So is that of a network of a session.
    """
    if name in built_in_contract():
        return BUILT_IN_CONTRACT
    if plugin := plugin_file_of(name):
        return Path(plugin).resolve().with_name(USER_CONTRACT_NAME)
    if module := module_of(name):
        shipped = [folder / USER_CONTRACT_NAME for folder in _folders(module.partition(".")[0])]
        return next((path for path in shipped if path.is_file()), Path.cwd() / USER_CONTRACT_NAME)
    return Path.cwd() / USER_CONTRACT_NAME


def _folders(package: str) -> list[Path]:
    """Where the files of a package or module lie; nothing of it is run."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return []
    if spec is None:
        return []
    if spec.submodule_search_locations is not None:
        return [Path(folder) for folder in spec.submodule_search_locations]
    return [Path(spec.origin).parent] if spec.has_location and spec.origin else []
