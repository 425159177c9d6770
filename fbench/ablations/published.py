"""The papers' own figures with where they stand in the paper, for "paper against measured"."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from fbench.core.schema import FrozenModel, parse, read_toml

FILE = Path(__file__).parent / "published.toml"

PublishedMetric = Literal["top1", "training_accuracy", "total_params_keras", "trainable_params", "training_time"]
Unit = Literal["percent", "parameters", "hours"]


class PublishedValue(FrozenModel):
    """One figure of a paper. None has a spread, and most were read on the set that chose the epoch.

    Attributes:
        architecture: registered name; None for a method of another paper, which ``method`` names.
        paper: such as "Xu et al. 2021".
        section: table and row, figure, or section.
        data: ``fer2013``, ``ck_plus``, ``imed`` or ``mean`` (of the three); None where no data is needed.
        metric: what the figure measures; ``total_params_keras`` counts running statistics too.
        value: as printed.
        unit: of the value.
        remark: what a reader must know to compare it, empty when nothing.
    """

    architecture: str | None = None
    method: str = ""
    paper: str
    section: str
    data: Literal["fer2013", "ck_plus", "imed", "mean"] | None = None
    metric: PublishedMetric
    value: float
    unit: Unit
    remark: str = ""


class _PublishedFile(FrozenModel):
    values: tuple[PublishedValue, ...]


def published_values() -> list[PublishedValue]:
    """Return every published figure, in the order of the papers."""
    return list(parse(_PublishedFile, read_toml(FILE), FILE.name).values)
