"""How a user names data: ``synthetic``, or a name and a path as in ``fer2013=~/data/fer2013.csv``."""

from __future__ import annotations

from pathlib import Path

from fbench.architectures.errors import UserError
from fbench.benchmark.data.catalogue import CATALOGUE, known_data
from fbench.benchmark.schema import FrozenModel


class DataReference(FrozenModel):
    """A data set by its name in the catalogue, with its place where it has one."""

    name: str
    path: Path | None = None

    @classmethod
    def parse(cls, text: str) -> DataReference:
        """Read ``NAME`` or ``NAME=PATH``; a leading ``~`` of the path is the home folder.

        Raises:
            UserError: an unknown name, a path that is missing, or one that the data set does not take.
        """
        name, equals, place = (part.strip() for part in text.partition("="))
        if not equals and name not in CATALOGUE and ("/" in name or "\\" in name or Path(name).suffix):
            raise UserError(
                f"--data {text} is a path without a name; write NAME=PATH, as in fer2013={text}, "
                f"where NAME is one of "
                f"{', '.join(key for key, known in CATALOGUE.items() if known.takes_path)}."
            )
        if equals and not place:
            raise UserError(f"--data {text} has no path after '='; write {name}=PATH.")
        reference = cls(name=name, path=_expand(place) if place else None)
        reference.check()
        return reference

    def check(self) -> None:
        """See that the name is known and has a path exactly where it takes one.

        Raises:
            UserError: it is not so.
        """
        known = known_data(self.name)
        if known.takes_path and self.path is None:
            raise UserError(
                f"The data set '{self.name}' needs a path; write {self.name}=PATH, where PATH is {known.expects}."
            )
        if not known.takes_path and self.path is not None:
            raise UserError(f"The data set '{self.name}' is embedded and takes no path; write {self.name} alone.")

    def __str__(self) -> str:
        """The text that :meth:`parse` reads."""
        return self.name if self.path is None else f"{self.name}={self.path}"


def _expand(place: str) -> Path:
    try:
        return Path(place).expanduser()
    except RuntimeError as error:  # ~user of a user who does not exist
        raise UserError(f"The home folder in {place} is not known; write the path in full.") from error
