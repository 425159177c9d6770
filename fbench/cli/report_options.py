"""The options of ``fbench report``, as a person reads them in its help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fbench.cli.report_files import FigureFormat, ReportFormat


class CorrectionChoice(StrEnum):
    """What is kept below 5 % over the comparisons of a study: any false finding, or the share of false ones."""

    HOLM = "holm"
    FDR = "fdr"


class ThemeChoice(StrEnum):
    """Colours of the page."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


RunArgument = Annotated[
    list[Path],
    typer.Argument(
        help="Run folders; each becomes a part of the report. Files of `fbench import` are held against them."
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="The file, whose name ends in .html, .md, .csv or .tex as --format wants. Default: report.html in the "
        "first run's folder; other formats are printed. For csv, a .csv file is the summary, and a folder gets "
        "summary.csv, comparisons.csv, trials.csv and, where there are some, claims.csv and imported.csv.",
    ),
]
FormatOption = Annotated[
    ReportFormat,
    typer.Option(
        "--format",
        help="html, a page with everything; or its tables: md for a comment on GitHub, latex for a paper (with "
        "the packages array, booktabs, graphicx and siunitx), csv for other programs.",
    ),
]
TitleOption = Annotated[str | None, typer.Option(help="Heading of the report. Default: the suite's title.")]
ThemeOption = Annotated[
    ThemeChoice, typer.Option(help="Colours: as the reader's system asks, or always light or dark.")
]
CorrectionOption = Annotated[
    CorrectionChoice, typer.Option(help="Of the tests of a study: holm for claims, fdr for exploring.")
]
FiguresOption = Annotated[
    Path | None,
    typer.Option(help="A folder for every figure as files of its own, listed with what they show in index.csv."),
]
FigureFormatOption = Annotated[
    list[FigureFormat] | None,
    typer.Option(help="Of the files in --figures; may be repeated. Default: svg, pdf and png."),
]
WatchOption = Annotated[
    bool,
    typer.Option(
        "--watch",
        help="Write the report again whenever trials have ended, until the run is complete; a browser that has "
        "it open follows.",
    ),
]
ShowImagesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--show-images",
        metavar="NAME=PATH",
        help="Show what trained networks make of this data set's own images, which the report then may not be "
        "passed on with: fer2013=fer2013.csv; repeatable. Needs the run's weights.",
    ),
]
EveryOption = Annotated[float, typer.Option(help="Seconds between two looks of --watch.", min=0.1)]
