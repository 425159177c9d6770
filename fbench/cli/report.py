"""``fbench report``: statistics and figures of runs in one offline HTML file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fbench.architectures.errors import UserError

if TYPE_CHECKING:
    from fbench.statistics.comparison.multiplicity import Correction


class CorrectionChoice(StrEnum):
    """What is kept below 5 % over the comparisons of a study: any false finding, or the share of false ones."""

    HOLM = "holm"
    FDR = "fdr"


CORRECTIONS: Final[dict[CorrectionChoice, Correction]] = {
    CorrectionChoice.HOLM: "holm",
    CorrectionChoice.FDR: "false_discovery_rate",
}


def report_command(
    run: Annotated[list[Path], typer.Argument(help="Run folders; each becomes a part of the report.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The HTML file. Default: report.html in the first run's folder."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Heading of the report. Default: the suite's title.")] = None,
    correction: Annotated[
        CorrectionChoice, typer.Option(help="Of the tests of a study: holm for claims, fdr for exploring.")
    ] = CorrectionChoice.HOLM,
) -> None:
    """Write one offline HTML file about one or more runs; without -o, summary.csv and trials.csv beside it too."""
    from fbench.benchmark.table import load_run
    from fbench.reports.build import write_report
    from fbench.reports.tables import write_tables

    target = (output or run[0] / "report.html").expanduser()
    if target.suffix.lower() not in {".html", ".htm"}:
        raise UserError(f"--output {target} is no HTML file; give a name that ends in .html.")
    path = write_report(run, target, title=title, correction=CORRECTIONS[correction])
    if output is None:
        for table in write_tables([load_run(folder) for folder in run], path.parent):
            typer.echo(str(table))
    typer.echo(str(path))
