"""Who is told how a run goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fbench.benchmark.records.events import Event
from fbench.benchmark.records.interim_analyses import InterimAnalysis
from fbench.benchmark.records.search_records import SearchRecord
from fbench.benchmark.records.specs import TrialSpec

if TYPE_CHECKING:
    from pathlib import Path

    from fbench.benchmark.records.cost_records import CostRecord
    from fbench.benchmark.runs.plan import RunPlan
    from fbench.benchmark.runs.searches import Search


class RunListener:
    """Is told how a run goes, in the process that started it; here every method does nothing."""

    def searching(self, searches: Sequence[Search], rung: int, specs: Sequence[TrialSpec]) -> None:
        """These trials of a rung, counted from 0, of these searches are about to start."""

    def happened_in_search(self, event: Event) -> None:
        """A trial of a search started, stepped, was evaluated, or ended with its record written."""

    def searched(self, record: SearchRecord) -> None:
        """A search is done and its record is written."""

    def began(self, plan: RunPlan, trials_s: dict[str, float], estimate_s: float) -> None:
        """The remaining trials are about to start; estimated seconds of each by id, and of the whole run."""

    def trained_here(self, networks: Sequence[str]) -> None:
        """These networks were defined in this session, and are trained in this process, one after another."""

    def happened(self, event: Event) -> None:
        """A trial started, stepped, was evaluated, or ended with its record written."""

    def measuring(self, what: str) -> None:
        """Cost is being measured."""

    def analysed(self, analyses: Sequence[InterimAnalysis]) -> None:
        """Each comparison that was open was analysed."""

    def left_without_cost(self, reason: str) -> None:
        """Cost could not be measured, for this reason."""

    def measured_on_busy_machine(self, record: CostRecord, folder: Path) -> None:
        """Cost of the run in this folder was measured while other work took much of the cores."""

    def left_without_maps(self, failures: dict[str, str]) -> None:
        """Maps of faces could not be made for these trials, by label, with the reason."""


class Together(RunListener):
    """Tells several listeners, in their order."""

    def __init__(self, *listeners: RunListener) -> None:
        self._listeners = listeners

    def searching(self, searches: Sequence[Search], rung: int, specs: Sequence[TrialSpec]) -> None:
        """Tell all."""
        for one in self._listeners:
            one.searching(searches, rung, specs)

    def happened_in_search(self, event: Event) -> None:
        """Tell all."""
        for one in self._listeners:
            one.happened_in_search(event)

    def searched(self, record: SearchRecord) -> None:
        """Tell all."""
        for one in self._listeners:
            one.searched(record)

    def began(self, plan: RunPlan, trials_s: dict[str, float], estimate_s: float) -> None:
        """Tell all."""
        for one in self._listeners:
            one.began(plan, trials_s, estimate_s)

    def trained_here(self, networks: Sequence[str]) -> None:
        """Tell all."""
        for one in self._listeners:
            one.trained_here(networks)

    def happened(self, event: Event) -> None:
        """Tell all."""
        for one in self._listeners:
            one.happened(event)

    def measuring(self, what: str) -> None:
        """Tell all."""
        for one in self._listeners:
            one.measuring(what)

    def analysed(self, analyses: Sequence[InterimAnalysis]) -> None:
        """Tell all."""
        for one in self._listeners:
            one.analysed(analyses)

    def left_without_cost(self, reason: str) -> None:
        """Tell all."""
        for one in self._listeners:
            one.left_without_cost(reason)

    def measured_on_busy_machine(self, record: CostRecord, folder: Path) -> None:
        """Tell all."""
        for one in self._listeners:
            one.measured_on_busy_machine(record, folder)

    def left_without_maps(self, failures: dict[str, str]) -> None:
        """Tell all."""
        for one in self._listeners:
            one.left_without_maps(failures)
