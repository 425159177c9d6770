"""What the terminal says of searches for settings: what they will cost, how they go, and what they chose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fbench.benchmark.records.events import Ended, Event
from fbench.benchmark.runs.listener import RunListener
from fbench.cli.duration import in_words
from fbench.reports.formatting import count, plural

if TYPE_CHECKING:
    import torch

    from fbench.benchmark.records.search_records import SearchRecord
    from fbench.benchmark.records.specs import TrialSpec
    from fbench.benchmark.runs.searches import Search


def search_lines(searches: Sequence[Search], device: torch.device, jobs: int) -> list[str]:
    """How many searches are to be made, what each costs, and about how long they take; none where none is."""
    from fbench.benchmark.runs.network_tasks import network_tasks
    from fbench.benchmark.runs.searching import estimate_searches_s, image_passes_at_most

    if not searches:
        return []
    with network_tasks() as networks:
        estimate_s = estimate_searches_s(searches, device, jobs, networks)
    tuning, passes = searches[0].tuning, image_passes_at_most(searches[0])
    what = f"{plural(len(searches), 'search', 'searches')} for settings {'comes' if len(searches) == 1 else 'come'}"
    return [
        f"{what} first, as none that was kept fits: {plural(tuning.trials_at_most, 'training')} and {count(passes)} "
        f"image passes each, as much as {tuning.budgets_at_most:.3g} trials; "
        f"about {in_words(estimate_s)} in all, {jobs} at a time."
    ]


class SearchProgress(RunListener):
    """A line for each rung that starts, each training that ends, and each search that is done."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say

    def searching(self, searches: Sequence[Search], rung: int, specs: Sequence[TrialSpec]) -> None:
        """Say what is searched."""
        names = ", ".join(search.label for search in searches)
        self._say(f"searching settings, round {rung + 1}, {plural(len(specs), 'training')}: {names}")

    def happened_in_search(self, event: Event) -> None:
        """Say how a training ended."""
        if isinstance(event, Ended):
            record, protocol = event.record, event.record.spec.protocol
            settings = f"rate {protocol.optimizer.learning_rate:g}, weight decay {protocol.optimizer.weight_decay:g}"
            top1 = f"{100 * record.validation.top1:.2f} %" if record.validation else f"failed: {record.failure_reason}"
            self._say(f"  {record.spec.network.name}, {settings}: {top1}")

    def searched(self, record: SearchRecord) -> None:
        """Say what was chosen."""
        self._say(
            f"{record.network} on {record.data}: {record.chosen.rate:g} x the rate, {record.chosen.strength} "
            f"regularisation, after {count(record.image_passes)} image passes in {in_words(record.time_s)}"
        )
