"""``fbench merge``: one run of its parts."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from fbench.cli.run_end import give_results
from fbench.cli.stop_signals import STOPPED


def merge_command(
    runs: Annotated[
        list[Path], typer.Argument(help="The runs: shards of one, or runs of one configuration.", metavar="RUN...")
    ],
    out: Annotated[Path, typer.Option("--out", "--output", "-o", help="The folder of the merged run.")],
    partial: Annotated[
        bool, typer.Option("--partial", help="Merge what is there, where shards or trials are missing.")
    ] = False,
) -> None:
    """Make one run of shards, or of runs of one configuration, and write its report. Runs of other settings, data or
    code are refused, and so are two results of one trial that differ."""
    from fbench.benchmark.runs.merge_plan import plan_merge, refuse_half
    from fbench.benchmark.runs.merging import carry_out_merge
    from fbench.benchmark.store.run_table import load_run
    from fbench.cli.run_output import FullOutput
    from fbench.reports.findings.origin.provenance import repeat_command

    plan = plan_merge(runs)
    if not partial:
        refuse_half(plan)
    table = load_run(carry_out_merge(plan, out).path)
    if not table.costs:
        command = f"{repeat_command(table)} --out {shlex.quote(str(table.folder.path))}"
        typer.echo(f"Cost is not measured in parts of a run, which may share a machine; here: {command}", err=True)
    give_results(table, FullOutput())
    if left := len({row.trial_id for row in plan.still_to_run}):
        typer.echo(f"{left} trials of this run are still to run.", err=True)
        raise typer.Exit(STOPPED)
