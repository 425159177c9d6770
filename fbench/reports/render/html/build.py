"""A report from runs: everything a page shows, gathered and drawn, then written as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict, Unpack

from fbench.benchmark.records.imported import ImportedResults
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.core.contained import ContainedPath
from fbench.core.garbage import collected_rarely
from fbench.reports.findings.gather import ShownFaces, read_runs
from fbench.reports.palette import assign_styles
from fbench.reports.render.html.document import Report, Theme
from fbench.reports.render.html.files import write_html
from fbench.reports.render.html.html import render
from fbench.reports.render.html.sections import SectionKey, data_section, fields_of, run_section
from fbench.statistics.comparison.multiplicity import Correction


class ReportOptions(TypedDict, total=False):
    """Options of :func:`gather_report`."""

    title: str | None
    theme: Theme
    correction: Correction
    refresh_s: int | None
    shown_faces: ShownFaces | None
    imported: Sequence[ImportedResults]


def build_report(runs: Sequence[RunTable], **options: Unpack[ReportOptions]) -> str:
    """The text of an offline HTML page about one or more runs; equal runs give equal text.

    Arguments and errors are those of :func:`gather_report`.
    """
    return render(gather_report(runs, **options))


@collected_rarely()
def gather_report(
    runs: Sequence[RunTable],
    *,
    title: str | None = None,
    theme: Theme = "auto",
    correction: Correction = "holm",
    refresh_s: int | None = None,
    shown_faces: ShownFaces | None = None,
    imported: Sequence[ImportedResults] = (),
) -> Report:
    """Everything that a page about these runs shows, before it is drawn.

    Args:
        runs: at least one; each data set of each run becomes a part of the page.
        title: the page's heading; by default the suite's title.
        theme: colours as the reader's system asks, or always light or dark.
        correction: of the tests of each study; the false discovery rate is for exploring.
        refresh_s: after how many seconds a browser opens the page again; none: never.
        shown_faces: maps of images that may not be kept, one mapping for each run, by network and data
            set; the page then shows them.
        imported: results of other programs, which a part of their own holds against the runs.

    Raises:
        UserError: no run, or a run whose suite or predictions cannot be read.
    """
    read = read_runs(runs, title=title, correction=correction, shown_faces=shown_faces, imported=imported)
    networks = dict.fromkeys(network for run in runs for network in run.networks)
    styles = assign_styles(networks)
    found = iter(read.findings.data_sections)
    sections = tuple(
        data_section(next(found), evidence, styles, shown)
        for of_run, shown in zip(read.evidences, shown_faces or [{} for _ in runs], strict=True)
        for evidence in of_run
    )
    return Report(
        **(fields_of(read.findings) | {"data_sections": sections}),
        theme=theme,
        refresh_s=refresh_s,
        correction=correction,
        styles=styles,
        run_sections=tuple(
            run_section(run, of_run, styles, SectionKey(f"run{r}", read.names[r - 1]))
            for r, (run, of_run) in enumerate(zip(runs, read.evidences, strict=True), start=1)
        ),
    )


def write_report(run_paths: Sequence[Path], output: Path, **options: Unpack[ReportOptions]) -> Path:
    """Write the report of the runs in these folders to ``output`` and return its path.

    Raises:
        UserError: a folder is not a run, or ``output`` cannot be written.
    """
    write_page(gather_report([load_run(path) for path in run_paths], **options), output)
    return output


def write_page(report: Report, output: Path | ContainedPath) -> None:
    """Write a gathered report to ``output``.

    Raises:
        UserError: ``output`` cannot be written.
    """
    write_html(render(report), output, "The report")
