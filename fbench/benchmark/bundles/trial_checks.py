"""The trials of a bundle: planned and there, each with the id of its settings and the accuracy of its predictions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from io import BytesIO
from typing import Final, get_args

import numpy as np
import numpy.typing as npt

from fbench.benchmark.bundles.contents import BundleContents
from fbench.benchmark.bundles.facts import planned_records
from fbench.benchmark.bundles.findings import BundleFinding, said
from fbench.benchmark.data.dataset import SplitName, validation_for_selection
from fbench.benchmark.records.predictions import SMALL_FILE, ClusterUnit, Predictions, SplitPredictions, classes_in
from fbench.benchmark.records.trial_records import SplitMeasures, TrialRecord
from fbench.benchmark.store.index.records import RECORD_FILE
from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError
from fbench.core.npz import read_npz
from fbench.statistics.classification import balanced_accuracy, confusion_matrix, macro_f1, per_class_recall, top1

_MOST_ARRAY_BYTES: Final = 64 * 2**20
_ROUNDING: Final = 1e-9
_OF_HISTORY: Final = 0.005
"""How far the accuracy of the chosen evaluation may be from that of the record, where a GPU evaluates twice."""

Labels = dict[tuple[str, SplitName], npt.NDArray[np.integer]]
"""The labels of a split by the fingerprint of its data."""


def check_plan(run: RunTable) -> Iterator[BundleFinding]:
    """Trials without a plan, a part of a run, and seeds that were picked."""
    planned = {row.trial_id for row in run.plan}
    for trial_id in run.trials:
        if trial_id not in planned:
            yield BundleFinding(f"trials/{trial_id}", "is of no planned trial")
    if run.config.shard is not None:
        yield BundleFinding("run.json", f"is part {run.config.shard} of a run; fbench merge makes one run of the parts")
    seeds_of: dict[tuple[str, str], list[int]] = {}
    for row in sorted(run.plan, key=lambda row: row.seed):
        seeds_of.setdefault((row.network, row.data), []).append(row.seed)
    for (network, data), seeds in seeds_of.items():
        if seeds != list(range(len(seeds))):
            shown = ", ".join(map(str, seeds[:10]))
            yield BundleFinding("plan.json", f"has of {network} on {data} the seeds {shown}", is_problem=False)


def check_trials(run: RunTable, contents: BundleContents) -> Iterator[BundleFinding]:
    """Every finished trial of the plan."""
    labels: Labels = {}
    rows = {row.trial_id: row for row in run.plan}
    for record in planned_records(run):
        row = rows[record.trial_id]
        place = f"trials/{record.trial_id}"
        spec = record.spec
        if spec.trial_id != record.trial_id:
            yield BundleFinding(f"{place}/{RECORD_FILE}", f"has settings that make the trial {spec.trial_id}")
        if not _is_of_the_run(run, record) or spec.data.name != row.data:
            yield BundleFinding(f"{place}/{RECORD_FILE}", f"is of data ({spec.data.name}) that the run has not")
        yield from _check_accuracy(run, record, contents.files.get(f"{place}/{SMALL_FILE}"), labels)
        yield from _check_history(run, record)
    yield from _check_audits(run, labels)


def _is_of_the_run(run: RunTable, record: TrialRecord) -> bool:
    """Whether the run has the data of a trial, or those of which its data are without copies of test images."""
    data = record.spec.data
    if any(data.fingerprint == one.fingerprint for one in run.config.data):
        return True
    return data.options.get("copies", "keep") != "keep" and any(data.name == one.name for one in run.config.data)


def _check_accuracy(
    run: RunTable, record: TrialRecord, content: bytes | None, labels: Labels
) -> Iterator[BundleFinding]:
    place = f"trials/{record.trial_id}"
    if content is None:
        yield BundleFinding(f"{place}/{SMALL_FILE}", "is not there, so that no accuracy can be recomputed")
        return
    try:
        predictions = _predictions(content)
    except (OSError, ValueError, UserError) as error:
        yield BundleFinding(f"{place}/{SMALL_FILE}", f"cannot be read ({said(error)})")
        return
    measured: dict[SplitName, SplitMeasures | None] = {"validation": record.validation, "test": record.test}
    for split, measures in measured.items():
        part = predictions.get(split)
        if measures is None and part is None:
            continue
        if measures is None or part is None:
            yield BundleFinding(place, f"has a record or predictions of the {split} split without the other")
            continue
        if (wrong := _wrong_measure(part, measures, len(record.spec.data.class_names))) is not None:
            yield BundleFinding(f"{place}/{RECORD_FILE}", f"{wrong} on the {split} split")
        first = labels.setdefault((record.spec.data.fingerprint, split), part.labels)
        if not np.array_equal(first, part.labels):
            yield BundleFinding(f"{place}/{SMALL_FILE}", f"has other labels of the {split} split than other trials")


def _predictions(content: bytes) -> Predictions:
    arrays = read_npz(BytesIO(content), _MOST_ARRAY_BYTES)
    parts = ("predicted", "labels", *get_args(ClusterUnit))
    wanted = {f"{split}_{part}" for split in ("validation", "test") for part in parts}
    if odd := [name for name in arrays if str(validation_for_selection(name)) not in wanted]:
        raise ValueError(f"it has an array called {odd[0][:40]!r}")
    return classes_in(arrays)


def _wrong_measure(part: SplitPredictions, measures: SplitMeasures, classes: int) -> str | None:
    """What a record says of a split that its predictions do not, in words; none where they agree."""
    try:
        confusion = confusion_matrix(part.labels, part.predicted, classes)
    except ValueError as error:
        return f"belongs to predictions that are none ({said(error)})"
    recalls = [None if math.isnan(recall) else recall for recall in per_class_recall(confusion).tolist()]
    found = {
        "images": part.labels.size,
        "top1": top1(confusion),
        "balanced_accuracy": balanced_accuracy(confusion),
        "macro_f1": macro_f1(confusion),
    }
    for name, value in found.items():
        if not abs(value - getattr(measures, name)) <= _ROUNDING:
            return f"says {name} {getattr(measures, name):.6g}, and the predictions have {value:.6g}"
    stated = measures.recall_by_class
    if len(stated) != classes or not all(
        one == other if one is None or other is None else abs(one - other) <= _ROUNDING
        for one, other in zip(stated, recalls, strict=False)
    ):
        return "says other recalls than the predictions have"
    return None


def _check_history(run: RunTable, record: TrialRecord) -> Iterator[BundleFinding]:
    """The evaluation that was chosen is one of the history, with the accuracy of the record."""
    file = f"trials/{record.trial_id}/history.csv"
    try:
        chosen = [row for row in run.history(record) if row.step == record.chosen_step]
    except UserError as error:
        yield BundleFinding(file, f"cannot be read ({said(error)})")
        return
    if len(chosen) != 1:
        yield BundleFinding(file, "has not the evaluation that was chosen")
        return
    measures = record.validation if record.selected_on == "validation" else None
    if measures is not None and not abs(chosen[0].validation_top1 - measures.top1) <= _OF_HISTORY:
        yield BundleFinding(file, "has another accuracy of the chosen evaluation than the record")


def _check_audits(run: RunTable, labels: Labels) -> Iterator[BundleFinding]:
    """The data that were audited are those that were trained on, with as many images of each class."""
    for data in run.config.data:
        audit = run.audits.get(data.name)
        if audit is None:
            yield BundleFinding("the run", f"has no audit of {data.name}", is_problem=False)
            continue
        file = f"data/{data.fingerprint[:16]}/audit.json"
        if audit.data_fingerprint != data.fingerprint:
            yield BundleFinding(file, f"is of other data than {data.name} of the run")
        for (fingerprint, split), found in labels.items():
            counts = audit.images_by_split_and_class.get(split)
            if fingerprint == audit.data_fingerprint and counts is not None:
                ours = np.bincount(found, minlength=len(counts)).tolist()
                if ours != list(counts):
                    yield BundleFinding(file, f"counts other images by class on the {split} split than the predictions")
