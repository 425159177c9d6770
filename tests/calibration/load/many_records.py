"""A run of thousands of records: the trials of a real tiny run, copied under other seeds.

Each copy is a trial of its own: its seed and id, predictions drawn anew, and measures that agree with them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from fbench.benchmark.records.predictions import Predictions, SplitPredictions
from fbench.benchmark.records.trial_records import PlannedTrial, SplitMeasures, TrialRecord
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.trial_result import TrialResult
from fbench.statistics.classification import measure

ACCURACY: Final = 0.55
"""Of the first network; each next is a point better."""


def tiny_run(folder: Path, suite: str) -> None:
    """A real run of one seed, with the smallest preset."""
    command = [sys.executable, "-m", "fbench.cli", "run", "--suite", suite, "--preset", "smoke", "--jobs", "2"]
    subprocess.run([*command, "--out", str(folder)], check=True, stdout=subprocess.DEVNULL)


def multiply(source: Path, target: Path, seeds: int) -> int:
    """Write a run with ``seeds`` copies of each trial of another one; how many trials it has."""
    shutil.rmtree(target, ignore_errors=True)
    kept = ("trials", "plan.json", "report.html", "summary.csv", "trials.csv", "checkpoints")
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*kept))
    given, made = RunFolder(source), RunFolder(target)
    planned: list[PlannedTrial] = []
    for place, row in enumerate(given.plan()):
        record = given.trial(row.trial_id)
        history, predictions = given.history(row.trial_id), given.predictions(row.trial_id)
        for seed in range(seeds):
            chance = np.random.default_rng([place, seed])
            found = {split: _drawn(part, ACCURACY + place / 100, chance) for split, part in predictions.items()}
            copy = _of_seed(record, seed, found)
            made.write_trial(TrialResult(copy, tuple(history), found))
            planned.append(row.model_copy(update={"seed": seed, "trial_id": copy.trial_id}))
    made.extend_plan(planned)
    return len(planned)


def _drawn(part: SplitPredictions, accuracy: float, chance: np.random.Generator) -> SplitPredictions:
    """Predictions of that accuracy, about, and no logits."""
    classes = int(part.labels.max()) + 1
    wrong = (part.labels + chance.integers(1, classes, part.labels.size)) % classes
    right = chance.random(part.labels.size) < accuracy + chance.normal(0, 0.01)
    return replace(part, predicted=np.where(right, part.labels, wrong), logits=None, sample_ids=None)


def _of_seed(record: TrialRecord, seed: int, predictions: Predictions) -> TrialRecord:
    spec = record.spec.model_copy(update={"seed": seed})
    measures = {split: _measured(part) for split, part in predictions.items()}
    return record.model_copy(update={"spec": spec, "trial_id": spec.trial_id, **measures})


def _measured(part: SplitPredictions) -> SplitMeasures:
    classes = int(part.labels.max()) + 1
    found = measure(part.labels, part.predicted, np.eye(classes, dtype=np.float16)[part.predicted])
    return SplitMeasures(
        images=part.labels.size,
        top1=found.top1,
        balanced_accuracy=found.balanced_accuracy,
        macro_f1=found.macro_f1,
        recall_by_class=tuple(None if np.isnan(recall) else recall for recall in found.per_class_recall),
        loss=found.log_loss,
        expected_calibration_error=found.expected_calibration_error,
    )
