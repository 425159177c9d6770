"""``fbench report``: statistics and figures of runs as one offline HTML file, or as tables and files of figures."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fbench.cli.report_files import (
    FigureFormat,
    ReportFormat,
    find_target,
    give_figures,
    give_page,
    give_tables,
    require_target,
)
from fbench.cli.report_live import follow, real_faces
from fbench.core.errors import UserError, readable
from fbench.core.files import require_writable_folder

if TYPE_CHECKING:
    from fbench.reports.render.html.build import ReportOptions
    from fbench.reports.render.html.document import Theme
    from fbench.statistics.comparison.multiplicity import Correction


class CorrectionChoice(StrEnum):
    """What is kept below 5 % over the comparisons of a study: any false finding, or the share of false ones."""

    HOLM = "holm"
    FDR = "fdr"


CORRECTIONS: Final[dict[CorrectionChoice, Correction]] = {
    CorrectionChoice.HOLM: "holm",
    CorrectionChoice.FDR: "false_discovery_rate",
}


class ThemeChoice(StrEnum):
    """Colours of the page."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


THEMES: Final[dict[ThemeChoice, Theme]] = {
    ThemeChoice.AUTO: "auto",
    ThemeChoice.LIGHT: "light",
    ThemeChoice.DARK: "dark",
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
            "summary.csv, comparisons.csv, trials.csv and claims.csv.",
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
    theme: Annotated[
        ThemeChoice, typer.Option(help="Colours: as the reader's system asks, or always light or dark.")
    ] = ThemeChoice.AUTO,
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
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="Write the report again whenever trials have ended, until the run is complete; a browser that has "
            "it open follows.",
        ),
    ] = False,
    show_images: Annotated[
        list[str] | None,
        typer.Option(
            "--show-images",
            metavar="NAME=PATH",
            help="Show what trained networks make of this data set's own images, which the report then may not be "
            "passed on with: fer2013=fer2013.csv; repeatable. Needs the run's weights.",
        ),
    ] = None,
    every: Annotated[float, typer.Option(help="Seconds between two looks of --watch.", min=0.1)] = 10.0,
) -> None:
    """Report on one or more runs: an offline HTML page, or its tables as Markdown, CSV or LaTeX.

    A page without -o has summary.csv and trials.csv beside it.
    """
    if figure_format and figures is None:
        raise UserError("--figure-format is given without a folder for the figures; name one with --figures.")
    if title is not None and form is ReportFormat.CSV:
        raise UserError("--title has no place in a table for programs; leave it out, or give --format md or latex.")
    if form is not ReportFormat.HTML and (watch or show_images or theme is not ThemeChoice.AUTO):
        raise UserError(f"--watch, --show-images and --theme are of a page; leave them out with --format {form.value}.")
    target = find_target(output, form, run[0])
    if output is not None and target is not None:
        require_target(target, form)
    if figures is not None:
        require_writable_folder(figures.expanduser(), "The figures", "--figures")

    from fbench.benchmark.store.run_table import load_run

    runs = [load_run(folder) for folder in run]
    if output is None and target is not None:
        require_target(target, form)
    if form is not ReportFormat.HTML and figures is None:
        from fbench.reports.findings.gather import gather_findings

        findings = gather_findings(runs, title=title and readable(title), correction=CORRECTIONS[correction])
        give_tables(findings, form, target)
        return

    from fbench.reports.render.html.build import gather_report

    options: ReportOptions = {
        "title": title and readable(title),
        "theme": THEMES[theme],
        "correction": CORRECTIONS[correction],
    }
    if show_images:
        options["shown_faces"] = real_faces(runs, show_images)
    if watch and target is not None:
        follow(run, target, options, every)
        runs = [load_run(folder) for folder in run]
    report = gather_report(runs, **options)
    if figures is not None:
        give_figures(report, figures.expanduser(), figure_format or tuple(FigureFormat), aside=target is None)
    if form is ReportFormat.HTML and target is not None:
        give_page(report, target, with_tables=output is None)
    else:
        give_tables(report, form, target)
