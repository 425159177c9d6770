"""The networks of a bundle: their counts are those of the contract, and the same wherever they are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fbench.architectures.contract import built_in_contract
from fbench.benchmark.bundles.facts import planned_records
from fbench.benchmark.bundles.findings import BundleFinding
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.store.inputs import wrong_plugins
from fbench.benchmark.store.run_table import RunTable

_COUNTS: Final = ("trainable_params", "total_params_keras", "macs")
_OF_CONTRACT: Final = ((1, 48, 48), 7)
"""Channels, height and width, and classes, at which a contract holds."""


def check_networks(run: RunTable) -> Iterator[BundleFinding]:
    """Every network that has a finished trial, and the sources of users' code."""
    first: dict[str, TrialRecord] = {}
    for record in planned_records(run):
        network = record.spec.network
        seen = first.setdefault(network.digest, record)
        if _counts(record) != _counts(seen):
            file = f"trials/{record.trial_id}/record.json"
            yield BundleFinding(file, f"has other counts of {network.name} than another trial")
    for record in first.values():
        yield from _check_network(run, record)
    for place, wrong in wrong_plugins(run.folder.files):
        yield BundleFinding("/".join(place.parts), wrong)


def _check_network(run: RunTable, record: TrialRecord) -> Iterator[BundleFinding]:
    network, counts = record.spec.network, _counts(record)
    row = built_in_contract().get(network.name)
    if row is not None and row.counts is not None and _is_of_contract(run, network):
        wanted = {name: getattr(row.counts, name) for name in _COUNTS}
        for name in _COUNTS:
            if counts[name] != wanted[name]:
                yield BundleFinding(
                    f"trials/{record.trial_id}/record.json",
                    f"counts {counts[name]:,} {name} of {network.name}, and the contract {wanted[name]:,}",
                )
    file = f"networks/{network.digest[:16]}/network.json"
    described = run.description(network.digest)
    if described is None:
        yield BundleFinding("the run", f"has no description of {network.name}", is_problem=False)
    elif any(getattr(described.counts, name) != counts[name] for name in _COUNTS):
        yield BundleFinding(file, f"has other counts of {network.name} than its trials")
    for cost in run.costs:
        digests = {one.digest for one in cost.spec.networks if one.name == network.name}
        static = cost.static.get(network.name) if network.digest in digests else None
        if static is not None and any(getattr(static, name) != counts[name] for name in _COUNTS):
            yield BundleFinding(f"costs/{cost.cost_id}.json", f"has other counts of {network.name} than its trials")
    if network.source_sha256 is not None and (network.plugin_file is None or not _has_sources(run, network)):
        yield BundleFinding(
            "the run", f"has no code of {network.name}, so that nobody else can repeat its trials", is_problem=False
        )


def _counts(record: TrialRecord) -> dict[str, int]:
    return {name: getattr(record, name) for name in _COUNTS}


def _is_of_contract(run: RunTable, network: NetworkSpec) -> bool:
    """Whether it is the named entry itself, at the size that its row holds for."""
    is_own = network.source_sha256 is None and network.name not in run.config.suite.variants
    return is_own and (network.input_shape, network.options.get("num_classes")) == _OF_CONTRACT


def _has_sources(run: RunTable, network: NetworkSpec) -> bool:
    return network.plugin_digest is not None and (run.folder.files / "plugins" / network.plugin_digest).is_folder()
