"""What a report could not show, and why: trouble with one network or one figure costs a line, never the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from fbench.core.errors import reason_on_a_line

T = TypeVar("T")
MOST_OF_A_REASON: Final = 400


@dataclass(frozen=True)
class LeftOut:
    """A part that a report lacks: ``what`` names the figure and its network, ``reason`` says why, in words."""

    what: str
    reason: str

    @property
    def sentence(self) -> str:
        """The line that stands in the report."""
        return f"Left out: {self.what}: {self.reason.removesuffix('.')}."


class Omissions:
    """Makes parts of a report and notes those that cannot be made.

    Args:
        folder: of the run; its path is private and is taken out of the reasons.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: dict[LeftOut, None] = {}

    @property
    def found(self) -> tuple[LeftOut, ...]:
        """What was left out so far, once each."""
        return tuple(self._found)

    def attempt(self, what: str, make: Callable[[], T]) -> T | None:
        """What ``make`` gives; none, and a note, where it raises."""
        try:
            return make()
        except Exception as error:  # of any type: what a network is or a file holds may be anything
            self.note(what, reason_on_a_line(error, MOST_OF_A_REASON))
            return None

    def note(self, what: str, reason: str) -> None:
        """Note a part that is left out."""
        self._found[LeftOut(what, reason.replace(f"{self._folder}/", "").replace(str(self._folder), "the run"))] = None


def attempt(omissions: Omissions | None, what: str, make: Callable[[], T]) -> T | None:
    """As :meth:`Omissions.attempt`; where nothing takes a note, what ``make`` raises is raised."""
    return make() if omissions is None else omissions.attempt(what, make)
