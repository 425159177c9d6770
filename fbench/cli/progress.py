"""Progress of a run in the terminal: one bar over all work, with a remaining time from what was really done."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from fbench.benchmark.records.events import Ended, Evaluated, Event, Stepped
from fbench.benchmark.runs.listener import RunListener
from fbench.cli.duration import in_words
from fbench.cli.interim_view import analysis_lines
from fbench.cli.search_view import SearchProgress
from fbench.core.machine import BUSY_PERCENT
from fbench.reports.findings.comparisons.budget import ShortBudget, short_budget

if TYPE_CHECKING:
    from pathlib import Path

    from fbench.benchmark.records.cost_records import CostRecord
    from fbench.benchmark.records.interim_analyses import InterimAnalysis
    from fbench.benchmark.records.search_records import SearchRecord
    from fbench.benchmark.records.specs import TrialSpec
    from fbench.benchmark.records.trial_records import TrialRecord
    from fbench.benchmark.runs.plan import RunPlan
    from fbench.benchmark.runs.searches import Search


_MOST_SHOWN: Final = 300


def busy_words(record: CostRecord, folder: Path) -> str:
    """The line on a measurement that other work disturbed."""
    return (
        f"Cost was measured while other work took {record.busy_percent:.0f} % of the cores (more than "
        f"{BUSY_PERCENT:.0f} %): its times are those of a busy machine. On a quiet one: fbench speed --into "
        f"{shlex.quote(str(folder))}"
    )


def here_alone(networks: Sequence[str]) -> str:
    """The line on networks that only this process can train."""
    names = ", ".join(networks)
    are = "is" if len(networks) == 1 else "are"
    return (
        f"{names} {are} defined in this session, which worker processes cannot import: trained in this process, one "
        "trial at a time, without a time limit. A file that is given as a plug-in has all three."
    )


class RunProgress(RunListener):
    """A listener that draws. Work is counted in estimated seconds; what remains is corrected by the pace so far."""

    def __init__(self) -> None:
        self._console = Console()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[status]}"),
            console=self._console,
            transient=True,
            redirect_stdout=False,
        )
        self._search = SearchProgress(self._print)
        self._tells_each_trial = not self._console.is_terminal
        self._task: TaskID | None = None
        self._labels: dict[str, str] = {}
        self._trials_s: dict[str, float] = {}
        self._done_s: dict[str, float] = {}
        self._steps: dict[str, int] = {}
        self._ended = 0
        self._measuring = False
        self._budget: ShortBudget | None = None
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def searching(self, searches: Sequence[Search], rung: int, specs: Sequence[TrialSpec]) -> None:
        """Say what is searched."""
        self._search.searching(searches, rung, specs)

    def happened_in_search(self, event: Event) -> None:
        """Say how a training of a search ended."""
        self._search.happened_in_search(event)

    def searched(self, record: SearchRecord) -> None:
        """Say what was chosen."""
        self._search.searched(record)

    def began(self, plan: RunPlan, trials_s: dict[str, float], estimate_s: float) -> None:
        """Print the estimate and start the bar."""
        specs = plan.remaining
        self._budget = next((one for data in plan.config.data if (one := short_budget(plan.config, data))), None)
        kept = len(plan.own_specs) - len(specs)
        what = f"{len(specs)} trials to run, {kept} done before; about {in_words(estimate_s)}, {plan.jobs} at a time"
        if not specs:
            what = f"All {kept} trials are done; cost and report take about {in_words(estimate_s)} at most"
        self._console.print(f"{what}. Folder: {plan.folder.path}", highlight=False, soft_wrap=True)
        self._labels = {spec.trial_id: spec.label for spec in plan.specs}
        self._ended, self._done_s = 0, {}
        self._trials_s = {spec.trial_id: max(trials_s[spec.trial_id], 0.1) for spec in specs}
        self._steps = {spec.trial_id: _steps(spec) for spec in specs}
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task("training", total=sum(self._trials_s.values()), status="")
        self._started = time.monotonic()

    def happened(self, event: Event) -> None:
        """Move the bar; a line for each trial that ends where nobody watches a bar."""
        match event:
            case Stepped():
                share = min(1.0, event.steps / self._steps[event.trial_id])
                self._done_s[event.trial_id] = self._trials_s[event.trial_id] * share
            case Ended():
                self._ended += 1
                self._done_s[event.trial_id] = self._trials_s[event.trial_id]
        self._draw()
        if isinstance(event, Ended):
            self._tell_end(event.record)

    def _tell_end(self, record: TrialRecord) -> None:
        if record.status == "failed":
            text = f"failed: {self._labels[record.trial_id]}: {short_reason(record.failure_reason)}"
            self._console.print(text, style="red", markup=False, highlight=False)
        elif self._tells_each_trial:
            accuracy = record.test or record.validation
            top1 = f"{100 * accuracy.top1:.1f} %" if accuracy else ""
            self._console.print(
                f"[{self._ended}/{len(self._trials_s)}] {self._labels[record.trial_id]}: {top1}, {self._remaining()}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
        if record.weights_not_kept:
            text = f"The weights of {self._labels[record.trial_id]} are not kept: {record.weights_not_kept}"
            self._console.print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)

    def measuring(self, what: str) -> None:
        """Say what of the cost is being measured; where nobody watches a bar, once."""
        if not self._console.is_terminal and not self._measuring:
            self._console.print("measuring cost, while no trial runs")
        self._measuring = True
        if self._task is not None:
            self._bar.update(self._task, description="measuring cost", status=what)

    def analysed(self, analyses: Sequence[InterimAnalysis]) -> None:
        """Say what the interim analysis found and what is still open."""
        for line in analysis_lines(analyses, self._budget):
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def left_without_cost(self, reason: str) -> None:
        """Say that the report will have no cost, and why."""
        text = f"Cost was not measured: {reason}"
        self._console.print(text, highlight=False, markup=False, soft_wrap=True, style="yellow")

    def measured_on_busy_machine(self, record: CostRecord, folder: Path) -> None:
        """Say what times are worth, and how they are measured again."""
        self._console.print(busy_words(record, folder), highlight=False, markup=False, soft_wrap=True, style="yellow")

    def trained_here(self, networks: Sequence[str]) -> None:
        """Say that workers are out of the question."""
        self._print(here_alone(networks))

    def left_without_maps(self, failures: dict[str, str]) -> None:
        """Say what the report will lack, and why."""
        for label, reason in failures.items():
            self._console.print(
                f"No feature maps of {label}: {reason}", highlight=False, markup=False, soft_wrap=True, style="yellow"
            )

    def _draw(self) -> None:
        if self._task is not None:
            status = f"{self._ended}/{len(self._trials_s)} trials, {self._remaining()}"
            self._bar.update(self._task, completed=sum(self._done_s.values()), status=status)

    def _remaining(self) -> str:
        """Remaining time of the trials: work left over the pace so far (which includes start-up)."""
        done, total = sum(self._done_s.values()), sum(self._trials_s.values())
        if done < 0.02 * total:
            return "remaining time is being measured"
        elapsed = time.monotonic() - self._started
        return f"about {in_words(elapsed * (total - done) / done)} left"


class VerboseProgress(RunProgress):
    """With a line for each evaluation, and for each trial at a terminal too."""

    def __init__(self) -> None:
        super().__init__()
        self._tells_each_trial = True

    def happened(self, event: Event) -> None:
        """Move the bar and say what was found."""
        if isinstance(event, Evaluated):
            row = event.row
            self._print(
                f"{self._labels[event.trial_id]}, epoch {row.epoch:.3g}: validation {100 * row.validation_top1:.1f} %, "
                f"loss {row.validation_loss:.3f}; training loss {row.train_loss:.3f}, rate {row.learning_rate:.3g}"
            )
        super().happened(event)


def short_reason(reason: str | None) -> str:
    """The first line of why a trial failed, of a length to read; all of it is in the trial's folder."""
    first, _, rest = (reason or "").partition("\n")
    return f"{first[:_MOST_SHOWN]}…" if rest or len(first) > _MOST_SHOWN else first


def _steps(spec: TrialSpec) -> int:
    from fbench.benchmark.records.budget import plan_steps

    return plan_steps(spec.protocol, spec.budget, spec.data.images_by_split["train"]).steps
