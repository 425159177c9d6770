"""From the names of a suite to networks: resolved, built and traced once, where their code may run.

fbench's own networks, and those that were registered in this very session, are resolved in this process; where plug-ins
are given, or a package announces a network, a worker process does it all, with a time limit for each network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fbench.ablations.suite import Suite, resolve_names, select_studies
from fbench.architectures.plugins import load_plugin
from fbench.architectures.registry import (
    canonical_name,
    is_announced,
    loaded_names,
    options_of,
    source_digest,
)
from fbench.architectures.registry import resolve as registered
from fbench.benchmark.records.network_description import NetworkDescription
from fbench.benchmark.records.specs import DataSpec, NetworkSpec
from fbench.benchmark.runs.network_tasks import network_tasks
from fbench.benchmark.workers.inside import Parent
from fbench.benchmark.workers.messages import Task

NETWORK_LIMIT_S: Final = 180.0
"""How long one network may take to be built, run a few times and counted; the slowest of fbench's takes seconds."""

Networks = Mapping[tuple[str, str], NetworkSpec]
"""By the names of network and data set."""


@dataclass(frozen=True)
class Resolved:
    """A suite with registered names, and its networks; the whole suite, and the networks of the chosen studies.

    ``descriptions`` has those, by digest, that another process made.
    """

    suite: Suite
    networks: Networks
    descriptions: Mapping[str, NetworkDescription] = field(default_factory=dict)


def resolve_suite(
    suite: Suite, only: Sequence[str], options: Mapping[str, Any], data: Sequence[DataSpec], plugins: Sequence[Path]
) -> Resolved:
    """Resolve the networks of a suite's chosen studies for each data set; ``options`` are those that a protocol wants.

    Raises:
        UserError: a plug-in that cannot be loaded, an unknown name, study or option, or a network that cannot be used.
    """
    bases = {variant.base for variant in suite.variants.values()}
    if not plugins and not any(is_announced(name) for name in {*suite.architectures, *bases}):
        whole = resolve_names(suite, canonical_name)
        selected = select_studies(whole, only)
        return Resolved(
            whole,
            {
                (name, one.name): _network(name, selected, options, one, {})
                for one in data
                for name in selected.architectures
            },
        )
    select_studies(suite, only)  # a wrong name is said at once
    known = _of_this_session(plugins)
    arguments = {
        "known": known,
        "suite": suite.model_dump(mode="json"),
        "only": list(only),
        "options": dict(options),
        "data": [one.model_dump(mode="json") for one in data],
        "plugins": [str(plugin) for plugin in plugins],
    }
    task = Task(
        "networks", f"{__name__}:resolve", arguments, "plugins", limit_s=NETWORK_LIMIT_S, limit_from_last_told=True
    )
    with network_tasks() as tasks:
        found = _from_json(tasks.answer(task, "a plug-in"))
    selected = select_studies(found.suite, only)
    pairs = [(name, one) for one in data for name in selected.architectures if (name, one.name) not in found.networks]
    here = {(name, one.name): _network(name, selected, options, one, {}) for name, one in pairs}
    return Resolved(found.suite, {**found.networks, **here}, found.descriptions)


def _of_this_session(plugins: Sequence[Path]) -> list[str]:
    """The networks that were registered in this process by other code than the plug-ins."""
    digests = {source_digest(plugin.read_bytes()) for plugin in plugins if plugin.is_file()}
    names = [name for name in loaded_names(built_in=False) if not is_announced(name)]
    return [name for name in names if registered(name).source not in digests]


def _network(
    name: str, suite: Suite, options: Mapping[str, Any], data: DataSpec, plugins: Mapping[str, str]
) -> NetworkSpec:
    """A network of a suite for a data set; ``plugins`` are files by the digest of their text."""
    from fbench.benchmark.training.networks import network_spec  # imports torch

    variant, base = suite.variants.get(name), _base(name, suite)
    taken = {key: value for key, value in options.items() if key in options_of(base)}
    return network_spec(name, base, taken | (dict(variant.options) if variant else {}), data, plugins)


def _base(name: str, suite: Suite) -> str:
    """The registered network behind a name of a suite."""
    variant = suite.variants.get(name)
    return variant.base if variant else name


def _from_json(answer: dict[str, Any]) -> Resolved:
    return Resolved(
        suite=Suite.model_validate(answer["suite"]),
        networks={(name, data): NetworkSpec.model_validate(network) for name, data, network in answer["networks"]},
        descriptions={
            digest: NetworkDescription.model_validate(description)
            for digest, description in answer["descriptions"].items()
        },
    )


# --- in a worker process


def resolve(
    parent: Parent,
    known: list[str],
    suite: dict[str, Any],
    only: list[str],
    options: dict[str, Any],
    data: list[dict[str, Any]],
    plugins: list[str],
) -> dict[str, Any]:
    """As :func:`resolve_suite`, in JSON, but for the networks that only the parent can build (``known``)."""
    from fbench.benchmark.training.networks import describe_network

    for plugin in plugins:
        parent.tell(f"the plug-in {plugin}")
        load_plugin(plugin)
    files = {source_digest(Path(plugin).read_bytes()): str(Path(plugin).resolve()) for plugin in plugins}
    whole = resolve_names(Suite.model_validate(suite), lambda name: name if name in known else canonical_name(name))
    sets = [DataSpec.model_validate(one) for one in data]
    found: list[list[Any]] = []
    descriptions: dict[str, Any] = {}
    selected = select_studies(whole, only)
    for name in [name for name in selected.architectures if _base(name, selected) not in known]:
        parent.tell(f"the network '{name}'")
        for one in sets:
            network = _network(name, selected, options, one, files)
            found.append([name, one.name, network.model_dump(mode="json")])
            if network.digest not in descriptions:
                descriptions[network.digest] = describe_network(network).to_json()
    return {"suite": whole.model_dump(mode="json"), "networks": found, "descriptions": descriptions}
