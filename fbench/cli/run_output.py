"""What ``fbench run`` says while it runs and at its end: to a person, to one in a hurry, or to a program."""

from __future__ import annotations

import json
import shlex
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

import typer

from fbench.benchmark.records.events import Ended, Event
from fbench.benchmark.runs.listener import RunListener
from fbench.cli.progress import RunProgress, VerboseProgress, short_reason

if TYPE_CHECKING:
    from pathlib import Path

    from fbench.benchmark.runs.plan import RunPlan
    from fbench.benchmark.store.run_table import RunTable
    from fbench.reports.render.html.document import Report


class RunOutput(Protocol):
    """How a run is told."""

    def note(self, line: str) -> None:
        """Say something before the run begins."""

    def progress(self) -> AbstractContextManager[RunListener]:
        """What listens while the run goes on."""

    def results(self, table: RunTable, report: Report, page: Path) -> None:
        """Say what was found and where it lies."""

    def shard_done(self, table: RunTable) -> None:
        """Say that a shard has all its trials, of which alone there is no report."""


class FullOutput:
    """A bar, the table of networks, the answer in five lines, and the report's path last."""

    def note(self, line: str) -> None:
        """Print it."""
        typer.echo(line)

    def progress(self) -> AbstractContextManager[RunListener]:
        """A bar."""
        return RunProgress()

    def results(self, table: RunTable, report: Report, page: Path) -> None:
        """Print them."""
        from fbench.reports.findings.origin.provenance import place_option
        from fbench.reports.render.terminal.summary import print_summary

        print_summary(report, place_option(table))
        _tell_failed(table)
        typer.echo(f"Report: {page}")

    def shard_done(self, table: RunTable) -> None:
        """Print it, with the command that comes next."""
        _tell_failed(table)
        typer.echo(
            f"Shard {table.config.shard} is done, with {_finished(table)} of the run's {_planned(table)} trials, in "
            f"{table.folder.path}. When all are: fbench merge SHARD... --out RUN"
        )


class VerboseOutput(FullOutput):
    """A line for each evaluation and each trial as well."""

    def progress(self) -> AbstractContextManager[RunListener]:
        """A bar below the lines."""
        return VerboseProgress()


class QuietOutput:
    """The report's path alone, and what failed."""

    def note(self, line: str) -> None:
        """Print it where errors go."""
        typer.echo(line, err=True)

    def progress(self) -> AbstractContextManager[RunListener]:
        """Nothing."""
        return nullcontext(RunListener())

    def results(self, table: RunTable, report: Report, page: Path) -> None:
        """Print the path."""
        _tell_failed(table)
        typer.echo(str(page))

    def shard_done(self, table: RunTable) -> None:
        """Print the path of its folder."""
        _tell_failed(table)
        typer.echo(str(table.folder.path))


class JsonOutput(QuietOutput):
    """A line of JSON for each trial that ends, and a last one with counts, paths and the answer."""

    def progress(self) -> AbstractContextManager[RunListener]:
        """A line for each trial."""
        return nullcontext(_JsonLines())

    def results(self, table: RunTable, report: Report, page: Path) -> None:
        """Print the last line."""
        from fbench.reports.render.terminal.summary import answer_lines

        _print_json(
            {
                "run": str(table.folder.path),
                "report": str(page),
                "finished": _finished(table),
                "failed": len(table.failed()),
                "answer": {section.data.name: dict(answer_lines(section)) for section in report.data_sections},
            }
        )

    def shard_done(self, table: RunTable) -> None:
        """Print the last line."""
        _print_json(
            {
                "run": str(table.folder.path),
                "shard": table.config.shard,
                "finished": _finished(table),
                "failed": len(table.failed()),
                "planned_in_all_shards": _planned(table),
            }
        )


class _JsonLines(RunListener):
    def __init__(self) -> None:
        self._names: dict[str, tuple[str, str]] = {}

    def began(self, plan: RunPlan, trials_s: dict[str, float], estimate_s: float) -> None:
        """Know what trials are called."""
        self._names |= {row.trial_id: (row.network, row.data) for row in reversed(plan.planned)}

    def happened(self, event: Event) -> None:
        """Print a trial that ended."""
        if not isinstance(event, Ended):
            return
        record = event.record
        network, data = self._names.get(record.trial_id, (record.spec.network.name, record.spec.data.name))
        _print_json(
            {
                "trial": record.trial_id,
                "network": network,
                "data": data,
                "seed": record.spec.seed,
                "status": record.status,
                "failure_reason": record.failure_reason,
                "validation_top1": record.validation.top1 if record.validation else None,
                "test_top1": record.test.top1 if record.test else None,
                "total_time_s": record.times.total_time_s if record.times else None,
            }
        )


def _finished(table: RunTable) -> int:
    """Of the trials that are planned; others lie there where code or settings have changed since."""
    planned = {row.trial_id for row in table.plan}
    return sum(one in table.trials and table.facts(one).finished for one in planned)


def _planned(table: RunTable) -> int:
    return len({row.trial_id for row in table.plan})


def _print_json(values: dict[str, Any]) -> None:
    typer.echo(json.dumps(values))


def _tell_failed(table: RunTable) -> None:
    failed = table.failed()
    for row, record in failed:
        reason = short_reason(record.failure_reason)
        typer.echo(f"failed: {row.network} on {row.data}, seed {row.seed}: {reason}", err=True)
    if failed:
        command = shlex.join(["fbench", "status", str(table.folder.path), "--log", failed[0][0].trial_id])
        typer.echo(f"`{command}` shows where the first of them failed.", err=True)
