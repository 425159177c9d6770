"""What ``--dry-run`` prints: the trials, the smallest p-value each family can reach, and the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from fbench.ablations.study import comparisons
from fbench.cli.duration import in_words
from fbench.statistics.sign_flip import smallest_reachable

if TYPE_CHECKING:
    from fbench.planning import RunPlan


def print_plan(plan: RunPlan, estimate_s: float) -> None:
    """Print the plan of a run that is not going to be run."""
    print_notes(plan)
    console = Console()
    console.print(f"Trials ({plan.config.protocol.name}, {plan.config.preset})", highlight=False)
    console.print(_trials(plan))
    console.print("Smallest p-value that each study can reach (sign-flip over seeds, after Holm)", highlight=False)
    console.print(_families(plan))
    taken = len(plan.takeable)
    todo = len(plan.pending) - taken
    done = len(plan.specs) - len(plan.pending)
    typer.echo(f"Trials: {len(plan.specs)}, of them {done} done, {taken} taken from other runs, {todo} to run.")
    planned = plan.machine_plan is not None and plan.machine_plan.jobs == plan.jobs
    chosen = ", as this machine's plan says," if planned else ""
    typer.echo(f"Estimated time with {plan.jobs} at a time{chosen}: {in_words(estimate_s)}.")
    typer.echo(f"Folder: {plan.folder.path}")


def print_notes(plan: RunPlan) -> None:
    """Say what the sources had and the data sets have not, and why a run is eager that was not to be."""
    for data in plan.config.data:
        for part in data.left_out:
            names = ", ".join(name.encode("unicode_escape").decode() for name in part.examples)
            more = ", ..." if part.count > len(part.examples) else ""
            typer.echo(f"{data.name}: {part.count:,} left out, each {part.reason} ({names}{more})", err=True)
    for name, reason in plan.config.eager_because.items():
        typer.echo(f"{name} cannot be compiled here, so the whole run is eager: {reason}", err=True)


def _trials(plan: RunPlan) -> Table:
    pending = {spec.trial_id for spec in plan.pending}
    table = Table()
    table.add_column("network")
    table.add_column("data")
    table.add_column("seeds", justify="right")
    table.add_column("to run", justify="right")
    for name, data in dict.fromkeys((row.network, row.data) for row in plan.planned):
        ids = [row.trial_id for row in plan.planned if (row.network, row.data) == (name, data)]
        table.add_row(name, data, str(len(ids)), str(sum(trial_id in pending for trial_id in ids)))
    return table


def _families(plan: RunPlan) -> Table:
    table = Table()
    table.add_column("study")
    table.add_column("comparisons", justify="right")
    table.add_column("smallest p", justify="right")
    table.add_column("can reach p < 0.05")
    for study in plan.suite.studies:
        family = len(comparisons(study))
        if family == 0:
            table.add_row(study.name, "0", "", "nothing to compare")
            continue
        smallest = smallest_reachable(plan.seeds, family)
        table.add_row(study.name, str(family), f"{smallest:.4f}", "yes" if smallest < 0.05 else "no: descriptive")
    return table
