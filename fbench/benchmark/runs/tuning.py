"""Searches without a run: the settings of many networks, kept in a table for runs to use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.events import Event
from fbench.benchmark.records.search_records import SearchRecord, SearchTable
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.executor_choice import at_a_time, executor_of
from fbench.benchmark.runs.executors import WorkerContext
from fbench.benchmark.runs.listener import RunListener
from fbench.benchmark.runs.network_tasks import network_tasks
from fbench.benchmark.runs.planning import plan_run
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.search_limits import SearchLimits
from fbench.benchmark.runs.searches import Search, waiting
from fbench.benchmark.runs.searching import carry_out_searches
from fbench.benchmark.runs.stopping import Stopping
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.search_files import read_searches, write_table
from fbench.core.errors import UserError
from fbench.core.locks import locked

if TYPE_CHECKING:
    import torch

    from fbench.architectures.plugin_sources import PluginSources
    from fbench.benchmark.clusters.options import ClusterOptions


@dataclass(frozen=True)
class SearchPlan:
    """The searches of some networks on one data set: those done, in ``folder`` or ``kept`` in a table, and those to be
    made."""

    folder: RunFolder
    table_file: Path
    searches: tuple[Search, ...]
    kept: Mapping[str, SearchRecord]
    context: WorkerContext
    cluster: ClusterOptions | None
    plugins: Mapping[str, PluginSources]
    device: torch.device
    jobs: int
    trial_timeout_s: float | None

    @property
    def done(self) -> dict[str, SearchRecord]:
        """The searches with a record as the folder is now; its own goes before one that was kept."""
        return {**self.kept, **read_searches(self.folder)}

    @property
    def remaining(self) -> list[Search]:
        """The searches without a record."""
        done = self.done
        return [search for search in self.searches if search.search_id not in done]


def plan_searches(
    requests: Sequence[RunRequest],
    folder: Path,
    leave_out: Sequence[str] = (),
    kept: Mapping[str, SearchRecord] | None = None,
) -> SearchPlan:
    """The searches that runs would need, of all networks but those left out, each once.

    Requests differ in their suites alone, and have one data set. Searches that are ``kept``, as those that come with
    fbench (:func:`fbench.benchmark.store.search_files.kept_searches`), count as done.

    Raises:
        UserError: as :func:`fbench.benchmark.runs.planning.plan_run`; a protocol without ``[tuning]``; a network to be
            left out that is in no suite.
    """
    plans = [plan_run(request) for request in requests]
    first = plans[0]
    if first.config.protocol.tuning is None:
        raise UserError(
            f"Protocol '{first.config.protocol.name}' has no [tuning], so there is nothing to search; give one that "
            "has with --protocol, such as fbench_tuned."
        )
    names = {network.name for plan in plans for network in plan.networks}
    if unknown := [name for name in leave_out if name not in names]:
        raise UserError(f"--leave-out {unknown[0]}: asked for are {', '.join(sorted(names))}; leave one of these out.")
    specs = [
        spec.model_copy(update={"protocol": spec.default_protocol, "default_protocol": None})
        if spec.default_protocol is not None
        else spec
        for plan in plans
        for spec in plan.specs
        if spec.network.name not in leave_out
    ]
    target = RunFolder(folder)
    name = "-".join((first.config.data[0].name, first.config.protocol.name, _budget_name(first.config.budget)))
    return SearchPlan(
        folder=target,
        table_file=folder / f"{name}.json",
        searches=tuple(waiting(specs)),
        kept=kept or {},
        context=first.worker_context(target, first.jobs),
        cluster=first.cluster,
        plugins={name: sources for plan in plans for name, sources in plan.resolved.plugins.items()},
        device=first.device,
        jobs=first.jobs,
        trial_timeout_s=first.trial_timeout_s,
    )


def make_searches(plan: SearchPlan, listener: RunListener, stopping: Stopping | None = None) -> SearchTable:
    """Make the searches that a plan lacks, while no other process works in its folder, and write the table of all that
    are done after each one.

    A keyboard interrupt leaves what was finished, and the same call goes on from there.

    Raises:
        UnfinishedRunError: trials are still to run, as the searches were asked to stop or their time is over.
        UserError: another process is at work in the folder, or there is no time for one trial.
    """
    stopping = stopping or Stopping()
    with locked(plan.folder.path, f"The search in {plan.folder.path}"):
        plan.folder.clean()
        keeper, remaining = _TableKeeper(plan, listener), plan.remaining
        if remaining:
            first = [search.trial(0, search.tuning.default, 0) for search in remaining]
            with (
                executor_of(plan.context, plan.cluster, plan.plugins, first) as executor,
                network_tasks(plan.context.scratch, trial_timeout_s=plan.trial_timeout_s) as networks,
                stopping.of(executor),
            ):
                limits = SearchLimits(plan.folder, plan.device, networks, plan.trial_timeout_s, stopping)
                width = at_a_time(executor, plan.jobs)
                carry_out_searches(remaining, executor, plan.folder, width, keeper, limits)
        return keeper.write()


def _budget_name(budget: Budget) -> str:
    if budget.image_passes is not None:
        return f"{budget.image_passes}passes"
    return "full" if budget.epochs is None else f"{budget.epochs}epochs"


class _TableKeeper(RunListener):
    """Writes the table anew whenever a search is done, and passes on to another listener what it hears."""

    def __init__(self, plan: SearchPlan, listener: RunListener) -> None:
        self._plan = plan
        self._records = plan.done
        self._listener = listener

    def searching(self, searches: Sequence[Search], rung: int, specs: Sequence[TrialSpec]) -> None:
        """Pass it on."""
        self._listener.searching(searches, rung, specs)

    def happened_in_search(self, event: Event) -> None:
        """Pass it on."""
        self._listener.happened_in_search(event)

    def searched(self, record: SearchRecord) -> None:
        """Keep it in the table."""
        self._records[record.search_id] = record
        self.write()
        self._listener.searched(record)

    def write(self) -> SearchTable:
        """Write the searches of the plan that are done, in the order of the plan."""
        first = self._plan.searches[0]
        found = (self._records.get(search.search_id) for search in self._plan.searches)
        table = SearchTable(
            data=first.data.name,
            data_fingerprint=first.data.fingerprint,
            protocol=first.protocol,
            budget=first.budget,
            searches=tuple(record for record in found if record is not None),
        )
        write_table(self._plan.table_file, table)
        return table
