"""What a user asks of ``fbench report``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fbench.cli.report_files import FigureFormat, ReportFormat, find_target, require_target
from fbench.cli.report_options import CorrectionChoice, ThemeChoice
from fbench.core.contained import refuse_links_below
from fbench.core.errors import UserError
from fbench.core.files import require_writable_folder
from fbench.core.paths import expanded

if TYPE_CHECKING:
    from fbench.reports.render.html.document import Theme
    from fbench.statistics.comparison.multiplicity import Correction

_CORRECTIONS: Final[dict[CorrectionChoice, Correction]] = {
    CorrectionChoice.HOLM: "holm",
    CorrectionChoice.FDR: "false_discovery_rate",
}
_THEMES: Final[dict[ThemeChoice, Theme]] = {
    ThemeChoice.AUTO: "auto",
    ThemeChoice.LIGHT: "light",
    ThemeChoice.DARK: "dark",
}


@dataclass(frozen=True)
class ReportRequest:
    """The options of one call.

    Attributes:
        given: folders of runs, at least one, and files of imported results.
        form: of the report.
        output: where it goes; none: ``report.html`` in the first folder, and other forms are printed.
        title: its heading; none: the suite's title.
        theme: colours of a page.
        correction: of the tests of a study.
        figures: a folder for every figure as a file; none: no such files.
        figure_formats: of these files; none given: all.
        watch: whether a page is written again as trials end.
        every_s: seconds to wait, with ``watch``, before the next page.
        show_images: texts ``NAME=PATH``, of the data sets whose own images a page shows.
        trust: the digest of code that a run names, which ``show_images`` may run.
        plugins: files that register networks, which ``show_images`` may run.
    """

    given: tuple[Path, ...]
    form: ReportFormat
    output: Path | None
    title: str | None
    theme: ThemeChoice
    correction: CorrectionChoice
    figures: Path | None
    figure_formats: tuple[FigureFormat, ...]
    watch: bool
    every_s: float
    show_images: tuple[str, ...]
    trust: str | None = None
    plugins: tuple[Path, ...] = ()

    @property
    def runs(self) -> tuple[Path, ...]:
        """The folders of runs: all that was given but files of imported results.

        Raises:
            UserError: there is none.
        """
        found = tuple(path for path in self.given if path not in self.imported)
        if not found:
            raise UserError("Only imported results were given; name a run's folder that they are held against.")
        return found

    @cached_property
    def imported(self) -> tuple[Path, ...]:
        """The files of imported results."""
        from fbench.benchmark.store.imported_files import is_imported

        return tuple(path for path in self.given if expanded(path).is_file() and is_imported(expanded(path)))

    @property
    def page_theme(self) -> Theme:
        """The colours as a page names them."""
        return _THEMES[self.theme]

    @property
    def family_correction(self) -> Correction:
        """The correction as the statistics name it."""
        return _CORRECTIONS[self.correction]

    @property
    def target(self) -> Path | None:
        """The file or folder to write to; none where the report is printed.

        Raises:
            UserError: the name of an output is that of another kind of file.
        """
        return find_target(self.output, self.form, self.runs[0])

    @property
    def figure_folder(self) -> Path | None:
        """Where every figure goes as a file of its own."""
        return None if self.figures is None else expanded(self.figures)

    def check_options(self) -> None:
        """Refuse options that do not go together.

        Raises:
            UserError: the first such pair.
        """
        if self.figure_formats and self.figures is None:
            raise UserError("--figure-format is given without a folder for the figures; name one with --figures.")
        if self.title is not None and self.form is ReportFormat.CSV:
            raise UserError("--title has no place in a table for programs; leave it out, or give --format md or latex.")
        of_a_page = self.watch or self.show_images or self.theme is not ThemeChoice.AUTO
        if of_a_page and self.form is not ReportFormat.HTML:
            raise UserError(
                f"--watch, --show-images and --theme are of a page; leave them out with --format {self.form.value}."
            )

    def check_places(self) -> None:
        """See, before anything is read, that the named outputs can be written.

        Raises:
            UserError: one that cannot, or has the name of another kind of file.
        """
        target = self.target
        for place in (target, self.figure_folder):
            if place is not None:
                refuse_links_below(place, self.runs)
        if self.output is not None and target is not None:
            require_target(target, self.form)
        if self.figure_folder is not None:
            require_writable_folder(self.figure_folder, "The figures", "--figures")
