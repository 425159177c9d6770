"""What stands on a leaderboard, part by part: the template and the command's JSON read this and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from fbench.benchmark.bundles.submission import BundledMachine, MissingTrial
from fbench.benchmark.records.specs import DataSpec
from fbench.reports.findings.comparisons.budget import ShortBudget
from fbench.reports.findings.comparisons.evidence import NetworkEvidence
from fbench.statistics.comparison.best import BestBound
from fbench.statistics.comparison.networks import NetworkComparison
from fbench.statistics.comparison.verdict import Decision
from fbench.statistics.single import AccuracySummary

MARGIN: Final = 0.01
"""The difference in accuracy that matters in practice."""


@dataclass(frozen=True)
class Repeated:
    """How many of a number of trials somebody trained again, with the same and with another result, and where."""

    trials: int
    same: int = 0
    other: int = 0
    machines: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Yes or no, and of how many."""
        if self.other:
            return f"another result, {self.other} of {self.trials}"
        return f"yes, {self.same} of {self.trials}" if self.same else "no"


@dataclass(frozen=True)
class AgainstLeader:
    """A network minus the one that leads, and what the family of all pairs decides of it."""

    difference: NetworkComparison
    decision: Decision


@dataclass(frozen=True)
class BoardRow:
    """A network of a board, in fractions of 1.

    Attributes:
        label: its name, with what tells it from another of that name.
        name: what its bundle calls it.
        digest: of what its builder builds.
        place: by accuracy, from 1 on.
        trained: its trainings, of all bundles.
        accuracy: for this test set and for new images.
        bound: on its accuracy minus that of the best of the others; none where it has one seed, most of its trainings
            collapsed, or nothing is tested.
        against_leader: none for the leader, and where there is no ``bound``.
        repeated: whether others trained it again.
        bundles: the names of those that it is from.
        code: whose code it is, in words.
    """

    label: str
    name: str
    digest: str
    place: int
    trained: NetworkEvidence = field(repr=False, compare=False)
    accuracy: AccuracySummary
    bound: BestBound | None
    against_leader: AgainstLeader | None
    repeated: Repeated
    bundles: tuple[str, ...]
    code: str

    @property
    def seeds(self) -> int:
        """How many trainings it has."""
        return len(self.trained.seeds)

    @property
    def trainable_params(self) -> int:
        """Counted of the network itself."""
        return self.trained.records[0].trainable_params

    @property
    def total_params_keras(self) -> int:
        """As a summary of Keras has it."""
        return self.trained.records[0].total_params_keras

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one image."""
        return self.trained.records[0].macs


@dataclass(frozen=True)
class Board:
    """Networks on one data set that were trained alike, the most accurate first.

    ``trained`` says how, beside the protocol and budget of the ``heading``; ``untested`` why nothing is tested, where
    nothing is. ``pairs`` is the size of the family that verdicts are corrected over: all pairs of networks, as the data
    choose the leader.
    """

    key: str
    heading: str
    data: DataSpec
    trained: str
    split_words: str
    images: int
    new_units: str
    units: str
    rows: tuple[BoardRow, ...]
    pairs: int
    budget: ShortBudget | None
    untested: str

    @property
    def leader(self) -> BoardRow | None:
        """The most accurate of those that are compared; none where there are not two."""
        return next((row for row in self.rows if row.bound is not None), None)

    @property
    def bundles(self) -> list[str]:
        """The names of all bundles that it is made of."""
        return list(dict.fromkeys(name for row in self.rows for name in row.bundles))

    @property
    def contenders(self) -> list[BoardRow]:
        """Those that may be the best."""
        return [row for row in self.rows if row.bound is not None and row.bound.may_be_best]


@dataclass(frozen=True)
class BundleLine:
    """A bundle of the page: who submitted what, made where, and whether it was repeated."""

    name: str
    by: str
    created_on: str
    networks: int
    trials: int
    missing: tuple[MissingTrial, ...]
    machines: tuple[BundledMachine, ...]
    repeated: Repeated
    code: str


@dataclass(frozen=True)
class Leaderboard:
    """The whole page; ``answers`` are a sentence for each board."""

    title: str
    boards: tuple[Board, ...]
    bundles: tuple[BundleLine, ...]
    answers: tuple[str, ...]
    remarks: tuple[str, ...] = ()
