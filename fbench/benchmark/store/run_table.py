"""A run as arrays: what reports and statistics read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.audit.findings import Audit
from fbench.benchmark.data.dataset import SplitName
from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.interim_analyses import InterimAnalyses
from fbench.benchmark.records.network_description import NetworkDescription
from fbench.benchmark.records.predictions import Predictions, SplitPredictions
from fbench.benchmark.records.search_records import SearchRecord
from fbench.benchmark.records.trial_records import HistoryRow, PlannedTrial, RunConfig, TrialRecord
from fbench.benchmark.store.index.answers import TrialAnswers
from fbench.benchmark.store.index.histories import TrialHistories
from fbench.benchmark.store.index.records import RecordFacts, TrialRecords, facts_of
from fbench.benchmark.store.index.trial_files import SeenTrials
from fbench.benchmark.store.run_folder import TRIAL_FILES, RunFolder
from fbench.benchmark.store.search_files import read_searches
from fbench.core.errors import UserError
from fbench.core.paths import expanded
from fbench.statistics.clusters import Clusters, clusters_of


@dataclass(frozen=True)
class Correctness:
    """Whether each image was classified correctly: ``correct`` bool (seeds, images), one row per entry of ``seeds``."""

    seeds: tuple[int, ...]
    correct: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RunTable:
    """The records of one run, addressed by network, data set and seed. Made by :func:`load_run`."""

    folder: RunFolder
    config: RunConfig
    plan: tuple[PlannedTrial, ...]
    trials: Mapping[str, TrialRecord]
    costs: tuple[CostRecord, ...]
    audits: dict[str, Audit] = field(default_factory=dict)
    """What was found in each data set, by its name in the run; those without an audit are left out."""
    _descriptions: dict[str, NetworkDescription | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def interim_analyses(self) -> InterimAnalyses | None:
        """What each interim analysis found, or None where seeds were not added until comparisons were decided."""
        return self.folder.interim_analyses()

    @cached_property
    def test_readings(self) -> list[dict[str, Any]]:
        """The run's copy of the ledger of test readings, a line each."""
        return self.folder.test_readings()

    @cached_property
    def searches(self) -> dict[str, SearchRecord]:
        """The searches for settings that the run rests on by their ids, empty where nothing was tuned.

        Raises:
            UserError: a file is not valid.
        """
        return read_searches(self.folder.searching)

    @cached_property
    def networks(self) -> tuple[str, ...]:
        """Names of the planned networks, in the order of the plan."""
        return tuple(dict.fromkeys(row.network for row in self.plan))

    @cached_property
    def data_names(self) -> tuple[str, ...]:
        """Names of the data sets, in the order of the plan."""
        return tuple(dict.fromkeys(row.data for row in self.plan))

    @property
    def headline_split(self) -> SplitName:
        """The split that headlines rest on: test, or validation where the protocol never reads the test split."""
        return "validation" if self.config.protocol.test == "none" else "test"

    @cached_property
    def _rows(self) -> dict[tuple[str, str], list[PlannedTrial]]:
        """The plan by network and data set, by seed."""
        found: dict[tuple[str, str], list[PlannedTrial]] = {}
        for row in sorted(self.plan, key=lambda row: row.seed):
            found.setdefault((row.network, row.data), []).append(row)
        return found

    def facts(self, trial_id: str) -> RecordFacts:
        """What is asked of many records, without reading them where an index knows it."""
        trials = self.trials
        return trials.facts(trial_id) if isinstance(trials, TrialRecords) else facts_of(trials[trial_id])

    def finished(self, network: str, data: str) -> list[str]:
        """The ids of the finished trials of a network on a data set, by seed."""
        ids = [row.trial_id for row in self._rows.get((network, data), ())]
        return [one for one in ids if one in self.trials and self.facts(one).finished]

    def each(self, trial_ids: Iterable[str]) -> list[TrialRecord]:
        """The records of many trials."""
        trials = self.trials
        return trials.each(trial_ids) if isinstance(trials, TrialRecords) else [trials[one] for one in trial_ids]

    def records(self, network: str, data: str) -> list[TrialRecord]:
        """Finished trials of a network on a data set, by seed."""
        return self.each(self.finished(network, data))

    def failed(self) -> list[tuple[PlannedTrial, TrialRecord]]:
        """Planned trials that failed, with their records."""
        rows = [row for row in self.plan if row.trial_id in self.trials]
        return [(row, self.trials[row.trial_id]) for row in rows if not self.facts(row.trial_id).finished]

    def missing(self) -> list[PlannedTrial]:
        """Planned trials that have no record yet."""
        return [row for row in self.plan if row.trial_id not in self.trials]

    def predictions(self, record: TrialRecord) -> Predictions:
        """Stored predictions of a trial."""
        return self.folder.predictions(record.trial_id)

    @cached_property
    def _seen(self) -> SeenTrials:
        trials = self.trials
        return trials.seen if isinstance(trials, TrialRecords) else SeenTrials(self.folder.files, TRIAL_FILES)

    @cached_property
    def answers(self) -> TrialAnswers:
        """What each trial predicted, without logits and ids of images, read in a fraction of the time."""
        return TrialAnswers(self._seen)

    @cached_property
    def histories(self) -> TrialHistories:
        """The evaluation points of each trial."""
        return TrialHistories(self._seen)

    def classes(self, record: TrialRecord) -> Predictions:
        """Stored predictions of a trial without logits and ids of images."""
        return self.answers.value(record.trial_id)

    def history(self, record: TrialRecord) -> tuple[HistoryRow, ...]:
        """Evaluation points of a trial."""
        return self.histories.value(record.trial_id)

    def description(self, digest: str) -> NetworkDescription | None:
        """The description of the network with this digest, read once; None where it was not kept.

        Raises:
            UserError: its file is not valid.
        """
        if digest not in self._descriptions:
            self._descriptions[digest] = self.folder.network(digest)
        return self._descriptions[digest]

    def network_description(self, network: str, data: str) -> NetworkDescription | None:
        """The description of a network; None where no trial on this data set has finished or it was not kept.

        Raises:
            UserError: its file is not valid.
        """
        records = self.records(network, data)
        return self.description(records[0].spec.network.digest) if records else None

    def correctness(self, network: str, data: str, split: SplitName | None = None) -> Correctness:
        """Per-image correctness of all finished seeds on a split (the headline split by default).

        Raises:
            UserError: a trial that did not read this split.
        """
        split = split or self.headline_split
        records = self.records(network, data)
        rows = [_of_split(self.classes(record), split).correct for record in records]
        images = rows[0].size if rows else 0
        return Correctness(
            seeds=tuple(record.spec.seed for record in records),
            correct=np.array(rows, dtype=bool).reshape(len(rows), images),
        )

    def paired_differences(
        self, network: str, baseline: str, data: str, split: SplitName | None = None
    ) -> tuple[tuple[int, ...], npt.NDArray[np.int8]]:
        """Seeds that both networks finished, and correctness of ``network`` minus ``baseline`` (seeds, images)."""
        a, b = self.correctness(network, data, split), self.correctness(baseline, data, split)
        common = tuple(seed for seed in a.seeds if seed in b.seeds)
        rows_a = a.correct[[a.seeds.index(seed) for seed in common]].astype(np.int8)
        rows_b = b.correct[[b.seeds.index(seed) for seed in common]].astype(np.int8)
        return common, rows_a - rows_b

    def clusters(self, data: str, split: SplitName | None = None) -> Clusters | None:
        """Which images of a split (the headline split by default) belong together, as the first trial that kept it
        says; none where each stands for itself, where no trial kept it, or where all belong together."""
        split = split or self.headline_split
        for network in self.networks:
            for record in self.records(network, data):
                kept = _of_split(self.classes(record), split).clusters
                if kept is not None:
                    return clusters_of(kept.numbers.tolist()) if len(set(kept.numbers.tolist())) > 1 else None
        return None

    def latest_cost(self, network: str) -> CostRecord | None:
        """The newest measurement of cost that holds this network."""
        holding = [cost for cost in self.costs if network in cost.static]
        return holding[-1] if holding else None


def load_run(path: str | Path) -> RunTable:
    """Load a run folder for reading.

    Raises:
        UserError: the folder is not a run, or one of its records is not valid (named).
    """
    folder = RunFolder.open(expanded(path))
    config = folder.config()
    plan, trials = tuple(folder.plan()), folder.trials()
    _refuse_other_plan(folder, plan, trials)
    found = {data.name: folder.audit(data.fingerprint) for data in config.data}
    return RunTable(
        folder=folder,
        config=config,
        plan=plan,
        trials=trials,
        costs=tuple(folder.costs()),
        audits={name: audit for name, audit in found.items() if audit is not None},
    )


def _of_split(predictions: Predictions, split: SplitName) -> SplitPredictions:
    if split not in predictions:
        raise UserError(f"The run has no predictions of the split {split}; give {' or '.join(predictions)}.")
    return predictions[split]


def _refuse_other_plan(folder: RunFolder, plan: Sequence[PlannedTrial], trials: TrialRecords) -> None:
    """See that a plan asks for each seed once, and that the trials are of the seeds that they are planned for."""
    places = [(row.network, row.data, row.seed) for row in plan]
    if len(set(places)) < len(places):
        raise UserError(f"{folder.path / 'plan.json'} has a seed of a network twice; restore it or delete it.")
    for row in plan:
        if row.trial_id in trials and (seed := trials.facts(row.trial_id).seed) != row.seed:
            raise UserError(
                f"{folder.path / 'plan.json'} plans seed {row.seed} of {row.network} as trial '{row.trial_id}', which "
                f"has seed {seed}; restore it or delete it."
            )


def first_names(plan: Sequence[PlannedTrial], data: str) -> dict[str, str]:
    """For each network of a data set the first name of the same network: its trials are those of that name."""
    rows = [row for row in plan if row.data == data]
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(row.trial_id, row.network)
    return {row.network: first[row.trial_id] for row in reversed(rows)}


def planned_seeds(plan: Sequence[PlannedTrial]) -> tuple[int, ...]:
    """All seeds of a plan, ascending."""
    return tuple(sorted({row.seed for row in plan}))
