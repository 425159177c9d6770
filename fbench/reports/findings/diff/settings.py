"""Facts of two sides beside each other: protocol, budget, data, numerics, machine, versions and seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.protocol import WORDS
from fbench.benchmark.records.specs import DataSpec
from fbench.benchmark.store.run_table import RunTable, planned_seeds
from fbench.core.machine import Machine
from fbench.reports.findings.diff.model import SIDES, DifferingFact, Settings
from fbench.reports.findings.gate.subjects import Side
from fbench.reports.formatting import MISSING, count, listing

Facts = dict[str, dict[str, str]]
"""Values by topic and name."""


def compare_settings(base: Side, new: Side) -> Settings:
    """Everything in which the settings of two sides differ."""
    theirs, ours = facts_of(base), facts_of(new)
    common = [topic for topic in theirs if topic in ours]
    differing = [fact for topic in common for fact in differing_facts(topic, theirs[topic], ours[topic])]
    topics = {fact.topic for fact in differing}
    return Settings(
        differing=tuple(differing),
        same=tuple(topic for topic in common if topic not in topics),
        remarks=tuple(
            f"Only {side} has facts of: {listing(alone)}"
            for side, alone in zip(SIDES, (_alone(theirs, ours), _alone(ours, theirs)), strict=True)
            if alone
        ),
    )


def differing_facts(topic: str, base: Mapping[str, str], new: Mapping[str, str]) -> list[DifferingFact]:
    """The facts of one topic that are not the same, in the order of the base."""
    return [
        DifferingFact(topic, name, base.get(name, MISSING), new.get(name, MISSING))
        for name in dict.fromkeys([*base, *new])
        if base.get(name, MISSING) != new.get(name, MISSING)
    ]


def flat_facts(values: Mapping[str, Any], start: str = "") -> dict[str, str]:
    """Settings with names and values as a reader calls them; those inside others have the names of both."""
    found: dict[str, str] = {}
    for key, value in values.items():
        name = f"{start}{key.replace('_', ' ')}"
        if isinstance(value, Mapping):
            found |= flat_facts(value, f"{name}: ")
        else:
            found[name] = _text(value)
    return found


def facts_of(side: Side) -> Facts:
    """The facts of a run, of its measurements of cost, or of a measurement alone."""
    facts = _run_facts(side.run, side.networks) if side.run else {}
    used = [cost for network in side.networks if (cost := side.cost(network)) is not None]
    costs = list({id(cost): cost for cost in used}.values())
    return facts | (_cost_facts(costs) if costs else {})


def _run_facts(run: RunTable, networks: Iterable[str]) -> Facts:
    config, wanted = run.config, set(networks)
    plan = [row for row in run.plan if row.network in wanted]
    machines = [record.machine for record in run.trials.values() if record.spec.network.name in wanted]
    return {
        "protocol": flat_facts(config.protocol.model_dump(mode="json", exclude=set(WORDS))),
        "preset and budget": {"preset": config.preset} | _budget_facts(config.budget),
        "seeds": {"planned": ", ".join(map(str, planned_seeds(plan))) or "none"},
        "numerics": flat_facts(config.numerics.model_dump(mode="json")),
        **{f"data {data.name}": _data_facts(data) for data in config.data},
        **({"machine of the trials": _machine_facts(machines)} if machines else {}),
        **({"versions of the trials": _version_facts(machines)} if machines else {}),
    }


def _budget_facts(budget: Budget) -> dict[str, str]:
    """What a budget says; what it leaves open is the protocol's."""
    said = {key: "as the protocol says" if value is None else value for key, value in budget.model_dump().items()}
    return flat_facts(said)


def _data_facts(data: DataSpec) -> dict[str, str]:
    return {
        "fingerprint": data.fingerprint[:16],
        "classes": ", ".join(data.class_names),
        **{f"images of the {split} split": count(images) for split, images in data.images_by_split.items()},
        "channels, height and width": " × ".join(map(str, data.image_shape)),
        **flat_facts(data.options),
    }


def _cost_facts(costs: list[CostRecord]) -> Facts:
    plans = [cost.spec.plan for cost in costs]
    machines = [cost.machine for cost in costs]
    return {
        "measurement of cost": {
            "settings": _together("; ".join(one.label for one in plan.settings) for plan in plans),
            "blocks": _together(count(plan.blocks) for plan in plans),
            "seconds": _together(_text(plan.seconds) for plan in plans),
            "largest batch": _together(count(plan.largest_batch_size) for plan in plans),
        },
        "numerics of the measurement": _merged(
            [flat_facts(cost.spec.numerics.model_dump(mode="json")) for cost in costs]
        ),
        "machine of the measurement": _machine_facts(machines),
        "versions of the measurement": _version_facts(machines),
    }


def _machine_facts(machines: Iterable[Machine]) -> dict[str, str]:
    return _merged(
        [
            {
                "processor": machine.processor,
                "cores": f"{machine.usable_cores} of {machine.logical_cores} usable",
                "memory": f"{machine.memory_gib:g} GiB",
                "accelerator": machine.accelerator or "none",
                "system": machine.system,
            }
            for machine in machines
        ]
    )


def _version_facts(machines: Iterable[Machine]) -> dict[str, str]:
    return _merged(
        [
            {
                "Python": machine.python,
                **machine.versions,
                "revision of fbench": (machine.git_revision or "not known")[:12]
                + (" with uncommitted changes" if machine.git_dirty else ""),
            }
            for machine in machines
        ]
    )


def _merged(several: list[dict[str, str]]) -> dict[str, str]:
    """All values of each fact: trials of one run may have been made on several machines."""
    names = dict.fromkeys(name for facts in several for name in facts)
    return {name: _together(facts[name] for facts in several if name in facts) for name in names}


def _together(values: Iterable[str]) -> str:
    return "; ".join(sorted(set(values)))


def _alone(facts: Facts, others: Facts) -> list[str]:
    return [topic for topic in facts if topic not in others]


def _text(value: Any) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
