"""Carry out searches: rung by rung, several networks at a time, each record written when its search is done.

The trials of a search lie in a folder of their own, like those of a run; the same call goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from fbench.benchmark.records.budget import plan_steps
from fbench.benchmark.records.events import Ended, Event
from fbench.benchmark.records.search_records import SearchRecord
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.runs.driver import run_trials
from fbench.benchmark.runs.executors import NO_LIMITS, Executor, TrialLimits
from fbench.benchmark.runs.listener import RunListener
from fbench.benchmark.runs.network_tasks import NetworkTasks
from fbench.benchmark.runs.searches import Search, conclude
from fbench.benchmark.runs.stopping import UnfinishedRunError
from fbench.benchmark.store.run_folder import WEIGHTS_FILE, RunFolder
from fbench.benchmark.store.search_files import write_search

if TYPE_CHECKING:
    import torch

ItemT = TypeVar("ItemT")


def carry_out_searches(
    searches: Sequence[Search],
    executor: Executor,
    folder: RunFolder,
    at_a_time: int,
    listener: RunListener,
    limits: Callable[[Sequence[TrialSpec]], TrialLimits] = lambda specs: NO_LIMITS,
) -> list[SearchRecord]:
    """Run what the searches lack, ``at_a_time`` of them side by side, and write what each one chose.

    Trials that failed before this call are tried again; one that fails in it is out of its search. Weights are not
    kept.

    Raises:
        UnfinishedRunError: trials are still to run, as the executor was asked to stop or there is no time for them.
        UserError: the disk refuses, or ``limits`` does.
    """
    found: list[SearchRecord] = []
    before = folder.trials() if folder.path.exists() else {}
    records: dict[str, TrialRecord] = {key: one for key, one in before.items() if one.status == "finished"}

    def hear(event: Event) -> None:
        if isinstance(event, Ended):
            (folder.trial_files(event.trial_id) / WEIGHTS_FILE).remove()
            records[event.trial_id] = event.record
        listener.happened_in_search(event)

    for group in _groups(searches, at_a_time):
        while specs := [spec for search in group for spec in search.missing(records)]:
            rung = min(len(search.course(records)) for search in group) - 1
            listener.searching(group, rung, specs)
            if left := run_trials(executor, specs, folder, hear, limits(specs)):
                raise UnfinishedRunError(left)
        for search in group:
            record = conclude(search, folder, records)
            write_search(folder, record)
            listener.searched(record)
            found.append(record)
    return found


def estimate_searches_s(searches: Sequence[Search], device: torch.device, jobs: int, networks: NetworkTasks) -> float:
    """Estimated seconds of searches, ``jobs`` trials at a time."""
    specs = [search.trial(len(search.tuning.rungs) - 1, search.tuning.default, 0) for search in searches]
    trials_s = networks.estimate_trials_s(specs, device)
    pairs = zip(specs, searches, strict=True)
    return sum(trials_s[spec.trial_id] * search.tuning.budgets_at_most for spec, search in pairs) / jobs


def image_passes_at_most(search: Search) -> int:
    """How many images a search sees at most."""
    passes, tuning = 0, search.tuning
    for rung, candidates in enumerate(tuning.entering):
        spec = search.trial(rung, tuning.default, 0)
        steps = plan_steps(spec.protocol, spec.budget, spec.data.images_by_split["train"])
        passes += candidates * tuning.rungs[rung].seeds * steps.steps * steps.batch_size
    return passes


def _groups(items: Sequence[ItemT], size: int) -> Iterator[Sequence[ItemT]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
