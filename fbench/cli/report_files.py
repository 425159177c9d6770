"""Where ``fbench report`` writes: which names fit which format, and what is written or printed."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError
from fbench.core.files import replacing, require_writable_file, require_writable_folder
from fbench.core.paths import expanded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fbench.reports.findings.model import Findings
    from fbench.reports.render.html.document import Report


class ReportFormat(StrEnum):
    """The forms of a report."""

    HTML = "html"
    MARKDOWN = "md"
    CSV = "csv"
    LATEX = "latex"


class FigureFormat(StrEnum):
    """The forms of a figure's file."""

    SVG = "svg"
    PDF = "pdf"
    PNG = "png"


SUFFIXES: Final[dict[ReportFormat, tuple[str, ...]]] = {
    ReportFormat.HTML: (".html", ".htm"),
    ReportFormat.MARKDOWN: (".md", ".markdown"),
    ReportFormat.CSV: (".csv",),
    ReportFormat.LATEX: (".tex",),
}
_WORDS: Final = {
    ReportFormat.HTML: "HTML",
    ReportFormat.MARKDOWN: "Markdown",
    ReportFormat.CSV: "CSV",
    ReportFormat.LATEX: "LaTeX",
}


def find_target(output: Path | None, form: ReportFormat, first_run: Path) -> Path | None:
    """The file or folder to write to; none where the report is printed.

    Raises:
        UserError: the name of an output is that of another kind of file.
    """
    if output is None:
        return expanded(first_run) / "report.html" if form is ReportFormat.HTML else None
    target = expanded(output)
    suffix = target.suffix.lower()
    takes_folder = form is ReportFormat.CSV
    if suffix in SUFFIXES[form] or (takes_folder and _is_folder(target)):
        return target
    other = next((name for name, suffixes in SUFFIXES.items() if suffix in suffixes), None)
    raise UserError(
        f"--output {target} is no {_WORDS[form]} file; give a name that ends in {SUFFIXES[form][0]}"
        f"{', or a folder' if takes_folder else ''}{f', or --format {other}' if other else ''}."
    )


def require_target(target: Path, form: ReportFormat) -> None:
    """See that a report can be written before it is made.

    Raises:
        UserError: it cannot.
    """
    if form is ReportFormat.CSV and _is_folder(target):
        require_writable_folder(target, "The report", "--output")
    else:
        require_writable_file(target, "The report", "--output")


def give_figures(report: Report, folder: Path, kinds: Sequence[FigureFormat], *, aside: bool) -> None:
    """Write the figures and print the path of their list: ``aside``, on standard error, where a report is printed.

    Raises:
        UserError: the folder cannot be written.
    """
    from fbench.reports.render.html.figure_files import write_figures

    index = write_figures(report, folder, [kind.value for kind in kinds], lambda line: typer.echo(line, err=True))
    typer.echo(str(index), err=aside)


def give_page(report: Report, target: Path, *, with_tables: bool) -> None:
    """Write the page and print its path, after those of summary.csv and trials.csv beside it where they are wanted.

    Raises:
        UserError: a file cannot be written.
    """
    from fbench.reports.render.csv.runs import write_tables
    from fbench.reports.render.html.html import render

    written = _write(target, render(report))
    if with_tables:
        for table in write_tables(report, target.parent):
            typer.echo(str(table))
    typer.echo(str(written))


def give_tables(findings: Findings, form: ReportFormat, target: Path | None, runs: Sequence[Path] = ()) -> None:
    """Print a report without a page, or write it and print the path of each file; nothing is drawn.

    Args:
        findings: what the report says.
        form: what becomes of them.
        target: a file, or a folder for CSV; none prints.
        runs: folders whose pages Markdown names, where they have one.

    Raises:
        UserError: a file cannot be written.
    """
    from fbench.reports.render.csv.tables import tidy_tables

    if target is None:
        typer.echo(_text(findings, form, runs), nl=False)
    elif form is ReportFormat.CSV and _is_folder(target):
        for name, text in tidy_tables(findings).items():
            typer.echo(str(_write(ContainedPath(target) / name, text)))
    else:
        typer.echo(str(_write(target, _text(findings, form, runs))))


def _is_folder(target: Path) -> bool:
    """Whether an output is a folder: one that is there, or a name without a suffix."""
    return target.is_dir() or not target.suffix


def _text(findings: Findings, form: ReportFormat, runs: Sequence[Path]) -> str:
    from fbench.reports.render.csv.tables import summary_csv
    from fbench.reports.render.latex.document import to_latex
    from fbench.reports.render.markdown.document import to_markdown
    from fbench.reports.render.plain.contents import plain_report

    if form is ReportFormat.CSV:
        return summary_csv(findings)
    report = plain_report(findings)
    if form is ReportFormat.LATEX:
        return to_latex(report)
    pages = [page for run in runs if (page := expanded(run) / "report.html").is_file()]
    return to_markdown(report, pages=[_place_words(page, is_only=len(runs) == 1) for page in pages])


def _place_words(page: Path, *, is_only: bool) -> str:
    """Where a page lies for a reader who has the run, wherever that is kept."""
    return f"{page.name} in the run’s folder" if is_only else f"{page.name} in the folder {page.resolve().parent.name}"


def _write(file: Path | ContainedPath, text: str) -> Path | ContainedPath:
    try:
        with replacing(file) as stream:
            stream.write(text.encode())
    except OSError as error:
        raise UserError(
            f"The report cannot be written to {file} ({error.strerror}); name another file with --output."
        ) from error
    return file
