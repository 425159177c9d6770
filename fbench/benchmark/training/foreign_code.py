"""Code that a record names, run only where somebody has named or trusted it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from fbench.architectures.plugin_sources import PluginSources, read_copy, read_sources
from fbench.architectures.plugins import load_plugin, load_trusted, private_copy
from fbench.architectures.registry import is_announced, is_registered, plugin_of, resolve
from fbench.benchmark.records.specs import NetworkSpec, plugin_folder
from fbench.benchmark.store.run_folder import RunFolder
from fbench.core.errors import UserError, readable


def require_code(folder: RunFolder, network: NetworkSpec, trust: str | None = None) -> None:
    """See that the builder of a record's network is there, without running what only the record names.

    Networks of fbench, of installed packages, and of plug-ins that were loaded before, as ``--plugin`` does, are there.
    For any other the file that the record names is run where ``trust`` is the digest over all its sources.

    Raises:
        UserError: the code is not there, or not trusted; its files and their digest are named.
    """
    if network.source_sha256 is None or is_registered(network.builder) or is_announced(network.builder):
        return
    if network.plugin_file is None:
        raise UserError(
            f"The network '{network.name}' was defined in a session of its own; name a file that registers "
            f"'{network.builder}' with --plugin."
        )
    sources = _sources(folder, network, network.plugin_file)
    if trust is None or trust.lower() != sources.digest:
        files = ", ".join(readable(str(path)) for path in sources.paths)
        given = "" if trust is None else f", and --trust {readable(trust)} is of other files"
        raise UserError(
            f"The network '{network.name}' is code that the run names, which is not run by itself{given}: {files}; "
            f"read these files, then add --trust {sources.digest}, or name a file of your own with --plugin."
        )
    load_trusted(sources, folder.path)


def load_named_code(network: NetworkSpec) -> None:
    """Run the plug-in behind a network that this process is to build, as the user named it; what a record names is not
    run so.

    Raises:
        UserError: it cannot be loaded, or has been edited since the network was resolved, as has a package's.
    """
    if network.plugin_file is None:
        if is_announced(network.builder) and resolve(network.builder).source != network.source_sha256:
            raise UserError(
                f"The network '{network.name}' comes from an installed package that is of another version here; "
                "install the same one everywhere, and run the same command again."
            )
        return
    load_plugin(network.plugin_file)
    found = plugin_of(network.builder)
    if network.plugin_digest is not None and found is not None and found.identity != network.source_sha256:
        raise UserError(
            f"{readable(network.plugin_file)}, or a module that it imports, was edited while it was at work; run the "
            "same command again, which takes the new text."
        )


def trusted_plugins(folders: Iterable[RunFolder], trust: str) -> tuple[Path, ...]:
    """Plug-in files with the digest ``trust`` that the records of runs name, as private copies for ``--plugin``.

    Raises:
        UserError: no record names such files; those that they name are listed with their digests.
    """
    found: dict[str, tuple[PluginSources, RunFolder]] = {}
    named: set[tuple[Path, str]] = set()
    for folder in folders:
        for record in folder.trials().values():
            network = record.spec.network
            if network.plugin_file is None or (folder.path, network.plugin_file) in named:
                continue
            named.add((folder.path, network.plugin_file))
            with suppress(UserError):  # of a file that is not here
                sources = _sources(folder, network, network.plugin_file)
                found[sources.digest] = (sources, folder)
    if trust.lower() not in found:
        listed = "; ".join(
            f"{', '.join(readable(str(path)) for path in sources.paths)} have {digest}"
            for digest, (sources, _) in found.items()
        )
        raise UserError(
            f"--trust {readable(trust)} is of no code that the runs of --from name"
            f"{f' ({listed})' if listed else ''}; read their files, and give their digest."
        )
    sources, folder = found[trust.lower()]
    return (private_copy(sources, folder.path).paths[0],)


def _sources(folder: RunFolder, network: NetworkSpec, plugin_file: str) -> PluginSources:
    """The sources at the path that a record names; a relative one is from the run's folder."""
    path = Path(plugin_file)
    try:
        if path.is_absolute():
            return read_sources(path, beside_alone=True)
        place = folder.files
        for part in path.parts:
            place = place / part
        if place.parts[:-1] == (*folder.files.parts, *plugin_folder(network.plugin_digest or "").parts):
            return read_copy(place.parent, path.name)
        place.exists()  # refuses a link on the way
        return read_sources(place.path, beside_alone=True)
    except UserError as error:
        raise UserError(
            f"The network '{network.name}' is code that the run names, and it cannot be had here: {error} Name a file "
            f"that registers '{network.builder}' with --plugin."
        ) from error
