"""``fbench report``: statistics and figures of runs in one offline HTML file."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fbench.architectures.errors import UserError

if TYPE_CHECKING:
    from fbench.reports.build import ReportOptions, ShownFaces
    from fbench.reports.document import Theme
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
        typer.Option("--output", "-o", help="The HTML file. Default: report.html in the first run's folder."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Heading of the report. Default: the suite's title.")] = None,
    theme: Annotated[
        ThemeChoice, typer.Option(help="Colours: as the reader's system asks, or always light or dark.")
    ] = ThemeChoice.AUTO,
    correction: Annotated[
        CorrectionChoice, typer.Option(help="Of the tests of a study: holm for claims, fdr for exploring.")
    ] = CorrectionChoice.HOLM,
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
    """Write one offline HTML file about one or more runs; without -o, summary.csv and trials.csv beside it too."""
    from fbench.benchmark.table import load_run
    from fbench.reports.build import write_report
    from fbench.reports.tables import write_tables

    target = (output or run[0] / "report.html").expanduser()
    if target.suffix.lower() not in {".html", ".htm"}:
        raise UserError(f"--output {target} is no HTML file; give a name that ends in .html.")
    options: ReportOptions = {"title": title, "theme": THEMES[theme], "correction": CORRECTIONS[correction]}
    if show_images:
        options["shown_faces"] = _real_faces(run, show_images)
    if watch:
        _watch(run, target, options, every)
    path = write_report(run, target, **options)
    if output is None:
        for table in write_tables([load_run(folder) for folder in run], path.parent):
            typer.echo(str(table))
    typer.echo(str(path))


def _real_faces(runs: list[Path], given: list[str]) -> ShownFaces:
    """Maps of the named data sets' own images, for each run."""
    from fbench.benchmark.table import load_run
    from fbench.showing import real_face_maps

    paths = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise UserError(f"--show-images {text} names no file; give NAME=PATH, such as fer2013=fer2013.csv.")
        paths[name] = Path(path).expanduser()
    return [real_face_maps(load_run(run), paths) for run in runs]


def _watch(runs: list[Path], target: Path, options: ReportOptions, every_s: float) -> None:
    """Write the report at each change, until every planned trial has a record and the run's cost is measured."""
    from fbench.reports.build import write_report
    from fbench.reports.watching import progress_of

    following = options.copy()
    following["refresh_s"] = max(1, round(every_s))
    seen = None
    while True:
        progress = progress_of(runs)
        if progress.complete:
            return
        if progress != seen:
            write_report(runs, target, **following)
            typer.echo(f"{target}: {progress.ended} of {progress.planned} trials have ended")
            seen = progress
        try:
            time.sleep(every_s)
        except KeyboardInterrupt:  # the page then stays as it is, without following
            return
