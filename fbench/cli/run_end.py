"""What a run ends with: its report, its part of a larger run, or what is still to be done."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import typer

from fbench.core.errors import UserError

if TYPE_CHECKING:
    from fbench.benchmark.runs.stopping import UnfinishedRunError
    from fbench.benchmark.store.run_folder import RunFolder
    from fbench.benchmark.store.run_table import RunTable
    from fbench.cli.run_output import RunOutput

FAILED: Final = 3
_MOST_NAMED: Final = 10


def tell_stopped(folder: RunFolder, left: str) -> None:
    """Say that a run was stopped, and what is ``left``, in words that end with a semicolon."""
    failed = 0
    with suppress(UserError, OSError):  # a damaged record, or no folder any more: it was stopped all the same
        trials = folder.trials()
        failed = sum(not trials.facts(trial_id).finished for trial_id in trials)
    of_them = f", {failed} of them failed" if failed else ""
    with suppress(OSError):  # after SIGHUP there is no terminal
        typer.echo(
            f"\nStopped. {len(folder.trial_ids())} trials are kept in {folder.path}{of_them}; {left}"
            "run the same command again to go on from there.",
            err=True,
        )


def still_to_do(error: UnfinishedRunError) -> str:
    """The names of trials that are still to run, the first of them where there are many, or what else is to be done."""
    labels = [spec.label for spec in error.left]
    if not labels:
        return f"{error.also} is still to be done; "
    return f"{len(labels)} are still to run ({first_names(labels)}); "


def first_names(names: list[str]) -> str:
    """Names in a row, the first of them where there are many."""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{'; '.join(names[:_MOST_NAMED])}{more}"


def give_results(table: RunTable, output: RunOutput) -> None:
    """Write the report and say what was found, all of one reading of the run.

    Raises:
        typer.Exit: with 3, where trials failed.
        UserError: predictions that cannot be read, or a report that cannot be written.
    """
    from fbench.reports.render.csv.runs import write_tables
    from fbench.reports.render.html.build import gather_report, write_page

    report = gather_report([table])
    files = table.folder.while_it_is_there().files
    write_tables(report, files)
    write_page(report, files / "report.html")
    output.results(table, report, table.folder.path / "report.html")
    if table.failed():
        raise typer.Exit(FAILED)


def give_shard(table: RunTable, output: RunOutput) -> None:
    """Say that a shard is done; a report of it would be half a result.

    Raises:
        typer.Exit: with 3, where trials failed.
    """
    output.shard_done(table)
    if table.failed():
        raise typer.Exit(FAILED)
