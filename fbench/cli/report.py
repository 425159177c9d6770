"""``fbench report``: statistics and figures of runs as one offline HTML file, or as tables and files of figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fbench.cli.architectures import PluginOption, TrustOption
from fbench.cli.report_files import FigureFormat, ReportFormat, give_figures, give_page, give_tables, require_target
from fbench.cli.report_live import follow, real_faces
from fbench.cli.report_options import (
    CorrectionChoice,
    CorrectionOption,
    EveryOption,
    FigureFormatOption,
    FiguresOption,
    FormatOption,
    OutputOption,
    RunArgument,
    ShowImagesOption,
    ThemeChoice,
    ThemeOption,
    TitleOption,
    WatchOption,
)
from fbench.cli.report_request import ReportRequest
from fbench.core.errors import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fbench.benchmark.records.imported import ImportedResults
    from fbench.benchmark.store.run_table import RunTable
    from fbench.reports.findings.model import Findings
    from fbench.reports.render.html.build import ReportOptions
    from fbench.reports.render.html.document import Report


def report_command(
    run: RunArgument,
    output: OutputOption = None,
    form: FormatOption = ReportFormat.HTML,
    title: TitleOption = None,
    theme: ThemeOption = ThemeChoice.AUTO,
    correction: CorrectionOption = CorrectionChoice.HOLM,
    figures: FiguresOption = None,
    figure_format: FigureFormatOption = None,
    watch: WatchOption = False,
    show_images: ShowImagesOption = None,
    every: EveryOption = 10.0,
    plugin: PluginOption = None,
    trust: TrustOption = None,
) -> None:
    """Report on one or more runs: an offline HTML page, or its tables as Markdown, CSV or LaTeX.

    A page without -o has summary.csv and trials.csv beside it.
    """
    _give_report(
        ReportRequest(
            given=tuple(run),
            form=form,
            output=output,
            title=title and readable(title),
            theme=theme,
            correction=correction,
            figures=figures,
            figure_formats=tuple(figure_format or ()),
            watch=watch,
            every_s=every,
            show_images=tuple(show_images or ()),
            trust=trust,
            plugins=tuple(plugin or ()),
        )
    )


def _give_report(request: ReportRequest) -> None:
    """Read the runs once, and write or print what is wanted of them."""
    request.check_options()
    request.check_places()
    target = request.target
    runs = _read(request.runs)
    if request.output is None and target is not None:
        require_target(target, request.form)  # in a folder that only now is known to be a run's
    if request.form is not ReportFormat.HTML and request.figure_folder is None:
        give_tables(_findings(request, runs), request.form, target, request.runs)
        return
    report = _report(request, runs, target)
    if request.figure_folder is not None:
        give_figures(report, request.figure_folder, request.figure_formats or tuple(FigureFormat), aside=target is None)
    if request.form is ReportFormat.HTML and target is not None:
        give_page(report, target, with_tables=request.output is None)
    else:
        give_tables(report, request.form, target, request.runs)


def _read(folders: Sequence[Path]) -> list[RunTable]:
    from fbench.benchmark.store.run_table import load_run

    return [load_run(folder) for folder in folders]


def _read_imported(request: ReportRequest) -> list[ImportedResults]:
    from fbench.benchmark.store.imported_files import read_imported

    return [read_imported(file) for file in request.imported]


def _findings(request: ReportRequest, runs: Sequence[RunTable]) -> Findings:
    """What tables need; nothing that draws is imported."""
    from fbench.reports.findings.gather import gather_findings

    imported = _read_imported(request)
    return gather_findings(runs, title=request.title, correction=request.family_correction, imported=imported)


def _report(request: ReportRequest, runs: Sequence[RunTable], target: Path | None) -> Report:
    """What a page and its figures need, after following the runs to their end where that is wanted."""
    from fbench.reports.render.html.build import gather_report

    options: ReportOptions = {
        "title": request.title,
        "theme": request.page_theme,
        "correction": request.family_correction,
        "imported": _read_imported(request),
    }
    if request.show_images:
        options["shown_faces"] = real_faces(runs, request.show_images, request.trust, request.plugins)
    if request.watch and target is not None:
        follow(request.runs, target, options, request.every_s)
        runs = _read(request.runs)
    return gather_report(runs, **options)
