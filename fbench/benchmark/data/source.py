"""Which data are meant: a data set by name, its path and its options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from fbench.benchmark.data.options import parse_fold
from fbench.core.schema import FrozenModel


class DataReference(FrozenModel):
    """A data set by its name in the catalogue, with its place where it has one, and its options by name.

    ``label`` is what its user calls it, none where that is the name in the catalogue.
    """

    name: str
    path: Path | None = None
    options: dict[str, str] = Field(default_factory=dict)
    label: str | None = None

    def __str__(self) -> str:
        """The text that ``--data`` takes: ``synthetic``, ``ck48:fold=1/10=/data/CK+48``."""
        options = ",".join(f"{key}={value}" for key, value in self.options.items())
        name = f"{self.name}:{options}" if options else self.name
        if self.label is not None:
            return f"{self.label}={name}{'=' if options else ':'}{self.path or ''}"
        return name if self.path is None else f"{name}={self.path}"


@dataclass(frozen=True)
class ResolvedReference:
    """A reference that was held against what is known of its data set; what layouts and readers take.

    ``label`` is the name with the options that are not at their defaults, fit for a folder: ``ck48-fold1of10``,
    ``ferplus-probability``. ``options`` has every option with a list of values, at the one given or at its default,
    and ``fold`` where one was given.
    """

    given: DataReference
    label: str
    options: Mapping[str, str]

    @property
    def path(self) -> Path:
        """Where the data lie.

        Raises:
            ValueError: the data set is embedded.
        """
        if self.given.path is None:
            raise ValueError(f"The data set '{self.given.name}' is embedded and has no path.")
        return self.given.path

    @property
    def fold(self) -> tuple[int, int] | None:
        """Which part tests, from 1, and of how many; none where no fold was asked for."""
        return parse_fold(self.options["fold"]) if "fold" in self.options else None
