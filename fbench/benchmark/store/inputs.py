"""What a run was asked for, kept in its folder so that it can be asked for again from anywhere.

- ``inputs/suite.toml``, ``inputs/protocol.toml``: those that do not come with fbench, whole
- ``inputs/given.json``: where data and plug-ins were, on the machine of the last command
- ``plugins/<digest>/``: the files of each plug-in, by the digest over them
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from pydantic import Field

from fbench.ablations.library import list_suites, load_suite
from fbench.ablations.suite import Suite
from fbench.architectures.plugin_sources import PluginSources, read_copy
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.records.specs import plugin_folder
from fbench.benchmark.records.trial_records import RunConfig
from fbench.benchmark.store.files import read_model, write_json, write_text
from fbench.benchmark.store.hashes import keep_hash
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError
from fbench.core.schema import FrozenModel, toml_of

_FOLDER: Final = "inputs"
SUITE_FILE: Final = "suite.toml"
PROTOCOL_FILE: Final = "protocol.toml"
_GIVEN_FILE: Final = "given.json"


class Given(FrozenModel):
    """What the last command had of its own machine: data sets by name, and plug-ins from the run's folder."""

    schema_version: int = 1
    data_paths: dict[str, str] = Field(default_factory=dict)
    plugins: tuple[str, ...] = ()


def keep_inputs(files: ContainedPath, config: RunConfig, plugins: Mapping[str, PluginSources]) -> None:
    """Keep what a run is asked for; ``plugins`` are by their digests.

    Raises:
        OSError: the disk refuses.
    """
    folder = files / _FOLDER
    if not is_chosen_by_hand(config.suite) and not _comes_with_fbench(config.suite):
        _keep(files, folder / SUITE_FILE, toml_of(config.suite))
    if not _is_named(config.protocol):
        _keep(files, folder / PROTOCOL_FILE, toml_of(config.protocol))
    for digest, plugin in plugins.items():
        keep_plugin(files, digest, plugin)
    copies = [plugin_folder(digest) / plugin.main for digest, plugin in plugins.items()]
    given = Given(
        data_paths={data.name: data.path for data in config.data if data.path is not None},
        plugins=tuple(copy.as_posix() for copy in copies),
    )
    if given != given_of(files):
        write_json(folder / _GIVEN_FILE, given)
        keep_hash(files, folder / _GIVEN_FILE)


def keep_plugin(files: ContainedPath, digest: str, plugin: PluginSources) -> None:
    """Keep a copy of a plug-in's files.

    Raises:
        OSError: the disk refuses.
    """
    place = _at(files, plugin_folder(digest))
    if not place.exists():
        with place.replacing_folder() as folder:
            for name, text in plugin.files.items():
                with _at(folder, PurePosixPath(name)).replacing() as stream:
                    stream.write(text)


def given_of(files: ContainedPath) -> Given:
    """What the last command had of its own machine; nothing in runs that keep none.

    Raises:
        UserError: the file is not valid.
    """
    file = files / _FOLDER / _GIVEN_FILE
    return read_model(file, Given, 1) if file.exists() else Given()


def file_of_input(files: ContainedPath, name: str) -> Path | None:
    """The file of a suite or protocol that a run keeps; None where it needs none."""
    file = files / _FOLDER / name
    return file.path if file.exists() else None


def wrong_plugins(files: ContainedPath) -> Iterable[tuple[ContainedPath, str]]:
    """Copies of plug-ins that are not those of their digest, with what is wrong."""
    for digest in (files / "plugins").names():
        place = files / "plugins" / digest
        try:
            mains = [name for name, is_folder in place.entries().items() if name.endswith(".py") and not is_folder]
            if not any(read_copy(place, main).digest == digest for main in mains):
                yield place, "is not what was written"
        except UserError as error:
            yield place, str(error)


def is_chosen_by_hand(suite: Suite) -> bool:
    """Whether a suite is that of networks which were named one by one."""
    return suite.studies[0].name == "chosen" and len(suite.studies) == 1


def _comes_with_fbench(suite: Suite) -> bool:
    return suite.name in list_suites() and load_suite(suite.name) == suite


def _is_named(protocol: Protocol) -> bool:
    try:
        return load_protocol(protocol.name) == protocol
    except UserError:
        return False


def _keep(files: ContainedPath, file: ContainedPath, text: str) -> None:
    write_text(file, text)
    keep_hash(files, file)


def _at(folder: ContainedPath, path: PurePosixPath) -> ContainedPath:
    for part in path.parts:
        folder = folder / part
    return folder
