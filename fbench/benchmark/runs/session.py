"""The course of a run: execute what a plan lacks, measure cost, keep the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fbench.benchmark.data.audit.findings import Audit
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.specs import DataSpec
from fbench.benchmark.records.trial_records import PlannedTrial
from fbench.benchmark.runs.driver import run_trials
from fbench.benchmark.runs.executor_choice import at_a_time, executor_of, train_together
from fbench.benchmark.runs.interim_analyses import open_keys, planned_analyses, take_analyses, wanted_seeds
from fbench.benchmark.runs.listener import RunListener
from fbench.benchmark.runs.network_tasks import NetworkTasks, network_tasks
from fbench.benchmark.runs.plan import RunPlan
from fbench.benchmark.runs.planning import plan_groups
from fbench.benchmark.runs.replanning import as_the_folder_is_now, with_seeds
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.run_cost import has_cost, measure_run_cost
from fbench.benchmark.runs.search_settings import search_settings
from fbench.benchmark.runs.searching import estimate_searches_s
from fbench.benchmark.runs.stopping import Stopping, UnfinishedRunError
from fbench.benchmark.runs.time_budget import refuse_short_budget, seconds_left, trial_limits
from fbench.benchmark.store.inputs import keep_inputs
from fbench.benchmark.store.ledger import read_ledger
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.core.locks import locked


def estimate_run_s(plan: RunPlan, networks: NetworkTasks) -> tuple[dict[str, float], float]:
    """Estimated seconds of each trial still to run, and of the whole run with searches, cost measurement and report."""
    from fbench.benchmark.cost.estimate import START_UP_S, packed_s

    trials_s = networks.estimate_trials_s(plan.remaining, plan.device)
    start_up_s = START_UP_S if plan.jobs_needed > 1 else 0.0
    cost_s = 0.0 if has_cost(plan) else COST_S_PER_NETWORK * len(plan.networks)
    ends_s = cost_s + REPORT_S if plan.share is None else 0.0  # a shard ends with its trials
    searches_s = estimate_searches_s(plan.searches, plan.device, plan.jobs, networks)
    whole_s = start_up_s + packed_s(list(trials_s.values()), plan.jobs_needed) + ends_s
    return trials_s, searches_s + whole_s


COST_S_PER_NETWORK = 4.5  # measured on 2 cores with the default cost plan, 16 networks
REPORT_S = 10.0


def execute_run(
    plan: RunPlan, listener: RunListener, *, by_rule: bool = False, stopping: Stopping | None = None
) -> RunTable:
    """Carry out a plan: search settings where the protocol says so, take trials from other runs, run the rest, measure
    cost, add maps of faces, copy the ledger.

    Every planned trial is then in the folder, finished or failed with a reason.

    A keyboard interrupt leaves every finished trial in the folder, and the same request goes on from there. Maps that
    cannot be made are left out, and tried again by the same request. Seeds that are added to finished ones are marked
    in the plan, unless a rule that was fixed beforehand adds them (``by_rule``).

    Raises:
        UnfinishedRunError: trials are still to run, as the run was asked to stop (``stopping``).
    """
    from fbench.benchmark.maps.making import add_maps

    stopping = stopping or Stopping()
    plan = search_settings(plan, listener, stopping)
    context = plan.worker_context(plan.folder, plan.jobs_needed)
    with (
        executor_of(context, plan.cluster, plan.resolved.plugins, plan.remaining) as executor,
        network_tasks(context.scratch, trial_timeout_s=plan.trial_timeout_s) as networks,
    ):
        plan = replace(plan, jobs=at_a_time(executor, plan.jobs))
        _fill_folder(plan, by_rule=by_rule)
        try:
            trials_s, estimate_s = estimate_run_s(plan, networks)
            longest_first = sorted(plan.remaining, key=lambda spec: -trials_s[spec.trial_id])
            listener.began(plan, trials_s, estimate_s)
            if of_session := dict.fromkeys(one.network.name for one in plan.remaining if one.network.is_of_session):
                listener.trained_here(list(of_session))
            has_end = stopping.time_budget_s is not None
            left_s = seconds_left(plan.folder, plan.remaining, trials_s) if has_end else trials_s
            refuse_short_budget(left_s, stopping)
            train_together(executor, _together(plan, networks))
            limits = trial_limits(trials_s, left_s, plan.trial_timeout_s, stopping)
            with stopping.of(executor):
                left = run_trials(executor, longest_first, plan.folder, listener.happened, limits)
            if left:
                raise UnfinishedRunError(left)
            if plan.share is None:  # else others are at work, and the whole run is measured when it is merged
                _require_time_for_cost(plan, stopping)
                measure_run_cost(plan, listener, networks)
            if failures := add_maps(plan.folder, plan.planned, plan.specs, networks.add_maps):
                listener.left_without_maps(failures)
        finally:
            plan.folder.write_test_readings(_readings(plan))
    return load_run(plan.folder.path)


def _together(plan: RunPlan, networks: NetworkTasks) -> int:
    """How many trials one process trains at a time where that changes no bits: as asked, else as is fastest."""
    from fbench.benchmark.machine.streams import number_changes_no_bits

    own = [spec for spec in plan.remaining if spec.network.source_sha256 is None]
    if plan.together > 1 or len(own) < 2 or not number_changes_no_bits(plan.device):
        return plan.together
    return networks.trials_together(own[0], plan.device)


def _require_time_for_cost(plan: RunPlan, stopping: Stopping) -> None:
    """
    Raises:
        UnfinishedRunError: there is no time any more to measure cost.
    """
    if not has_cost(plan) and stopping.time_left_s < COST_S_PER_NETWORK * len(plan.networks) + REPORT_S:
        raise UnfinishedRunError([], also="the measurement of cost")


def run_until_decided(
    plan: RunPlan, max_seeds: int, listener: RunListener, stopping: Stopping | None = None
) -> RunTable:
    """Add seeds to the networks of open comparisons, one interim analysis after another, until each is decided,
    hopeless or at ``max_seeds``.

    Interim analyses are at 5, 10, 15, ... seeds and at ``max_seeds``; :mod:`fbench.statistics.seeds.sequential` has the
    rule. What each interim analysis found is kept in the run's folder, and the same call goes on after an interruption.

    Raises:
        UserError: fewer than two seeds at most, or a folder whose interim analyses were planned for another number of
            seeds.
    """
    analyses = planned_analyses(plan.folder, max_seeds)
    data = tuple(spec.name for spec in plan.config.data)
    while True:
        wanted = with_seeds(plan, wanted_seeds(plan.suite, data, analyses))
        wanted = search_settings(wanted, listener, stopping)
        table = execute_run(wanted, listener, by_rule=True, stopping=stopping)
        # what failed is tried once a call, not once an interim analysis
        plan = replace(plan, known=wanted.known, keep_failed=True)
        taken = take_analyses(plan.suite, table, data, analyses)
        new = taken.analyses[len(analyses.analyses) :]
        if new:
            analyses = taken
            plan.folder.write_interim_analyses(analyses)
            listener.analysed(new)
        if not new or not open_keys(plan.suite, data, analyses):
            return table


def marked_additions(folder: RunFolder, planned: Sequence[PlannedTrial]) -> list[PlannedTrial]:
    """The rows of a plan, with a mark on each seed that is new to the folder where others of its network, which may
    have been looked at, have finished."""
    before = {(row.network, row.data, row.seed): row for row in folder.plan()}
    if all((row.network, row.data, row.seed) in before for row in planned):
        recorded = set[str]()
    else:
        recorded = set(folder.trial_ids())
    seen = {(row.network, row.data) for row in before.values() if row.trial_id in recorded}
    return [
        row.model_copy(update={"added_after_results": before[key].added_after_results})
        if (key := (row.network, row.data, row.seed)) in before
        else row.model_copy(update={"added_after_results": key[:2] in seen})
        for row in planned
    ]


def _fill_folder(plan: RunPlan, *, by_rule: bool) -> None:
    """Everything of a run but its own trials and costs: configuration, plan, audit, networks, trials of other runs."""
    from fbench.benchmark.training.networks import describe_network

    if not (plan.folder.path / "run.json").exists():
        plan.folder.create(plan.config)
    keep_inputs(plan.folder.files, plan.config, plan.resolved.plugins)
    plan.folder.extend_plan(plan.planned if by_rule else marked_additions(plan.folder, plan.planned))
    _audit_data(plan)
    for network in plan.networks:
        description = plan.resolved.descriptions.get(network.digest) or describe_network(network)
        plan.folder.write_network(network.digest, description)
    for trial_id, source in plan.reusable.items():
        plan.folder.take_trial(source, trial_id)


def run(request: RunRequest, listener: RunListener | None = None, stopping: Stopping | None = None) -> RunTable:
    """Plan and execute a run. With ``max_seeds`` seeds are added until the comparisons are decided, else every network
    gets ``seeds``. Networks that were split off have a run of their own beside it, which is executed too.

    Raises:
        UnfinishedRunError: as :func:`carry_out`.
        UserError: as :func:`plan_run` and :func:`run_until_decided`.
    """
    plans = plan_groups(request)
    first, *_ = [carry_out(plan, request.max_seeds, listener or RunListener(), stopping) for plan in plans]
    return first


def carry_out(
    plan: RunPlan, max_seeds: int | None, listener: RunListener, stopping: Stopping | None = None
) -> RunTable:
    """Carry out a plan as it is, or until its comparisons are decided, while no other process works in its folder.

    Raises:
        UnfinishedRunError: it was asked to stop with trials still to run.
        UserError: another process is at work in the folder, and is not waited for.
    """
    with locked(plan.folder.path, f"The run {plan.folder.path}", wait=plan.wait):
        plan.folder.clean()
        plan = as_the_folder_is_now(plan)
        if not (plan.folder.path / "run.json").exists():
            plan.folder.create(plan.config)
        plan = replace(plan, folder=plan.folder.while_it_is_there())
        if max_seeds is None:
            return execute_run(plan, listener, stopping=stopping)
        return run_until_decided(plan, max_seeds, listener, stopping)


def _readings(plan: RunPlan) -> list[str]:
    """The ledger's lines for every data set that was trained on, treated ones among them."""
    fingerprints = [data.fingerprint for data in plan.config.data] + [spec.data.fingerprint for spec in plan.specs]
    return [line for fingerprint in dict.fromkeys(fingerprints) for line in read_ledger(fingerprint)]


def _audit_data(plan: RunPlan) -> None:
    """Keep what is known of each data set's flaws: a full audit where one was made before, else a quick one.

    Audits of runs whose trials are taken are taken too. An audit speaks of the splits that the protocol uses, so one
    from the user's cache, which knows the data's own splits, serves only where these are used.
    """
    from fbench.benchmark.data.audit.kept import cached_audit

    sources = list({source.path: source for source in plan.reusable.values()}.values())
    own_splits = plan.config.protocol.test_split == "own"
    for data in plan.config.data:
        found = [plan.folder.audit(data.fingerprint), cached_audit(data.fingerprint) if own_splits else None]
        found += [source.audit(data.fingerprint) for source in sources]
        known = [audit for audit in found if audit is not None]
        full = [audit for audit in known if audit.near is not None]
        audit = next(iter([*full, *known]), None) or _quick_audit(data, plan.config.protocol)
        plan.folder.write_audit(data.fingerprint, audit)


def _quick_audit(data: DataSpec, protocol: Protocol) -> Audit:
    from fbench.benchmark.data.audit.audit import audit_dataset
    from fbench.benchmark.data.loaded import load_for
    from fbench.benchmark.training.arrange import arrange_splits

    return audit_dataset(arrange_splits(load_for(data), protocol), near=False)
