"""The numbers and words of a report, part by part; a page adds figures to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fbench.benchmark.records.specs import DataSpec, DataUnit
from fbench.benchmark.records.trial_records import PlannedTrial, TrialRecord
from fbench.reports.findings.answer import AnswerSentence
from fbench.reports.findings.claims.section import ClaimsSection
from fbench.reports.findings.comparisons.budget import ShortBudget
from fbench.reports.findings.comparisons.factors import FactorSection
from fbench.reports.findings.comparisons.over_data_sets import DataSetsFindings
from fbench.reports.findings.comparisons.published import PublishedRow
from fbench.reports.findings.comparisons.studies import StudyResult
from fbench.reports.findings.comparisons.summary import NetworkSummary
from fbench.reports.findings.comparisons.units import NEW_UNITS, UNITS
from fbench.reports.findings.costs.machines import TimesApart
from fbench.reports.findings.faces import NetworkMaps
from fbench.reports.findings.imported import ImportedRow
from fbench.reports.findings.networks.blueprint import NetworkPlan
from fbench.reports.findings.networks.differences import NetworkDifferences
from fbench.reports.findings.next_step import NextStep
from fbench.reports.findings.origin.tuning import TuningFindings
from fbench.reports.findings.overview.gather import Overview
from fbench.reports.findings.tradeoffs.fronts import FrontResult
from fbench.reports.left_out import LeftOut


@dataclass(frozen=True)
class StudyFindings:
    """A study's result.

    ``differences`` are those of each network from the baseline, as far as the run describes its networks. ``factors``
    is none where the study does not cross factors.
    """

    result: StudyResult
    differences: tuple[NetworkDifferences, ...]
    factors: FactorSection | None


@dataclass(frozen=True)
class DataFindings:
    """One run on one data set; ``key`` is unique in a report.

    ``recorded_name`` is what the configuration calls the run; ``run_name`` tells it from others of that name.
    ``folds`` are the data sets that it is made of, where these are all folds of one.
    ``timed_for`` names the data set whose image size and classes times were measured for, where
    they are not this one's. ``printed_top1`` are the
    papers' accuracies by network, each with its place. ``maps`` are what networks make of faces, ``plans`` how networks
    are built, ``families`` what the verdicts of studies are corrected for, ``next_step`` what would decide more, and
    ``left_out`` says which of all this could not be read, and why. ``budget`` is one below the protocol's own, else
    none. ``tuning`` is what searches for settings found, none where there were none. ``times_apart`` says which
    machines its times are of, where these are several.
    """

    key: str
    run_name: str
    recorded_name: str
    data: DataSpec
    split_words: str
    unit: DataUnit
    folds: tuple[str, ...]
    budget: ShortBudget | None
    overview: Overview
    answer: tuple[AnswerSentence, ...]
    cautions: tuple[str, ...]
    families: tuple[str, ...]
    next_step: NextStep
    summary: tuple[NetworkSummary, ...]
    without_copies: str
    timed_for: str
    front: FrontResult | None
    studies: tuple[StudyFindings, ...]
    published: tuple[PublishedRow, ...]
    printed_top1: Mapping[str, tuple[PublishedRow, ...]]
    maps: tuple[NetworkMaps, ...]
    plans: tuple[NetworkPlan, ...]
    left_out: tuple[LeftOut, ...]
    tuning: TuningFindings | None
    times_apart: TimesApart

    @property
    def given(self) -> str:
        """What intervals hold given, to be added to a caption; empty where they leave out no chance of a search."""
        return ", given these settings" if self.tuning is not None and not self.tuning.per_seed else ""

    @property
    def new_units(self) -> str:
        """What intervals are for beside new seeds: new images, subjects or groups of copies."""
        return NEW_UNITS[self.unit]

    @property
    def units(self) -> str:
        """What is drawn anew in them."""
        return UNITS[self.unit]


@dataclass(frozen=True)
class RunTrials:
    """The planned trials of the run that its configuration calls ``recorded_name``, each with its record, if any."""

    recorded_name: str
    trials: tuple[tuple[PlannedTrial, TrialRecord | None], ...]


@dataclass(frozen=True)
class Findings:
    """A whole report; ``claims`` is none where the runs have nothing to say on any, and ``imported`` are results of
    other programs held against the runs. ``over_data_sets`` pools the comparisons of each run, by its name, that has
    several data sets."""

    title: str
    data_sections: tuple[DataFindings, ...]
    run_trials: tuple[RunTrials, ...]
    claims: ClaimsSection | None
    imported: tuple[ImportedRow, ...]
    over_data_sets: Mapping[str, DataSetsFindings]
