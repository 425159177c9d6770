"""How a user names data: ``synthetic``, ``fer2013=~/data/fer2013.csv``, ``ck48:fold=1/10=~/data/CK+48``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pydantic import Field

from fbench.benchmark.data.catalogue import CATALOGUE, known_data
from fbench.core.errors import UserError, did_you_mean
from fbench.core.schema import FrozenModel

# NAME, then perhaps :OPTION=VALUE,OPTION=VALUE, then perhaps =PATH; values hold neither ',' nor '='.
_REFERENCE: Final = re.compile(
    r"(?P<name>[^:=]*)(:(?P<options>[^=,]*=[^=,]*(,[^=,]*=[^=,]*)*))?(?P<equals>=(?P<path>.*))?", re.DOTALL
)


class DataReference(FrozenModel):
    """A data set by its name in the catalogue, with its place where it has one, and its options by name."""

    name: str
    path: Path | None = None
    options: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> DataReference:
        """Read ``NAME``, ``NAME=PATH`` or ``NAME:OPTION=VALUE,OPTION=VALUE=PATH``; a leading ``~`` is the home folder.

        Raises:
            UserError: an unknown name, a path that is missing, or one that the data set does not take, or an
                unknown option.
        """
        match = _REFERENCE.fullmatch(text.strip())
        name = match["name"].strip() if match else text.partition(":")[0].strip()
        if (match is None or not match["equals"]) and name not in CATALOGUE and _looks_like_path(text):
            raise UserError(
                f"--data {text} is a path without a name; write NAME=PATH, as in fer2013={text}, "
                f"where NAME is one of "
                f"{', '.join(key for key, known in CATALOGUE.items() if known.takes_path)}."
            )
        if match is None:
            raise UserError(f"--data {text} has options that cannot be read; write {name}:OPTION=VALUE=PATH.")
        path_text = (match["path"] or "").strip()
        if match["equals"] and not path_text:
            raise UserError(f"--data {text} has no path after '='; write {name}=PATH.")
        pairs = [part.partition("=") for part in (match["options"] or "").split(",") if part]
        reference = cls(
            name=name,
            path=_expand(path_text) if path_text else None,
            options={option.strip(): value.strip() for option, _, value in pairs},
        )
        reference.check()
        return reference

    def check(self) -> None:
        """See that the name and the options are known, and that there is a path exactly where one is taken.

        Raises:
            UserError: it is not so.
        """
        known = known_data(self.name)
        allowed = {option.name: option for option in known.options}
        for option, value in self.options.items():
            if option not in allowed:
                raise UserError(
                    f"The data set '{self.name}' has no option '{option}'.{did_you_mean(option, allowed)} "
                    f"Allowed: {', '.join(allowed)}."
                )
            allowed[option].check(value)
        if known.takes_path and self.path is None:
            raise UserError(
                f"The data set '{self.name}' needs a path; write {self.name}=PATH, where PATH is {known.expects}."
            )
        if not known.takes_path and self.path is not None:
            raise UserError(f"The data set '{self.name}' is embedded and takes no path; write {self.name} alone.")

    @property
    def label(self) -> str:
        """The name with its options, fit for a folder: ``ck48-fold1of10``, ``ferplus-probability``."""
        parts = [f"fold{value.replace('/', 'of')}" if key == "fold" else value for key, value in self._told()]
        return "-".join([self.name, *parts])

    def option(self, name: str) -> str:
        """The value of an option with a list of values: the one given, or the default.

        Raises:
            KeyError: the data set has no such option.
        """
        allowed = {option.name: option.allowed for option in known_data(self.name).options}
        return self.options.get(name, allowed[name][0])

    def _told(self) -> list[tuple[str, str]]:
        """The options that are not at their defaults, in the order of the catalogue."""
        known = known_data(self.name).options
        given = [(option, self.options.get(option.name)) for option in known]
        return [
            (option.name, value)
            for option, value in given
            if value is not None and (not option.allowed or value != option.allowed[0])
        ]

    def __str__(self) -> str:
        """The text that :meth:`parse` reads."""
        options = ",".join(f"{key}={value}" for key, value in self.options.items())
        name = f"{self.name}:{options}" if options else self.name
        return name if self.path is None else f"{name}={self.path}"


def _looks_like_path(text: str) -> bool:
    return "/" in text or "\\" in text or bool(Path(text).suffix)


def _expand(path_text: str) -> Path:
    try:
        return Path(path_text).expanduser()
    except RuntimeError as error:  # ~user of a user who does not exist
        raise UserError(f"The home folder in {path_text} is not known; write the path in full.") from error
