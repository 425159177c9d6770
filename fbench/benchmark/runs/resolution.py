"""From the names of a suite to networks: resolved, built and traced once, where their code may run.

fbench's own networks, and those that were registered in this very session, are resolved in this process; those of
plug-ins and installed packages in a worker process, with a time limit for each network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fbench.ablations.suite import Suite, resolve_names, select_studies
from fbench.architectures.contract import built_in_contract
from fbench.architectures.plugin_sources import PluginSources
from fbench.architectures.registry import (
    canonical_name,
    is_announced,
    loaded_names,
    options_of,
    origin,
    plugin_of,
)
from fbench.benchmark.records.network_description import NetworkDescription
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.specs import DataSpec, NetworkSpec
from fbench.benchmark.workers.asking import users_networks
from fbench.benchmark.workers.questions import Subject, Tell, network_in_words, question
from fbench.core.errors import UserError, did_you_mean

Networks = Mapping[tuple[str, str], NetworkSpec]
"""By the names of network and data set."""


@dataclass(frozen=True)
class Resolved:
    """A suite with registered names, and its networks; the whole suite, and the networks of the chosen studies.

    ``descriptions`` has those, by digest, that another process made; ``plugins`` the files of plug-ins, by digest.
    """

    suite: Suite
    networks: Networks
    descriptions: Mapping[str, NetworkDescription] = field(default_factory=dict)
    plugins: Mapping[str, PluginSources] = field(default_factory=dict)


def resolve_suite(
    suite: Suite,
    only: Sequence[str],
    options: Mapping[str, Any],
    data: Sequence[DataSpec],
    plugins: Sequence[Path],
    trial_timeout_s: float | None = None,
) -> Resolved:
    """Resolve the networks of a suite's chosen studies for each data set; ``options`` are those that a protocol wants.
    A network of a user is waited for as long as a trial may take (``trial_timeout_s``), and three minutes at most.

    Raises:
        UserError: a plug-in that cannot be loaded, an unknown name, study or option, or a network that cannot be used.
    """
    bases = {variant.base for variant in suite.variants.values()}
    if not plugins and not any(is_announced(name) for name in {*suite.architectures, *bases}):
        whole = resolve_names(suite, canonical_name)
        selected = select_studies(whole, only)
        pairs = [(name, one) for one in data for name in selected.architectures]
        here = {(name, one.name): _network(name, selected, options, one) for name, one in pairs}
        return Resolved(whole, here, plugins=_plugins_of(here.values()))
    select_studies(suite, only)  # a wrong name is said at once
    asked = question(resolve, _of_this_session(plugins), suite, list(only), dict(options), list(data))
    with users_networks(plugins, trial_timeout_s=trial_timeout_s) as users:
        there = users.ask(asked)
    found = {(name, of): network for name, of, network in there.networks}
    selected = select_studies(there.suite, only)
    pairs = [(name, one) for one in data for name in selected.architectures if (name, one.name) not in found]
    here = {(name, one.name): _network(name, selected, options, one) for name, one in pairs}
    files = {digest: one.sources() for digest, one in there.plugins.items()} | _plugins_of(here.values())
    return Resolved(there.suite, {**found, **here}, there.descriptions, files)


def refuse_unknown_options(protocol: Protocol, networks: Networks) -> None:
    """See that each of a protocol's ``architecture_options`` is one that some network has, of the run or of fbench: a
    network that has no such option goes without, and a misspelt one would change nothing.

    Raises:
        UserError: nobody has it.
    """
    wanted = protocol.architecture_options.keys() - {option for one in networks.values() for option in one.options}
    if not wanted:
        return
    known = {option for name in built_in_contract() for option in options_of(name)}
    if unknown := sorted(wanted - known):
        have = sorted(known | {option for one in networks.values() for option in one.options})
        raise UserError(
            f"Protocol '{protocol.name}' gives networks the option '{unknown[0]}', which none has."
            f"{did_you_mean(unknown[0], have)} Write it as a builder does, or leave it out."
        )


def _of_this_session(plugins: Sequence[Path]) -> list[str]:
    """The networks that were registered in this process by other code than the plug-ins."""
    files = {plugin.resolve() for plugin in plugins}
    names = [name for name in loaded_names(built_in=False) if not is_announced(name)]
    return [name for name in names if not origin(name) or Path(origin(name)).resolve() not in files]


def _plugins_of(networks: Iterable[NetworkSpec]) -> dict[str, PluginSources]:
    """The files of the plug-ins behind networks, by digest."""
    found = [plugin_of(builder) for builder in {network.builder for network in networks}]
    return {plugin.digest: plugin for plugin in found if plugin is not None}


def _network(name: str, suite: Suite, options: Mapping[str, Any], data: DataSpec) -> NetworkSpec:
    """A network of a suite for a data set."""
    from fbench.benchmark.training.networks import network_spec  # imports torch

    variant, base = suite.variants.get(name), _base(name, suite)
    taken = {key: value for key, value in options.items() if key in options_of(base)}
    return network_spec(name, base, taken | (dict(variant.options) if variant else {}), data)


def _base(name: str, suite: Suite) -> str:
    """The registered network behind a name of a suite."""
    variant = suite.variants.get(name)
    return variant.base if variant else name


# --- in a worker process


@dataclass(frozen=True)
class SentSources:
    """The files of a plug-in as they travel: each byte as the character of its number."""

    folder: Path
    main: str
    files: dict[str, str]
    packages: dict[str, str]
    folders: dict[str, Path]

    def sources(self) -> PluginSources:
        """The files."""
        files = {name: text.encode("latin-1") for name, text in self.files.items()}
        return PluginSources(self.folder, self.main, files, self.packages, self.folders)


def sent(plugin: PluginSources) -> SentSources:
    """The form of a plug-in's files for the way."""
    files = {name: text.decode("latin-1") for name, text in plugin.files.items()}
    return SentSources(plugin.folder, plugin.main, files, dict(plugin.packages), dict(plugin.folders))


@dataclass(frozen=True)
class ResolvedThere:
    """As :class:`Resolved`, of users' networks alone; each with the name of its data set."""

    suite: Suite
    networks: tuple[tuple[str, str, NetworkSpec], ...]
    descriptions: dict[str, NetworkDescription]
    plugins: dict[str, SentSources]


def resolve(
    tell: Tell, known: list[str], suite: Suite, only: list[str], options: dict[str, Any], data: list[DataSpec]
) -> ResolvedThere:
    """As :func:`resolve_suite`, but for fbench's own networks, and those that only the parent can build (``known``)."""
    from fbench.benchmark.training.networks import describe_network

    whole = resolve_names(suite, lambda name: name if name in known else canonical_name(name))
    found: list[tuple[str, str, NetworkSpec]] = []
    descriptions: dict[str, NetworkDescription] = {}
    selected = select_studies(whole, only)
    for name in [one for one in selected.architectures if _base(one, selected) not in (*known, *built_in_contract())]:
        tell(network_in_words(Subject(name, _base(name, selected))))
        for one in data:
            network = _network(name, selected, options, one)
            found.append((name, one.name, network))
            if network.digest not in descriptions:
                descriptions[network.digest] = describe_network(network)
    files = _plugins_of(network for _, _, network in found)
    return ResolvedThere(whole, tuple(found), descriptions, {digest: sent(one) for digest, one in files.items()})
