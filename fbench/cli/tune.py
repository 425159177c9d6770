"""``fbench tune``: the same search for settings for every network, kept for runs to use."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from fbench.cli.duration import seconds_of
from fbench.cli.run_options import (
    CpusPerTrialOption,
    DeviceOption,
    ExecutorChoice,
    ExecutorOption,
    GpusPerTrialOption,
    JobsOption,
    PluginOption,
    PrecisionChoice,
    PrecisionOption,
    PresetOption,
    RayAddressOption,
    TimeBudgetOption,
    TrialTimeoutOption,
)
from fbench.cli.stop_signals import STOPPED, StopSignals


def tune_command(
    suite: Annotated[
        list[str] | None, typer.Option(help="A suite's name, or a TOML file; repeatable. Default: ablations.")
    ] = None,
    leave_out: Annotated[list[str] | None, typer.Option(help="A network to leave out; repeatable.")] = None,
    protocol: Annotated[
        str, typer.Option(help="A protocol with \\[tuning]: its name, or a TOML file.")
    ] = "fbench_tuned",
    preset: PresetOption = "quick",
    data: Annotated[str, typer.Option(help="NAME or NAME=PATH.")] = "synthetic",
    seeds: Annotated[
        int | None, typer.Option(help='Searches of each network, where \\[tuning] has mode = "per_seed".')
    ] = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = PrecisionChoice.FP32,
    jobs: JobsOption = None,
    plugin: PluginOption = None,
    trial_timeout: TrialTimeoutOption = None,
    time_budget: TimeBudgetOption = None,
    executor: ExecutorOption = ExecutorChoice.LOCAL,
    ray_address: RayAddressOption = None,
    cpus_per_trial: CpusPerTrialOption = None,
    gpus_per_trial: GpusPerTrialOption = None,
    out: Annotated[Path, typer.Option("--out", "--output", "-o", help="Where searches and their table go.")] = Path(
        "results/searches"
    ),
    again: Annotated[bool, typer.Option("--again", help="Search too what comes with fbench.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be searched, and how long.")] = False,
) -> None:
    """Search the settings of networks; the same command again goes on where it stopped.

    Settings that come with fbench and fit are taken as they are, unless --again is given.
    """
    from fbench.benchmark.clusters.options import cluster_asked_for
    from fbench.benchmark.runs.request import RunRequest
    from fbench.benchmark.runs.stopping import Stopping, UnfinishedRunError
    from fbench.benchmark.runs.tuning import make_searches, plan_searches
    from fbench.benchmark.store.search_files import kept_searches
    from fbench.cli.search_view import SearchProgress, search_lines
    from fbench.reports.formatting import plural

    stopping = Stopping(None if time_budget is None else seconds_of(time_budget, "--time-budget"))
    cluster = cluster_asked_for(executor.value, ray_address, cpus_per_trial, gpus_per_trial)
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
            trial_timeout_s=None if trial_timeout is None else seconds_of(trial_timeout, "--trial-timeout"),
            cluster=cluster,
        )
        for number, name in enumerate(suite or ["ablations"])
    ]
    plan = plan_searches(requests, out, leave_out or (), {} if again else kept_searches())
    typer.echo(f"Searches: {len(plan.searches)}, of them {len(plan.searches) - len(plan.remaining)} done.")
    for line in search_lines(plan.remaining, plan.device, plan.jobs):
        typer.echo(line)
    if dry_run:
        return
    signals = StopSignals(stopping)
    try:
        with signals.heard():
            table = make_searches(plan, SearchProgress(typer.echo), stopping)
    except (KeyboardInterrupt, UnfinishedRunError) as error:
        with suppress(OSError):  # after SIGHUP there is no terminal
            typer.echo(f"\nStopped. What was finished is kept in {out}; the same command goes on from there.", err=True)
        time_is_over = isinstance(error, UnfinishedRunError) and not signals.was_asked
        raise typer.Exit(STOPPED if time_is_over else signals.exit_code) from None
    typer.echo(f"{plural(len(table.searches), 'search', 'searches')} in {plan.table_file}")
