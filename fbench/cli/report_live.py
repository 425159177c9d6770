"""A report that follows a run, and one that shows images for one's own eyes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fbench.core.errors import UserError
from fbench.core.paths import expanded

if TYPE_CHECKING:
    from fbench.benchmark.store.run_table import RunTable
    from fbench.reports.findings.gather import ShownFaces
    from fbench.reports.render.html.build import ReportOptions


def real_faces(
    runs: Sequence[RunTable], given: Sequence[str], trust: str | None = None, plugins: Sequence[Path] = ()
) -> ShownFaces:
    """Maps of the named data sets' own images, for each run; ``given`` are texts ``NAME=PATH``.

    Raises:
        UserError: a text without a path, or as :func:`fbench.benchmark.maps.private_maps.real_face_maps`.
    """
    from fbench.benchmark.maps.private_maps import real_face_maps

    paths = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise UserError(f"--show-images {text} names no file; give NAME=PATH, such as fer2013=fer2013.csv.")
        paths[name] = expanded(path)
    return [real_face_maps(run, paths, trust, plugins) for run in runs]


def follow(runs: Sequence[Path], target: Path, options: ReportOptions, every_s: float) -> None:
    """Write the report at each change, until every planned trial has a record and the runs' cost is measured."""
    from fbench.reports.render.html.build import write_report
    from fbench.reports.render.html.watching import progress_of

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
