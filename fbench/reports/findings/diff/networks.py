"""What differs in the networks of two sides: the options they were built with, and their layers."""

from __future__ import annotations

from collections.abc import Sequence

from fbench.benchmark.records.network_description import NetworkDescription
from fbench.benchmark.records.specs import NetworkSpec
from fbench.core.errors import UserError
from fbench.reports.findings.diff.model import SIDES, NetworkPair, Networks
from fbench.reports.findings.diff.settings import differing_facts, flat_facts
from fbench.reports.findings.gate.subjects import ComparedPair, Side
from fbench.reports.findings.networks.differences import network_differences


def compare_pairs(pairs: Sequence[ComparedPair]) -> Networks:
    """Options and layers of each pair; of a network whose description is damaged, that it is."""
    differing, same, unknown = [], [], []
    for pair in pairs:
        specs = _spec(pair.base, pair.base_network), _spec(pair.new, pair.new_network)
        base, new = specs
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


def _spec(side: Side, network: str) -> NetworkSpec | None:
    trials = [record.spec.network for record in side.run.trials.values()] if side.run else []
    cost = side.cost(network)
    return next((spec for spec in [*trials, *(cost.spec.networks if cost else ())] if spec.name == network), None)


def _sentence(pair: ComparedPair, base: NetworkSpec, new: NetworkSpec) -> str:
    """What the layers differ in, as far as both sides describe them."""
    try:
        theirs, ours = _description(pair.base, base), _description(pair.new, new)
        if theirs is None or ours is None:
            return "Their layers differ, but are not described on both sides"
        names = (f"{pair.new_network} in {SIDES[1]}", ours, f"{pair.base_network} in {SIDES[0]}", theirs)
        return network_differences(*names).sentence
    except UserError as error:
        return f"Their layers are not compared: {str(error).removesuffix('.')}"


def _description(side: Side, spec: NetworkSpec) -> NetworkDescription | None:
    return side.run.description(spec.digest) if side.run else None
