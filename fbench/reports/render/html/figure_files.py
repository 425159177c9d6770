"""Every figure of a report as files of its own, with a list of them; equal reports give equal bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from inspect import get_annotations
from pathlib import Path
from typing import Any, Final, NamedTuple

from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError
from fbench.reports.figures.drawing import FILE_FORMATS, FileFormat, Illustration, bytes_of
from fbench.reports.figures.scripts import missing_sentences
from fbench.reports.left_out import LeftOut
from fbench.reports.render.csv.runs import Cell, csv_text
from fbench.reports.render.html.document import DataSection, ManySection, Report

INDEX: Final = "index.csv"


class FoundFigure(NamedTuple):
    """A figure, and whether what it shows was measured on synthetic data."""

    illustration: Illustration
    synthetic: bool

    @property
    def title(self) -> str:
        """The figure's title, with what a page says of synthetic data."""
        return f"{self.illustration.title}{' (synthetic data)' if self.synthetic else ''}"


def find_figures(report: Report) -> list[FoundFigure]:
    """All figures of a report in the order of its parts, wherever in it they stand; each once."""
    return list({found.illustration.key: found for found in _walk(report, synthetic=False)}.values())


def write_figures(
    report: Report,
    folder: Path,
    formats: Sequence[FileFormat] = FILE_FORMATS,
    tell: Callable[[str], None] = lambda line: None,
) -> Path:
    """Write each figure as ``<key>.<format>`` and their list, ``index.csv``, whose path is returned.

    The list has a row for each file: its name, the figure's title and what it shows. Files of the same names are
    replaced, others are left alone.

    Args:
        report: whose figures are written.
        folder: made where it is not there.
        formats: of the files of each figure.
        tell: called with a line for each figure that is left out, and for each script of which no installed font has
            all letters.

    Raises:
        UserError: the folder or a file in it cannot be written.
    """
    rows: list[dict[str, Cell]] = []
    missing: set[str] = set()
    try:
        for found in find_figures(report):
            for kind in dict.fromkeys(formats):
                file = ContainedPath(folder) / f"{found.illustration.key}.{kind}"
                painted = bytes_of(found.illustration, kind)
                if isinstance(painted, LeftOut):
                    tell(f"{file.name}: {painted.sentence}")
                    file.remove()
                    continue
                with file.replacing() as stream:
                    stream.write(painted.content)
                missing |= painted.missing
                rows.append({"file": file.name, "title": found.title, "shows": found.illustration.drawing.alt})
        index = ContainedPath(folder) / INDEX
        with index.replacing() as stream:
            stream.write(csv_text(rows, ("file", "title", "shows")).encode())
    except OSError as error:
        raise UserError(
            f"The figures cannot be written to {folder} ({error.strerror}); name another folder with --figures."
        ) from error
    for line in missing_sentences(missing):
        tell(line)
    return index.path


def _walk(part: Any, *, synthetic: bool) -> Iterator[FoundFigure]:
    """The figures in a part, found by its fields, so that a new kind of part needs no entry here."""
    if isinstance(part, Illustration):
        yield FoundFigure(part, synthetic)
    elif isinstance(part, Mapping):
        for inner in part.values():
            yield from _walk(inner, synthetic=synthetic)
    elif isinstance(part, tuple | list):
        for inner in part:
            yield from _walk(inner, synthetic=synthetic)
    elif is_dataclass(part):
        inside = synthetic or _is_synthetic(part)
        own = get_annotations(
            type(part)
        )  # in the order of the page; the fields of findings, before them, have no figure
        for name in dict.fromkeys([*own, *(field.name for field in fields(part))]):
            yield from _walk(getattr(part, name), synthetic=inside)


def _is_synthetic(part: Any) -> bool:
    if isinstance(part, DataSection):
        return part.data.synthetic
    return isinstance(part, ManySection) and part.synthetic
