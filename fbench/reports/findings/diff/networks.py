"""What differs in the networks of two sides: the options they were built with, and their layers."""

from __future__ import annotations

from collections.abc import Sequence

from fbench.benchmark.records.network_description import NetworkDescription
from fbench.benchmark.records.specs import NetworkSpec
from fbench.core.errors import UserError
from fbench.reports.findings.diff.model import SIDES, NetworkPair, Networks
from fbench.reports.findings.diff.settings import differing_facts, flat_facts
from fbench.reports.findings.gate.subjects import ComparedPair, Side
from fbench.reports.findings.networks.differences import described_network, network_differences


def compare_pairs(pairs: Sequence[ComparedPair]) -> Networks:
    """Options and layers of each pair; of a network whose description is damaged, that it is."""
    differing, same, unknown = [], [], []
    for pair in pairs:
        base, new = _specs(pair)
        if base is None or new is None:
            unknown.append(pair.label)
            continue
        options = differing_facts("options", _options(base), _options(new))
        sentence = "" if base.digest == new.digest else _sentence(pair, base, new)
        if options or sentence:
            differing.append(NetworkPair(pair.label, tuple(options), sentence))
        else:
            same.append(pair.label)
    return Networks(tuple(differing), tuple(same), tuple(unknown))


def _options(spec: NetworkSpec) -> dict[str, str]:
    return {"builder": spec.builder} | flat_facts(spec.options)


def _specs(pair: ComparedPair) -> tuple[NetworkSpec | None, NetworkSpec | None]:
    """Both networks as they are built for the first data set that both sides trained them on; else the first that each
    side knows. Images and classes of another data set change a network's counts."""
    base, new = _by_data(pair.base, pair.base_network), _by_data(pair.new, pair.new_network)
    for data in base:
        if data in new:
            return base[data], new[data]
    return next(iter(base.values()), None), next(iter(new.values()), None)


def _by_data(side: Side, network: str) -> dict[str, NetworkSpec]:
    """A network of a side by the name of the data set, in the order of the plan; that of a measurement last."""
    found: dict[str, NetworkSpec] = {}
    rows = [row for row in side.run.plan if row.network == network] if side.run else []
    for row in rows:
        if side.run is not None and row.data not in found and row.trial_id in side.run.trials:
            found[row.data] = side.run.trials[row.trial_id].spec.network
    cost = side.cost(network)
    measured = [spec for spec in cost.spec.networks if spec.name == network] if cost else []
    return found | ({"": measured[0]} if measured else {})


def _sentence(pair: ComparedPair, base: NetworkSpec, new: NetworkSpec) -> str:
    """What the layers differ in, as far as both sides describe them."""
    try:
        theirs, ours = _description(pair.base, base), _description(pair.new, new)
        if theirs is None or ours is None:
            return "Their layers differ, but are not described on both sides"
        new_network = described_network(f"{pair.new_network} in {SIDES[1]}", ours)
        base_network = described_network(f"{pair.base_network} in {SIDES[0]}", theirs)
        return network_differences(new_network, base_network).sentence
    except UserError as error:
        return f"Their layers are not compared: {str(error).removesuffix('.')}"


def _description(side: Side, spec: NetworkSpec) -> NetworkDescription | None:
    return side.run.description(spec.digest) if side.run else None
