"""``fbench status``: what a run has, lacks and lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fbench.core.errors import UserError, readable

if TYPE_CHECKING:
    from fbench.benchmark.records.trial_records import PlannedTrial
    from fbench.benchmark.store.run_table import RunTable


def status_command(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    log: Annotated[
        str | None,
        typer.Option(
            "--log", metavar="TRIAL", help="Why this trial failed: NETWORK:SEED, or an id; with traceback and log."
        ),
    ] = None,
) -> None:
    """Show the trials of a run: finished, failed with their reasons, and still to run; and its interim analyses, if it
    has any. What a report would refuse or leave out is told at the end."""
    from fbench.benchmark.store.run_table import load_run
    from fbench.cli.interim_view import analysis_lines
    from fbench.reports.findings.comparisons.budget import short_budget

    if log is not None:
        _print_log(run, log, as_json=as_json)
        return
    table = load_run(run)
    analyses = table.interim_analyses
    latest = list({analysis.key: analysis for analysis in analyses.analyses}.values()) if analyses else []
    rows = [_row(table, planned) for planned in table.plan]
    left_out, refusal = _checked(table)
    if as_json:
        shown = {"run": str(run), "trials": rows, "costs": len(table.costs)}
        shown |= {"left_out": left_out, "refused": str(refusal) if refusal else None}
        shown["interim_analyses"] = [analysis.model_dump(mode="json") for analysis in latest]
        typer.echo(json.dumps(shown, indent=1))
        if refusal:
            raise refusal
        return
    _print_table(rows)
    if (shard := table.config.shard) is not None:
        typer.echo(f"This is part {shard} of a run: other parts train the rest, and `fbench merge` makes one of all.")
    counts = {status: sum(row["status"] == status for row in rows) for status in ("finished", "failed", "to run")}
    typer.echo(
        f"{counts['finished']} finished, {counts['failed']} failed, {counts['to run']} to run; "
        + _cost_line(table.costs)
    )
    budget = next((found for data in table.config.data if (found := short_budget(table.config, data))), None)
    for line in analysis_lines(latest, budget) if latest else ():
        typer.echo(line)
    for line in left_out:
        typer.echo(line, err=True)
    if refusal:
        raise refusal


def _print_log(run: Path, given: str, *, as_json: bool) -> None:
    """Print what is known of a trial that failed."""
    from fbench.benchmark.export.trained import find_trial
    from fbench.benchmark.store.run_folder import RunFolder

    folder = RunFolder.open(run)
    trial_id = find_trial(folder, given)
    record, details = folder.trial(trial_id), folder.failure_details(trial_id)
    if as_json:
        shown = {"trial": trial_id, "status": record.status, "failure_reason": record.failure_reason, "log": details}
        typer.echo(json.dumps(shown, indent=1))
        return
    if record.status == "finished":
        typer.echo(f"{record.spec.label} finished; only of failed trials a log is kept.")
        return
    typer.echo(f"{record.spec.label} failed: {readable(str(record.failure_reason))}")
    for line in details.splitlines():
        typer.echo(readable(line))


def _row(table: RunTable, planned: PlannedTrial) -> dict[str, object]:
    facts = table.facts(planned.trial_id) if planned.trial_id in table.trials else None
    measures = (facts.test or facts.validation) if facts else None
    return {
        **planned.model_dump(),
        "status": facts.status if facts else "to run",
        "top1": measures.top1 if measures else None,
        "failure_reason": facts.failure_reason if facts else None,
    }


def _checked(table: RunTable) -> tuple[list[str], UserError | None]:
    """The sentences on what a report of the run would leave out, and on what it would refuse."""
    from fbench.benchmark.store.inputs import given_of
    from fbench.reports.findings.comparisons.usable import usable_trials
    from fbench.reports.findings.origin.readings import count_readings
    from fbench.reports.left_out import Omissions

    omissions = Omissions(table.folder.path)
    try:
        for data in table.config.data:
            usable_trials(table, data, omissions)
        given_of(table.folder.files)
        count_readings(table)
    except UserError as error:
        return [found.sentence for found in omissions.found], error
    return [found.sentence for found in omissions.found], None


def _cost_line(costs: tuple[object, ...]) -> str:
    return "cost is measured." if costs else "cost is not measured yet."


def _print_table(rows: list[dict[str, object]]) -> None:
    from fbench.cli.columns import aligned
    from fbench.cli.progress import short_reason

    lines = [("network", "data", "seed", "top-1", "trial", "status")]
    for row in rows:
        top1, reason = row["top1"], row["failure_reason"]
        accuracy = f"{100 * top1:.2f} %" if isinstance(top1, float) else ""
        status = f"{row['status']}: {short_reason(str(reason))}" if reason else str(row["status"])
        lines.append((str(row["network"]), str(row["data"]), str(row["seed"]), accuracy, str(row["trial_id"]), status))
    typer.echo(aligned(lines, right=(2, 3)))
