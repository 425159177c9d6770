"""What stands in a report, part by part: the template reads this and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fbench.benchmark.records import PlannedTrial, TrialRecord
from fbench.benchmark.specs import DataSpec
from fbench.reports.claims.section import ClaimsSection
from fbench.reports.comparisons.factors import FactorSection
from fbench.reports.comparisons.many import ManyResult
from fbench.reports.comparisons.published import PublishedRow
from fbench.reports.comparisons.studies import StudyResult
from fbench.reports.comparisons.summary import NetworkSummary
from fbench.reports.costs.batches import BatchResult
from fbench.reports.costs.counters import CounterTable
from fbench.reports.costs.roofs import RooflineResult
from fbench.reports.figures.drawing import Illustration
from fbench.reports.figures.sparkline import Sparkline
from fbench.reports.networks.differences import NetworkDifferences
from fbench.reports.origin.audit import AuditSection
from fbench.reports.origin.provenance import Provenance
from fbench.reports.origin.readings import SplitReadings
from fbench.reports.page.answer import AnswerSentence
from fbench.reports.page.recalls import RecallSection
from fbench.reports.palette import Appearance
from fbench.reports.tradeoffs.fronts import FrontResult
from fbench.reports.tradeoffs.training_time import TrainingTimeResult
from fbench.statistics.comparison.multiplicity import Correction

Theme = Literal["auto", "light", "dark"]
"""Colours of the page: as the reader's system asks, or always the same."""


@dataclass(frozen=True)
class StudySection:
    """A study's result with what belongs to it.

    ``forest`` is none where nothing could be compared; ``factors`` and ``interaction`` are none where the study does
    not cross factors, or not enough has finished. ``differences`` are those of each network from the baseline, as far
    as the run describes its networks.
    """

    result: StudyResult
    forest: Illustration | None
    differences: tuple[NetworkDifferences, ...] = ()
    factors: FactorSection | None = None
    interaction: Illustration | None = None


@dataclass(frozen=True)
class ManySection:
    """All networks beside each other; ``profiles`` are none where their band would exclude nothing.

    ``synthetic`` is whether a data set is.
    """

    result: ManyResult
    diagram: Illustration
    profiles: Illustration | None
    synthetic: bool


@dataclass(frozen=True)
class LearningGroup:
    """Learning curves of networks that are looked at together."""

    title: str
    figures: tuple[Illustration, ...]


@dataclass(frozen=True)
class FacesSection:
    """What networks look at: Grad-CAM of each, and the feature maps of an early convolution of each.

    ``sources`` say what the images are; ``real`` whether they may not be passed on.
    """

    sources: tuple[str, ...]
    real: bool
    grad_cam: tuple[Illustration, ...]
    feature_maps: tuple[Illustration, ...]


@dataclass(frozen=True)
class NetworkDrawing:
    """A drawing, and the networks that it is of."""

    networks: tuple[str, ...]
    figure: Illustration


@dataclass(frozen=True)
class BatchSection:
    """Inference by batch size."""

    result: BatchResult
    figure: Illustration


@dataclass(frozen=True)
class RooflineSection:
    """Inference below the machine's roof."""

    result: RooflineResult
    figure: Illustration


@dataclass(frozen=True)
class TrainingTimeSection:
    """Training time on one data set; ``sentence`` says who trains fastest, and is empty where nothing can be said."""

    result: TrainingTimeResult
    sentence: str
    figure: Illustration


@dataclass(frozen=True)
class DataSection:
    """One run on one data set; ``key`` is unique in a report.

    ``cost_data`` names the data set whose image size and classes cost was measured for; ``throughput_words`` say in
    which batches throughput was measured. ``printed_top1`` are the papers' accuracies by network, each with its place.
    ``confusion`` are the matrices of single networks, ``confusion_changes`` those of a network minus its baseline;
    ``confusion_left_out`` counts the networks beyond those that are shown.
    """

    key: str
    run_name: str
    data: DataSpec
    split_words: str
    answer: tuple[AnswerSentence, ...]
    cautions: tuple[str, ...]
    summary: tuple[NetworkSummary, ...]
    without_copies: str
    sparklines: Mapping[str, Sparkline]
    printed_top1: Mapping[str, tuple[PublishedRow, ...]]
    cost_data: str
    throughput_words: str
    pareto: tuple[Illustration, ...]
    front: FrontResult | None
    studies: tuple[StudySection, ...]
    many: ManySection | None
    learning: tuple[LearningGroup, ...]
    recalls: RecallSection | None
    confusion: tuple[Illustration, ...]
    confusion_changes: tuple[Illustration, ...]
    confusion_left_out: int
    training_time: TrainingTimeSection | None
    faces: FacesSection | None
    drawings: tuple[NetworkDrawing, ...]
    published: tuple[PublishedRow, ...]
    audit: AuditSection | None


@dataclass(frozen=True)
class RunSection:
    """What belongs to a run as a whole; ``many`` is over all its data sets, none where it has but one."""

    key: str
    run_name: str
    many: ManySection | None
    batches: BatchSection | None
    roofline: RooflineSection | None
    counters: CounterTable | None
    failed: tuple[tuple[PlannedTrial, TrialRecord], ...]
    missing: tuple[PlannedTrial, ...]
    planned: int
    readings: tuple[SplitReadings, ...]
    provenance: Provenance


@dataclass(frozen=True)
class Report:
    """A whole page; ``claims`` is none where the runs have nothing to say on any.

    ``refresh_s`` is after how many seconds a browser opens the file again, while a run goes on.
    """

    title: str
    theme: Theme
    refresh_s: int | None
    correction: Correction
    looks: Mapping[str, Appearance]
    data_sections: tuple[DataSection, ...]
    run_sections: tuple[RunSection, ...]
    claims: ClaimsSection | None
