"""From a suite and the configuration of a run to trials."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from fbench.ablations.suite import Suite
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.records.specs import DataSpec, NetworkSpec, TrialSpec, data_spec
from fbench.benchmark.records.trial_records import PlannedTrial, RunConfig
from fbench.benchmark.runs.resolution import Networks
from fbench.core.errors import UserError

SeedCounts = Mapping[tuple[str, str], int]
"""How many seeds a network gets on a data set."""


Expansion = tuple[tuple[TrialSpec, ...], tuple[PlannedTrial, ...], tuple[NetworkSpec, ...]]
"""Trials, each once; what they are planned for; networks."""


def as_it_is(spec: TrialSpec) -> TrialSpec:
    """A trial with the settings of its run's protocol."""
    return spec


def expand(
    suite: Suite,
    config: RunConfig,
    seeds: int | SeedCounts,
    resolved: Networks,
    settle: Callable[[TrialSpec], TrialSpec] = as_it_is,
) -> Expansion:
    """Every network on every data set with every seed: trials (each once), what they are planned for, networks.

    ``seeds`` is one number for all, or one for each network and data set; ``settle`` gives a trial the settings that a
    search chose for it, where there is one.
    """
    specs: dict[str, TrialSpec] = {}
    planned: list[PlannedTrial] = []
    networks: dict[tuple[str, str], NetworkSpec] = {}
    treatments = sorted({variant.copies for variant in suite.variants.values()} | {"keep"})
    for data in config.data:
        trained_on = {copies: _treated(data, copies) for copies in treatments}
        for name in suite.architectures:
            variant = suite.variants.get(name)
            network = resolved[name, data.name]
            networks.setdefault((name, network.digest), network)
            for seed in range(seeds if isinstance(seeds, int) else seeds[name, data.name]):
                spec = settle(
                    TrialSpec(
                        network=network,
                        data=trained_on[variant.copies if variant else "keep"],
                        protocol=config.protocol.for_data(data.source or data.name),
                        budget=config.budget,
                        seed=seed,
                        numerics=config.numerics,
                    )
                )
                specs.setdefault(spec.trial_id, spec)
                planned.append(PlannedTrial(network=name, data=data.name, seed=seed, trial_id=spec.trial_id))
    return tuple(specs.values()), tuple(planned), tuple(networks.values())


def refuse_equal_levels(suite: Suite, resolved: Networks, data: Sequence[DataSpec]) -> None:
    """See that the levels of each study are different networks, or see different views of the data.

    Raises:
        UserError: two are the same, and the study does not say that it wants to see them so.
    """
    for study in suite.studies:
        for one in data if not study.a_a else ():
            found: dict[str, str] = {}
            for level in study.levels:
                variant, network = suite.variants.get(level), resolved[level, one.name]
                options = json.dumps(network.options, sort_keys=True)
                same = f"{network.builder} {options} {variant.copies if variant else 'keep'}"
                if same in found:
                    raise UserError(
                        f"The levels '{found[same]}' and '{level}' of the study '{study.name}' are the same network; "
                        "take one out, or say a_a = true in the study to compare a network with itself."
                    )
                found[same] = level


def _treated(data: DataSpec, copies: str) -> DataSpec:
    """The data set with another treatment of copies than it was read with."""
    if copies == "keep":
        return data
    whole = data.reference
    treated = whole.model_copy(update={"options": whole.options | {"copies": copies}})
    return data_spec(treated, load_dataset(treated))
