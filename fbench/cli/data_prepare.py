"""``fbench data prepare``: raw photos to aligned 48x48 gray faces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class FacesChoice(StrEnum):
    """Which face of a photo with several."""

    LARGEST = "largest"
    MOST_CONFIDENT = "most_confident"
    ALL = "all"
    SKIP = "skip"


class NoFaceOption(StrEnum):
    """What becomes of a photo without a face."""

    SKIP = "skip"
    KEEP = "keep"


class NormalisationChoice(StrEnum):
    """What is done to the gray values of a face."""

    NONE = "none"
    EQUALISE = "equalise"


def prepare_command(
    source: Annotated[Path, typer.Argument(help="The folder of the photos; its sub-folders are kept.")],
    out: Annotated[Path, typer.Option("--out", "--output", "-o", help="The folder of the faces.")],
    detector: Annotated[str, typer.Option(help="mtcnn or haar.")] = "mtcnn",
    faces: Annotated[FacesChoice, typer.Option(help="Which face of several.")] = FacesChoice.LARGEST,
    no_face: Annotated[NoFaceOption, typer.Option(help="A photo without a face.")] = NoFaceOption.SKIP,
    normalisation: Annotated[
        NormalisationChoice, typer.Option(help="Gray values of a face.")
    ] = NormalisationChoice.NONE,
) -> None:
    """Find faces in photos, align them by the eyes, and write them as 48x48 gray; the same command again goes on."""
    from fbench.benchmark.data.preparation.detectors import load_detector
    from fbench.benchmark.data.preparation.prepare import Preparation, prepare_photos
    from fbench.core.files import require_writable_folder

    require_writable_folder(out, "Faces", "--out")
    finder = load_detector(detector)
    preparation = Preparation(
        detector=finder.name,
        detector_version=finder.version,
        faces=faces.value,
        no_face=no_face.value,
        normalisation=normalisation.value,
    )
    try:
        with _progress() as progress:
            counts = prepare_photos(source, out, preparation, finder, progress)
    except KeyboardInterrupt:
        typer.echo(f"\nStopped. What is done is kept in {out}; run the same command again to go on.", err=True)
        raise typer.Exit(130) from None
    _print_summary(counts, out)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("photos"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("photos", total=None, rate="")

        def advance(done: int, total: int) -> None:
            speed = bar.tasks[0].speed
            bar.update(task, completed=done, total=total, rate=f"{speed:.0f} a second" if speed else "")

        yield advance


def _print_summary(counts: Counter[str], out: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    table.add_column("photos", justify="right")
    table.add_column("what became of them")
    table.add_row(f"{counts['written']:,}", "written")
    for reason, count in sorted(counts.items(), key=lambda pair: -pair[1]):
        if reason != "written":
            table.add_row(f"{count:,}", f"{'' if reason.endswith('kept whole') else 'skipped: '}{reason}")
    Console().print(table)
    typer.echo(f"Faces: {out}; each photo has a line in {out / 'prepared.csv'}")
