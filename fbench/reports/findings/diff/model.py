"""What stands on a page of two sides, part by part: the template reads this and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from fbench.benchmark.records.trial_records import PlannedTrial, TrialRecord
from fbench.reports.findings.comparisons.budget import ShortBudget
from fbench.reports.findings.comparisons.comparison import Comparison
from fbench.reports.findings.comparisons.families import CorrectedFamily
from fbench.reports.findings.gate.change import MeasuredChange
from fbench.reports.findings.gate.judge import Gate
from fbench.reports.findings.gate.metrics import GateMetric

SIDES: Final[tuple[Literal["A"], Literal["B"]]] = ("A", "B")
"""What a reader calls the base and the new side."""

CostVerdict = Literal["dearer", "cheaper", "same", "undecided"]
COST_VERDICTS: Final[tuple[CostVerdict, ...]] = get_args(CostVerdict)


@dataclass(frozen=True)
class SideTrials:
    """Trials that have no result: of one network where one was named, else of all."""

    network: str | None
    planned: int
    failed: tuple[tuple[PlannedTrial, TrialRecord], ...]
    missing: tuple[PlannedTrial, ...]


@dataclass(frozen=True)
class SideView:
    """One side: its letter, its name, what it is; ``trials`` is none for a measurement of speed.

    ``alone`` are networks that the other side does not hold.
    """

    letter: str
    name: str
    what: str
    alone: tuple[str, ...]
    trials: SideTrials | None


@dataclass(frozen=True)
class DifferingFact:
    """A fact that is not the same on both sides."""

    topic: str
    name: str
    base: str
    new: str


@dataclass(frozen=True)
class Settings:
    """Facts that differ, the topics in which none does, and what could not be held against each other."""

    differing: tuple[DifferingFact, ...]
    same: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def topics(self) -> tuple[str, ...]:
        """In which something differs."""
        return tuple(dict.fromkeys(fact.topic for fact in self.differing))


@dataclass(frozen=True)
class AccuracyRow:
    """B minus A for one pair of networks, with the mean top-1 of both over the seeds that were compared.

    ``same_answers``: both are right on the same images, seed by seed.
    """

    label: str
    comparison: Comparison
    base_top1: float
    new_top1: float
    same_answers: bool


@dataclass(frozen=True)
class DataAccuracy:
    """All pairs on one data set, whose tests are corrected together.

    ``refused`` says which pairs could not be compared and why; ``mixed`` what besides the networks a difference may
    come from. ``budget`` is one of a side below its protocol's own, else none.
    """

    key: str
    data: str
    split_words: str
    new_units: str
    synthetic: bool
    rows: tuple[AccuracyRow, ...]
    refused: tuple[str, ...]
    mixed: tuple[str, ...]
    margin: float
    family: CorrectedFamily
    budget: ShortBudget | None = None


@dataclass(frozen=True)
class CostRow:
    """One metric of one pair; ``verdict`` rests on an interval that holds together with all others of the page."""

    metric: GateMetric
    change: MeasuredChange
    verdict: CostVerdict


@dataclass(frozen=True)
class CostGroup:
    """What is known of the cost of one pair."""

    label: str
    rows: tuple[CostRow, ...]

    @property
    def verdicts(self) -> dict[CostVerdict, int]:
        """How many metrics came out how, without those that none did."""
        numbers = {verdict: sum(row.verdict == verdict for row in self.rows) for verdict in COST_VERDICTS}
        return {verdict: number for verdict, number in numbers.items() if number}


@dataclass(frozen=True)
class Cost:
    """The cost of all pairs; ``remarks`` are about machines and arithmetic, ``unknown`` what could not be told."""

    groups: tuple[CostGroup, ...]
    confidence: float
    joint_confidence: float
    remarks: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class NetworkPair:
    """What differs in the two networks themselves: options by name, and layers in a sentence, empty where none do."""

    label: str
    options: tuple[DifferingFact, ...]
    sentence: str


@dataclass(frozen=True)
class Networks:
    """Pairs that differ, and those that are the same layer by layer."""

    differing: tuple[NetworkPair, ...]
    same: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class DiffAnswer:
    """A sentence of the answer with what stands below it."""

    sentence: str
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choice:
    """Which side to take, in a sentence; ``outcome`` is ``same`` where nothing changed that both hold.

    ``more`` is what speaks for and against it besides, which a page says elsewhere; perhaps empty.
    """

    outcome: Literal["A", "B", "neither", "same"]
    sentence: str
    more: str = ""

    @property
    def words(self) -> str:
        """All of it."""
        return " ".join(filter(None, (self.sentence, self.more)))


@dataclass(frozen=True)
class Difference:
    """A whole page; ``gate`` is none where no condition was given."""

    title: str
    base: SideView
    new: SideView
    choice: Choice
    answers: tuple[DiffAnswer, ...]
    cautions: tuple[str, ...]
    gate: Gate | None
    settings: Settings
    accuracy: tuple[DataAccuracy, ...]
    no_accuracy: tuple[str, ...]
    cost: Cost
    networks: Networks
