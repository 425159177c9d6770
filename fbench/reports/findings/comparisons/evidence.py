"""What one run says of one data set, read from its files once: the input of every table and figure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import SplitName
from fbench.benchmark.records.predictions import SplitPredictions
from fbench.benchmark.records.protocol import Collapse
from fbench.benchmark.records.specs import DataSpec, DataUnit
from fbench.benchmark.records.trial_records import HistoryRow, SplitMeasures, TrialRecord
from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError
from fbench.core.garbage import collection_put_off
from fbench.reports.findings.comparisons.usable import SPLIT_WORDS, usable_trials
from fbench.reports.findings.costs.cost import NetworkCost, network_cost
from fbench.reports.left_out import Omissions
from fbench.statistics.classification import confusion_matrix
from fbench.statistics.clusters import Clusters, clusters_of
from fbench.statistics.collapse import Collapses, is_collapsed
from fbench.statistics.single import AccuracySummary, summarise


@dataclass(frozen=True)
class NetworkEvidence:
    """The finished trials of one network on one data set, one entry per seed, ascending.

    ``correct`` is bool (seeds, images) and ``confusion`` int64 (seeds, classes, classes; rows are true
    classes), both on the headline split; ``measures`` are that split's. ``clusters`` of its images are none where each
    stands for itself, and ``unit`` says what they are. ``rule`` is that of the run's protocol for collapsed trainings.
    ``folds`` are the parts of a network on all folds of a data set, whose seeds stand for one training in each.
    """

    network: str
    seeds: tuple[int, ...]
    records: tuple[TrialRecord, ...]
    measures: tuple[SplitMeasures, ...]
    correct: npt.NDArray[np.bool_]
    confusion: npt.NDArray[np.int64]
    histories: tuple[tuple[HistoryRow, ...], ...]
    clusters: Clusters | None = None
    unit: DataUnit = "images"
    rule: Collapse = field(default_factory=Collapse)
    folds: tuple[NetworkEvidence, ...] = ()

    @cached_property
    def accuracy(self) -> AccuracySummary:
        """The accuracy of all seeds, for this test set and for new images."""
        return summarise(self.correct, clusters=self.clusters)

    @cached_property
    def collapsed_trainings(self) -> tuple[bool, ...]:
        """Of each trial whether it did not learn: within chance of the largest class, or with a diverged loss; of a
        set of folds whether one of them did not."""
        if self.folds:
            return tuple(map(any, zip(*(one.collapsed_trainings for one in self.folds), strict=True)))
        losses = [rows[-1].train_loss if rows else None for rows in self.histories]
        return tuple(
            is_collapsed(*one, self.rule.chance, self.rule.loss_factor)
            for one in zip(self.confusion, losses, strict=True)
        )

    @property
    def collapses(self) -> Collapses:
        """How many of the trials did not learn."""
        return Collapses(sum(self.collapsed_trainings), len(self.seeds))

    @property
    def collapsed(self) -> bool:
        """Whether most of the trials did not learn."""
        return self.collapses.most

    def of_seeds(self, wanted: Collection[int]) -> NetworkEvidence:
        """The trials of these seeds alone."""
        rows = [index for index, seed in enumerate(self.seeds) if seed in wanted]
        return replace(
            self,
            seeds=tuple(self.seeds[row] for row in rows),
            records=tuple(self.records[row] for row in rows),
            measures=tuple(self.measures[row] for row in rows),
            correct=self.correct[rows],
            confusion=self.confusion[rows],
            histories=tuple(self.histories[row] for row in rows),
            folds=tuple(one.of_seeds(wanted) for one in self.folds),
        )

    @property
    def largest_loss(self) -> float:
        """The largest validation loss of any trial at any evaluation, in nats; 0 without a history."""
        histories = [rows for one in (self, *self.folds) for rows in one.histories]
        losses = [row.validation_loss for rows in histories for row in rows]
        return max((loss for loss in losses if math.isfinite(loss)), default=0.0)


@dataclass(frozen=True)
class Evidence:
    """One run on one data set; ``networks`` holds those with a finished trial, in the order of the plan.

    ``labels`` are the true classes (images,) of the headline split, empty where nothing has finished.
    ``without_copies`` is bool (images,) of the headline split: true where the image has no exact copy in the training
    or validation split. It is none where that split is not the test split, no audit was kept, or nothing has a copy.
    ``folds`` are the names of the data sets that it is made of, where these are all folds of one.
    ``unit`` is what is drawn anew in intervals: subjects, groups of copies, or images where none is kept or a single
    one has all images.
    """

    run: RunTable
    data: DataSpec
    split: SplitName
    networks: dict[str, NetworkEvidence]
    labels: npt.NDArray[np.integer]
    without_copies: npt.NDArray[np.bool_] | None = None
    clusters: Clusters | None = None
    unit: DataUnit = "images"
    folds: tuple[str, ...] = ()

    @property
    def recorded_data(self) -> str:
        """The name of a data set that trials of it have in the run's records."""
        return self.folds[0] if self.folds else self.data.name

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the confusion matrices."""
        return self.data.class_names

    @property
    def is_smoke(self) -> bool:
        """Whether the preset is ``smoke``, whose numbers mean nothing: nothing of it is tested."""
        return self.run.config.preset == "smoke"

    @cached_property
    def split_words(self) -> str:
        """The headline split as a reader calls it."""
        return SPLIT_WORDS[self.split]

    def cost_of(self, network: str) -> NetworkCost:
        """The cost of a network with a finished trial."""
        if network not in self._costs:
            self._costs[network] = network_cost(self.run, network, self.networks[network].records)
        return self._costs[network]

    @cached_property
    def _costs(self) -> dict[str, NetworkCost]:
        return {}

    @cached_property
    def seed_counts(self) -> tuple[int, ...]:
        """How many finished seeds the networks have, without repeats, ascending."""
        return tuple(sorted({len(found.seeds) for found in self.networks.values()}))


def gather(run: RunTable, data: DataSpec, omissions: Omissions | None = None) -> Evidence:
    """Read all finished trials of a run on one data set; arguments and errors are those of :func:`usable_trials`."""
    with collection_put_off():
        return _gather(run, data, usable_trials(run, data, omissions))


def _gather(run: RunTable, data: DataSpec, kept: Mapping[str, Sequence[str]]) -> Evidence:
    split = run.headline_split
    parts = {
        network: [answers[split] for answers in run.answers.each(trial_ids)] for network, trial_ids in kept.items()
    }
    everything = [part for of_network in parts.values() for part in of_network]
    unit, clusters = _clusters(everything)
    found = {
        network: replace(_network_evidence(run, data, network, kept[network], of_network), clusters=clusters, unit=unit)
        for network, of_network in parts.items()
    }
    images = next((one.correct.shape[1] for one in found.values()), 0)
    labels = everything[0].labels if everything else np.zeros(0, np.int64)
    without_copies = _without_copies(run, data, images) if split == "test" else None
    return Evidence(run, data, split, found, labels, without_copies, clusters, unit)


def _clusters(parts: Sequence[SplitPredictions]) -> tuple[DataUnit, Clusters | None]:
    """Of all trials, as they are of one data set: those that one of them kept, two or more."""
    kept = next((part.clusters for part in parts if part.clusters is not None), None)
    if kept is None or np.unique(kept.numbers).size < 2:
        return "images", None
    return kept.unit, clusters_of(kept.numbers.tolist())


def _without_copies(run: RunTable, data: DataSpec, images: int) -> npt.NDArray[np.bool_] | None:
    audit = run.audits.get(data.name)
    if audit is None or not audit.test_rows_with_copies or images - len(audit.test_rows_with_copies) < 2:
        return None
    kept = np.ones(images, np.bool_)
    kept[list(audit.test_rows_with_copies)] = False
    return kept


def _network_evidence(
    run: RunTable, data: DataSpec, network: str, trial_ids: Sequence[str], parts: Sequence[SplitPredictions]
) -> NetworkEvidence:
    records, classes = run.each(trial_ids), len(data.class_names)
    measures = [record.test if run.headline_split == "test" else record.validation for record in records]
    return NetworkEvidence(
        network=network,
        seeds=tuple(record.spec.seed for record in records),
        records=tuple(records),
        measures=tuple(one for one in measures if one is not None),
        correct=np.array([part.correct for part in parts], dtype=bool),
        confusion=np.array([confusion_matrix(part.labels, part.predicted, classes) for part in parts]),
        histories=tuple(_history(run, trial_id) for trial_id in trial_ids),
        rule=run.config.protocol.collapse,
    )


def _history(run: RunTable, trial_id: str) -> tuple[HistoryRow, ...]:
    """The evaluation points of a trial; none where they cannot be read, of which a note was taken."""
    try:
        return run.histories.value(trial_id)
    except UserError:
        return ()
