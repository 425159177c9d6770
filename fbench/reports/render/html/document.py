"""What stands in a report, part by part: the template reads this and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fbench.benchmark.records.trial_records import PlannedTrial, TrialRecord
from fbench.reports.figures.drawing import Illustration
from fbench.reports.figures.sparkline import Sparkline
from fbench.reports.figures.tuning_curve import TuningCurve
from fbench.reports.findings.comparisons.budget import ShortBudget
from fbench.reports.findings.comparisons.many import ManyResult
from fbench.reports.findings.costs.batches import BatchResult
from fbench.reports.findings.costs.counters import CounterTable
from fbench.reports.findings.costs.rooflines import RooflineResult
from fbench.reports.findings.model import DataFindings, Findings, StudyFindings
from fbench.reports.findings.origin.audit import AuditSection
from fbench.reports.findings.origin.provenance import Provenance
from fbench.reports.findings.origin.readings import SplitReadings
from fbench.reports.findings.tradeoffs.training_time import TrainingTimeResult
from fbench.reports.palette import Style
from fbench.reports.render.html.drawn import DrawnNetworks
from fbench.reports.render.html.recalls import RecallSection
from fbench.statistics.comparison.multiplicity import Correction

Theme = Literal["auto", "light", "dark"]
"""Colours of the page: as the reader's system asks, or always the same."""


@dataclass(frozen=True)
class StudySection(StudyFindings):
    """A study's findings with their figure: none where the study does not cross factors, or not enough has finished."""

    interaction: Illustration | None


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
class FigureGroup:
    """Figures that are looked at together, under a heading of their own where they have a ``title``."""

    title: str
    figures: tuple[Illustration, ...]


@dataclass(frozen=True)
class FigureChoice:
    """Figures of which a reader looks at one at a time, at least one; ``names`` tell them apart, ``what`` says of what.

    A page without scripts, and paper, show all of them.
    """

    what: str
    names: tuple[str, ...]
    figures: tuple[Illustration, ...]


@dataclass(frozen=True)
class FigurePart:
    """A part of figures alone: the end of its heading's id, the heading, how it is read, and one group at least."""

    anchor: str
    title: str
    how: str
    groups: tuple[FigureGroup, ...]


@dataclass(frozen=True)
class FacesSection:
    """What networks look at: Grad-CAM of each, and the feature maps of an early convolution of each.

    ``sources`` say what the images are; ``real`` whether they may not be passed on. ``faces`` are the images
    themselves, a figure for each set where networks were shown different ones.
    """

    sources: tuple[str, ...]
    real: bool
    faces: tuple[Illustration, ...]
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
    """Inference below the machine's roofline."""

    result: RooflineResult
    figure: Illustration


@dataclass(frozen=True)
class TrainingTimeSection:
    """Training time on one data set; ``sentence`` says who trains fastest, and is empty where nothing can be said."""

    result: TrainingTimeResult
    sentence: str
    figure: Illustration


@dataclass(frozen=True)
class DataSection(DataFindings):
    """The findings of one run on one data set with their figures.

    ``forest`` shows all ablations on one scale, and is none where nothing could be compared.
    ``throughput_words`` say in which batches throughput was measured. ``accuracy_figures`` and ``learning_figures`` are
    the parts of figures alone in these places. ``recall_changes`` are recalls of networks minus their baseline's, a
    figure for each study. ``confusion`` are the matrices of single networks, ``confusion_changes`` those of a network
    minus its baseline. ``drawn`` says which networks have figures of their own.
    """

    forest: Illustration | None
    sparklines: Mapping[str, Sparkline]
    tuning_curves: Mapping[str, TuningCurve]
    throughput_words: str
    pareto: tuple[Illustration, ...]
    studies: tuple[StudySection, ...]
    accuracy_figures: tuple[FigurePart, ...]
    learning_figures: tuple[FigurePart, ...]
    recalls: RecallSection | None
    recall_changes: FigureChoice | None
    confusion: FigureChoice | None
    confusion_changes: FigureChoice | None
    training_time: TrainingTimeSection | None
    faces: FacesSection | None
    drawings: tuple[NetworkDrawing, ...]
    audit: AuditSection | None
    drawn: DrawnNetworks


@dataclass(frozen=True)
class RunSection:
    """What belongs to a run as a whole.

    ``budget`` is one below the protocol's own, on any data set. ``many`` is over all data sets, none where the run has
    but one.
    """

    key: str
    run_name: str
    budget: ShortBudget | None
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
class Report(Findings):
    """A whole page: the findings with their figures, and what belongs to each run.

    ``refresh_s`` is after how many seconds a browser opens the file again, while a run goes on.
    """

    theme: Theme
    refresh_s: int | None
    correction: Correction
    styles: Mapping[str, Style]
    data_sections: tuple[DataSection, ...]
    run_sections: tuple[RunSection, ...]
