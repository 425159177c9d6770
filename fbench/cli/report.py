"""``fbench report``: statistics and figures of runs as one offline HTML file, or as tables and files of figures."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fbench.architectures.errors import UserError
from fbench.cli.report_files import FigureFormat, ReportFormat, find_target, give_figures, give_report

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
        typer.Option(
            "--output",
            "-o",
            help="The file, whose name ends in .html, .md, .csv or .tex as --format wants. Default: report.html in the "
            "first run's folder; other formats are printed. For csv, a .csv file is the summary, and a folder gets "
            "summary.csv, comparisons.csv and trials.csv.",
        ),
    ] = None,
    form: Annotated[
        ReportFormat,
        typer.Option(
            "--format",
            help="html, a page with everything; or its tables: md for a comment on GitHub, latex for a paper (with "
            "the packages array, booktabs and graphicx), csv for other programs.",
        ),
    ] = ReportFormat.HTML,
    title: Annotated[str | None, typer.Option(help="Heading of the report. Default: the suite's title.")] = None,
    correction: Annotated[
        CorrectionChoice, typer.Option(help="Of the tests of a study: holm for claims, fdr for exploring.")
    ] = CorrectionChoice.HOLM,
    figures: Annotated[
        Path | None,
        typer.Option(help="A folder for every figure as files of its own, listed with what they show in index.csv."),
    ] = None,
    figure_format: Annotated[
        list[FigureFormat] | None,
        typer.Option(help="Of the files in --figures; may be repeated. Default: svg, pdf and png."),
    ] = None,
) -> None:
    """Report on one or more runs: an offline HTML page, or its tables as Markdown, CSV or LaTeX.

    A page without -o has summary.csv and trials.csv beside it.
    """
    if figure_format and figures is None:
        raise UserError("--figure-format is given without a folder for the figures; name one with --figures.")
    if title is not None and form is ReportFormat.CSV:
        raise UserError("--title has no place in a table for programs; leave it out, or give --format md or latex.")
    target = find_target(output, form, run[0])

    from fbench.benchmark.table import load_run
    from fbench.reports.build import gather_report

    runs = [load_run(folder) for folder in run]
    report = gather_report(runs, title=title, correction=CORRECTIONS[correction])
    if figures is not None:
        give_figures(report, figures.expanduser(), figure_format or tuple(FigureFormat), aside=target is None)
    give_report(runs, report, form, target, with_tables=output is None)
