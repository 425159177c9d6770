"""A plan made anew: with other seeds, with the settings of more searches, or as its folder has become meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from fbench.benchmark.records.search_records import SearchRecord
from fbench.benchmark.runs.configuration import same_configuration
from fbench.benchmark.runs.expansion import SeedCounts, expand
from fbench.benchmark.runs.plan import RunPlan
from fbench.benchmark.runs.planning import pending_trials, reusable_trials
from fbench.benchmark.runs.searches import settled
from fbench.benchmark.runs.shards import in_share
from fbench.benchmark.store.search_files import read_searches


def as_the_folder_is_now(plan: RunPlan) -> RunPlan:
    """The same plan where another process may have worked in its folder since.

    Raises:
        UserError: the folder now belongs to another configuration.
    """
    config = plan.config
    if (plan.folder.path / "run.json").exists():
        config = same_configuration(plan.folder, config)
    if config.protocol.tuning is not None:
        known = {**plan.known, **read_searches(plan.folder.searching)}
        plan = _expanded_again(plan, _seed_counts(plan), known)
    pending = pending_trials(plan.folder, plan.own_specs, keep_failed=plan.keep_failed)
    return replace(plan, config=config, pending=pending, reusable=reusable_trials(pending, plan.take_from))


def with_seeds(plan: RunPlan, seeds: SeedCounts) -> RunPlan:
    """The same plan with another number of seeds for each network and data set."""
    return _expanded_again(plan, seeds, plan.known)


def with_searches(plan: RunPlan, found: Sequence[SearchRecord]) -> RunPlan:
    """The same plan with the settings of more searches."""
    known = {**plan.known, **{record.search_id: record for record in found}}
    return _expanded_again(plan, _seed_counts(plan), known)


def _seed_counts(plan: RunPlan) -> dict[tuple[str, str], int]:
    counts = {(row.network, row.data): 0 for row in plan.planned}
    for row in plan.planned:
        counts[row.network, row.data] += 1
    return counts


def _expanded_again(plan: RunPlan, seeds: SeedCounts, known: Mapping[str, SearchRecord]) -> RunPlan:
    settle = partial(settled, known)
    specs, planned, networks = expand(plan.suite, plan.config, seeds, plan.resolved.networks, settle)
    pending = pending_trials(plan.folder, in_share(specs, plan.share), keep_failed=plan.keep_failed)
    return replace(
        plan,
        specs=specs,
        planned=planned,
        networks=networks,
        pending=pending,
        reusable=reusable_trials(pending, plan.take_from),
        seeds=max(seeds.values()),
        known=known,
    )
