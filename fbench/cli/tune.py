"""``fbench tune``: the same search for settings for every network, kept for runs to use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fbench.benchmark.records.events import Ended, Event
from fbench.benchmark.runs.listener import RunListener
from fbench.cli.duration import in_words
from fbench.cli.run_options import (
    DeviceOption,
    JobsOption,
    PluginOption,
    PrecisionChoice,
    PrecisionOption,
    PresetOption,
)
from fbench.reports.formatting import count, plural

if TYPE_CHECKING:
    from fbench.benchmark.records.search_records import SearchRecord
    from fbench.benchmark.records.specs import TrialSpec
    from fbench.benchmark.runs.searches import Search
    from fbench.benchmark.runs.tuning import SearchPlan


def tune_command(
    suite: Annotated[
        list[str] | None, typer.Option(help="A suite's name, or a TOML file; repeatable. Default: ablations.")
    ] = None,
    leave_out: Annotated[list[str] | None, typer.Option(help="A network to leave out; repeatable.")] = None,
    protocol: Annotated[str, typer.Option(help="A protocol with [tuning]: its name, or a TOML file.")] = "fbench_tuned",
    preset: PresetOption = "quick",
    data: Annotated[str, typer.Option(help="NAME or NAME=PATH.")] = "synthetic",
    seeds: Annotated[
        int | None, typer.Option(help='Searches of each network, where [tuning] has mode = "per_seed".')
    ] = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = PrecisionChoice.FP32,
    jobs: JobsOption = None,
    plugin: PluginOption = None,
    out: Annotated[Path, typer.Option(help="Where searches and their table go.")] = Path("results/tuning"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be searched, and how long.")] = False,
) -> None:
    """Search the settings of networks; the same command again goes on where it stopped."""
    from fbench.benchmark.runs.request import RunRequest
    from fbench.benchmark.runs.tuning import make_searches, plan_searches

    requests = [
        RunRequest(
            suite=name,
            protocol=protocol,
            preset=preset,
            data=(data,),
            seeds=seeds,
            device=device,
            precision=precision.value,
            jobs=jobs,
            plugins=tuple(plugin or ()),
            out=out / f"no-run-{number}",
        )
        for number, name in enumerate(suite or ["ablations"])
    ]
    plan = plan_searches(requests, out, leave_out or ())
    _tell_plan(plan)
    if dry_run:
        return
    try:
        table = make_searches(plan, SearchLines())
    except KeyboardInterrupt:
        typer.echo(f"\nStopped. What was finished is kept in {out}; the same command goes on from there.", err=True)
        raise typer.Exit(130) from None
    typer.echo(f"{plural(len(table.searches), 'search', 'searches')} in {plan.table_file}")


def _tell_plan(plan: SearchPlan) -> None:
    from fbench.benchmark.runs.tuning import estimate_searches_s, image_passes_at_most

    remaining = plan.remaining
    typer.echo(f"Searches: {len(plan.searches)}, of them {len(plan.done)} done, {len(remaining)} to make.")
    if remaining:
        tuning = remaining[0].tuning
        typer.echo(
            f"Each has at most {tuning.trials_at_most} trainings with "
            f"{count(image_passes_at_most(remaining[0]))} image passes, {tuning.budgets_at_most:.3g} times those of "
            "one trial."
        )
        typer.echo(
            f"Estimated time with {plan.jobs} at a time: "
            f"{in_words(estimate_searches_s(remaining, plan.device, plan.jobs))} at most."
        )


class SearchLines(RunListener):
    """A line for each rung that starts, each training that ends, and each search that is done."""

    def __init__(self) -> None:
        self._labels: dict[str, str] = {}

    def searching(self, searches: Sequence[Search], rung: int, specs: Sequence[TrialSpec]) -> None:
        """Say what is searched."""
        self._labels = {spec.trial_id: spec.network.name for spec in specs}
        names = ", ".join(search.label for search in searches)
        typer.echo(f"searching, rung {rung + 1}, {plural(len(specs), 'trial')}: {names}")

    def happened_in_search(self, event: Event) -> None:
        """Say how a training ended."""
        if isinstance(event, Ended):
            record = event.record
            protocol = record.spec.protocol
            settings = f"rate {protocol.optimizer.learning_rate:g}, weight decay {protocol.optimizer.weight_decay:g}"
            top1 = f"{100 * record.validation.top1:.2f} %" if record.validation else f"failed: {record.failure_reason}"
            typer.echo(f"  {self._labels.get(record.trial_id, record.spec.network.name)}, {settings}: {top1}")

    def searched(self, record: SearchRecord) -> None:
        """Say what was chosen."""
        typer.echo(
            f"{record.network} on {record.data}: {record.chosen.rate:g} x the rate, {record.chosen.strength} "
            f"regularisation, after {count(record.image_passes)} image passes in {in_words(record.time_s)}"
        )
