"""Every figure of a report as files of its own, with a list of them; equal reports give equal bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from fbench.architectures.errors import UserError
from fbench.benchmark.files import replacing
from fbench.reports.comparisons.tables import Cell, csv_text
from fbench.reports.figures.drawing import FILE_FORMATS, FileFormat, Illustration, write_drawing
from fbench.reports.page.document import DataSection, ManySection, Report

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


def write_figures(report: Report, folder: Path, formats: Sequence[FileFormat] = FILE_FORMATS) -> Path:
    """Write each figure as ``<key>.<format>`` and their list, ``index.csv``, whose path is returned.

    The list has a row for each file: its name, the figure's title and what it shows. Files of the same names are
    replaced, others are left alone.

    Raises:
        UserError: the folder or a file in it cannot be written.
    """
    rows: list[dict[str, Cell]] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for found in find_figures(report):
            for kind in dict.fromkeys(formats):
                file = folder / f"{found.illustration.key}.{kind}"
                write_drawing(found.illustration, file)
                rows.append({"file": file.name, "title": found.title, "shows": found.illustration.drawing.alt})
        index = folder / INDEX
        with replacing(index) as stream:
            stream.write((csv_text(rows) or "file,title,shows\n").encode())
    except OSError as error:
        raise UserError(
            f"The figures cannot be written to {folder} ({error.strerror}); name another folder with --figures."
        ) from error
    return index


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
        for field in fields(part):
            yield from _walk(getattr(part, field.name), synthetic=inside)


def _is_synthetic(part: Any) -> bool:
    if isinstance(part, DataSection):
        return part.data.synthetic
    return isinstance(part, ManySection) and part.synthetic
