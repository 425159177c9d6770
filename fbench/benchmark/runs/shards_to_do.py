"""Which shards of a run have something left to do, as their folders are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fbench.ablations.suite import Resources
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.planning import plan_run
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.shards import Load, Shard, Unit, deal, described_by, loads_of, unit_of
from fbench.benchmark.store.run_folder import RunFolder
from fbench.core.errors import UserError

Need = tuple[Unit, int]
"""A unit and a seed: a trial without the settings of the machine, which this one need not have."""


def shard_folder(out: Path, shard: Shard) -> Path:
    """Where a shard of a job array lies."""
    return out / f"shard-{shard.number}-of-{shard.of}"


def shards_to_do(request: RunRequest, shards: int, out: Path) -> dict[int, Resources]:
    """The shards with trials that have not finished, by number, and what these need of a machine.

    Raises:
        UserError: the request cannot be planned, or there are more shards than there is to deal.
    """
    anywhere = replace(request, device="cpu", precision="fp32", compile=False, numerics_of=None, out=out / "planned")
    plan = plan_run(anywhere)
    loads = list(loads_of(plan.specs, described_by(plan.resolved.descriptions), plan.suite.resources))
    if shards > len(loads):
        raise UserError(
            f"--tasks {shards}: there are {len(loads)} trials, or networks with a search, to deal; give at most "
            f"--tasks {len(loads)}."
        )
    hands = deal(loads, shards)
    return {
        number: max((load.resources for load in hand), key=lambda one: (one.gpu, one.memory_gb or 0.0))
        for number, hand in enumerate(hands, 1)
        if _wanted(plan.specs, hand) - _finished(shard_folder(out, Shard(number, shards)))
    }


def _wanted(specs: Sequence[TrialSpec], hand: Sequence[Load]) -> set[Need]:
    units = {load.unit for load in hand}
    return {(unit_of(spec), spec.seed) for spec in specs if unit_of(spec) in units}


def _finished(path: Path) -> set[Need]:
    if not (path / "run.json").exists():
        return set()
    records = RunFolder.open(path).trials()
    specs = (record.spec for record in records.each(one for one in records if records.facts(one).finished))
    return {(unit_of(spec), spec.seed) for spec in specs}
