"""What one run says of one data set, read from its files once: the input of every table and figure."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import SplitName
from fbench.benchmark.records.predictions import SMALL_FILE, SplitPredictions
from fbench.benchmark.records.protocol import Collapse
from fbench.benchmark.records.specs import DataSpec, DataUnit
from fbench.benchmark.records.trial_records import HistoryRow, SplitMeasures, TrialRecord
from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError
from fbench.reports.findings.comparisons.alike import require_one_making
from fbench.reports.left_out import Omissions, attempt
from fbench.statistics.classification import confusion_matrix
from fbench.statistics.clusters import Clusters, clusters_of
from fbench.statistics.collapse import Collapses, is_collapsed

_ROUNDING: Final = 1e-6

SPLIT_WORDS: Final[dict[SplitName, str]] = {
    "train": "training split",
    "validation": "validation split",
    "test": "test split",
}


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

    @cached_property
    def seed_counts(self) -> tuple[int, ...]:
        """How many finished seeds the networks have, without repeats, ascending."""
        return tuple(sorted({len(found.seeds) for found in self.networks.values()}))


def gather(run: RunTable, data: DataSpec, omissions: Omissions | None = None) -> Evidence:
    """Read all finished trials of a run on one data set.

    Args:
        run: the run.
        data: one of its data sets.
        omissions: takes a note of each trial whose predictions are not there, which is then left out, and of each whose
            history is not; none: the first is raised.

    Raises:
        UserError: a trial's predictions are damaged, of another size than the other trials', or of one image; or
            trials that were not made alike.
    """
    split = run.headline_split
    everything = [record for network in run.networks for record in run.records(network, data.name)]
    require_one_making(everything, f"{run.folder.path}, {data.name}")
    kept: dict[str, list[tuple[TrialRecord, SplitPredictions]]] = {}
    for network in run.networks:
        records = [one for one in run.records(network, data.name) if _is_kept(run, network, one, omissions)]
        if records:
            kept[network] = [(record, _predictions(run, record, len(data.class_names))) for record in records]
    parts = [part for trials in kept.values() for _, part in trials]
    unit, clusters = _clusters(parts)
    found = {
        network: replace(_network_evidence(run, data, network, trials, omissions), clusters=clusters, unit=unit)
        for network, trials in kept.items()
    }
    images = {one.correct.shape[1] for one in found.values()}
    labels = parts[0].labels if parts else np.zeros(0, np.int64)
    if len(images) > 1:
        sizes = " and ".join(f"{size:,}" for size in sorted(images))
        raise UserError(
            f"{run.folder.path}: the predictions on {data.name} are of {sizes} images, which cannot be "
            "compared; run again the trials that were read on other data."
        )
    if images and min(images) < 2:
        raise UserError(
            f"{run.folder.path}: the {SPLIT_WORDS[split]} of {data.name} has one image, which gives no "
            "interval; use a data set with at least two."
        )
    without_copies = _without_copies(run, data, max(images, default=0)) if split == "test" else None
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
    if max(audit.test_rows_with_copies) >= images:
        raise UserError(
            f"{run.folder.path}: the audit of {data.name} is of a larger test split than the predictions; delete the "
            "run's data folder and run the same command again."
        )
    kept = np.ones(images, np.bool_)
    kept[list(audit.test_rows_with_copies)] = False
    return kept


def _is_kept(run: RunTable, network: str, record: TrialRecord, omissions: Omissions | None) -> bool:
    """Whether a trial's predictions are there, as far as one that lacks them may be left out."""
    file = run.folder.trial_files(record.trial_id) / SMALL_FILE
    if omissions is None or file.exists():
        return True
    what = f"seed {record.spec.seed} of {network} on {record.spec.data.name}"
    omissions.note(what, f"there is no {file}; restore it, or delete its folder and run again")
    return False


def _history(run: RunTable, network: str, record: TrialRecord, omissions: Omissions | None) -> tuple[HistoryRow, ...]:
    what = f"the learning curve of {network}, seed {record.spec.seed}"
    return tuple(attempt(omissions, what, lambda: run.history(record)) or ())


def _network_evidence(
    run: RunTable,
    data: DataSpec,
    network: str,
    trials: Sequence[tuple[TrialRecord, SplitPredictions]],
    omissions: Omissions | None,
) -> NetworkEvidence:
    records, parts = [record for record, _ in trials], [part for _, part in trials]
    if len({part.predicted.size for part in parts}) > 1:
        raise UserError(
            f"{run.folder.path}: the trials of {network} on {data.name} hold predictions of different sizes; "
            "run again the ones that were read on other data."
        )
    classes = len(data.class_names)
    for record, part in trials:
        _require_agreement(run, record, part, classes)
    return NetworkEvidence(
        network=network,
        seeds=tuple(record.spec.seed for record in records),
        records=tuple(records),
        measures=tuple(_measures(run, record) for record in records),
        correct=np.array([part.correct for part in parts], dtype=bool),
        confusion=np.array([confusion_matrix(part.labels, part.predicted, classes) for part in parts]),
        histories=tuple(_history(run, network, record, omissions) for record in records),
        rule=run.config.protocol.collapse,
    )


def _predictions(run: RunTable, record: TrialRecord, classes: int) -> SplitPredictions:
    folder = run.folder.trial_folder(record.trial_id)
    try:
        found = run.classes(record)[run.headline_split]
        _refuse_other_classes(found, classes)
    except (OSError, KeyError, ValueError) as error:
        raise UserError(
            f"The predictions in {folder} cannot be read ({error}); restore the folder, or delete it and run again."
        ) from error
    return found


def _refuse_other_classes(found: SplitPredictions, classes: int) -> None:
    if found.labels.size == 0:
        raise ValueError("they are of no image")
    for numbers in (found.labels, found.predicted):
        if not 0 <= int(numbers.min()) <= int(numbers.max()) < classes:
            raise ValueError(
                f"they hold classes from {numbers.min()} to {numbers.max()}, and the data set has {classes}"
            )


def _require_agreement(run: RunTable, record: TrialRecord, part: SplitPredictions, classes: int) -> None:
    """Hold that the recorded accuracy is that of the predictions beside it, and that every class has its recall."""
    measures, file = _measures(run, record), run.folder.trial_folder(record.trial_id) / "record.json"
    if len(measures.recall_by_class) != classes:
        raise UserError(
            f"{file} has the recall of {len(measures.recall_by_class)} classes, and the data set has {classes}; "
            "restore the folder, or delete it and run again."
        )
    recorded, found = measures.top1, float(part.correct.mean())
    if not abs(recorded - found) <= _ROUNDING:  # NaN is no accuracy either
        raise UserError(
            f"{file} records top-1 {100 * recorded:.2f} %, and the predictions beside it have {100 * found:.2f} %; "
            "restore the folder, or delete it and run again."
        )


def _measures(run: RunTable, record: TrialRecord) -> SplitMeasures:
    measures = record.test if run.headline_split == "test" else record.validation
    if measures is None:
        file = run.folder.trial_folder(record.trial_id) / "record.json"
        raise UserError(
            f"{file} has no measures of the {SPLIT_WORDS[run.headline_split]}; restore the file, or delete "
            "its folder and run again."
        )
    return measures
