"""The settings of a run's trials, where its protocol has them searched."""

from __future__ import annotations

from fbench.benchmark.runs.executor_choice import at_a_time, executor_of
from fbench.benchmark.runs.listener import RunListener
from fbench.benchmark.runs.network_tasks import network_tasks
from fbench.benchmark.runs.plan import RunPlan
from fbench.benchmark.runs.replanning import with_searches
from fbench.benchmark.runs.search_limits import SearchLimits
from fbench.benchmark.runs.searches import Search
from fbench.benchmark.runs.searching import carry_out_searches
from fbench.benchmark.runs.stopping import Stopping
from fbench.benchmark.store.search_files import read_searches, write_search


def search_settings(plan: RunPlan, listener: RunListener, stopping: Stopping | None = None) -> RunPlan:
    """Make the searches that a plan lacks, and keep in its folder those that its trials rest on; the plan with their
    settings.

    Raises:
        UnfinishedRunError: trials of searches are still to run, as the run was asked to stop.
        UserError: there is no time for one trial.
    """
    if plan.config.protocol.tuning is None:
        return plan
    if not (plan.folder.path / "run.json").exists():
        plan.folder.create(plan.config)
    folder = plan.folder.searching
    if searches := plan.searches:
        first = [search.trial(0, search.tuning.default, 0) for search in searches]
        stopping, context = stopping or Stopping(), plan.worker_context(folder, plan.jobs)
        with (
            executor_of(context, plan.cluster, plan.resolved.plugins, first) as executor,
            network_tasks(context.scratch, trial_timeout_s=plan.trial_timeout_s) as networks,
            stopping.of(executor),
        ):
            limits = SearchLimits(folder, plan.device, networks, plan.trial_timeout_s, stopping)
            width = at_a_time(executor, plan.jobs)
            found = carry_out_searches(searches, executor, folder, width, listener, limits)
        plan = with_searches(plan, found)
    used = dict.fromkeys(Search.of(spec).search_id for spec in plan.own_specs)
    for search_id in used.keys() - read_searches(folder).keys():
        write_search(folder, plan.known[search_id])
    return plan
