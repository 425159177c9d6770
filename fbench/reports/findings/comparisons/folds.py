"""All folds of one data set as one: every subject is tested once, by trainings that did not see it.

The unit of a seed is then its set of K trainings. Folds are drawn with a fixed seed, so that they are the same for all
seeds and networks. Trainings of a seed share most of their images, which makes their results alike; that is in the mean
of the seed, whose spread over seeds is measured.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from fbench.benchmark.data.options import parse_fold
from fbench.benchmark.records.specs import DataSpec, DataUnit
from fbench.benchmark.records.trial_records import SplitMeasures
from fbench.reports.findings.comparisons.evidence import Evidence, NetworkEvidence
from fbench.statistics.classification import balanced_accuracy, macro_f1, per_class_recall, top1
from fbench.statistics.clusters import Clusters, clusters_of


def with_all_folds(evidences: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """What a run says of its data sets, and then of each data set of which it holds every fold.

    Folds by frame stay apart: a subject is in several of them, and records do not keep which.
    """
    groups: dict[tuple[str, ...], dict[int, Evidence]] = {}
    for one in evidences:
        if "fold" in one.data.options and one.unit != "known_subjects" and one.networks:
            fold, folds = parse_fold(one.data.options["fold"])
            others = sorted(f"{name}={value}" for name, value in one.data.options.items() if name != "fold")
            groups.setdefault((one.data.source or one.data.name, str(folds), *others), {})[fold] = one
    complete = [group for (_, folds, *_), group in groups.items() if len(group) == int(folds)]
    together = [_together([group[fold] for fold in sorted(group)]) for group in complete]
    return (*evidences, *(one for one in together if one.networks))


def whole_data_sets(evidences: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Each data set once: all folds together where they are there, in place of the single ones."""
    every = with_all_folds(evidences) if not any(one.folds for one in evidences) else tuple(evidences)
    parts = {name for one in every for name in one.folds}
    return tuple(one for one in every if one.data.name not in parts)


def folds_sentence(evidence: Evidence) -> str:
    """What all folds together are; empty for a data set that is not made of folds."""
    if not evidence.folds:
        return ""
    count, same = len(evidence.folds), _SAME.get(evidence.unit)
    unseen = f"had no image of the same {same}" if same else "had not seen it"
    return (
        f"All {count} folds together: each image is tested once, by a training that {unseen}. A seed stands for its "
        f"{count} trainings; cost is that of one."
    )


_SAME: Final[dict[DataUnit, str]] = {"subjects": "subject", "sequences": "sequence"}
"""What a split into folds keeps together."""


def _together(folds: Sequence[Evidence]) -> Evidence:
    first = folds[0]
    clusters = _clusters(folds)
    units: list[DataUnit] = [one.unit for one in folds if one.clusters is not None and clusters is not None]
    unit = next(iter(units), first.unit if clusters is not None else "images")
    names = [name for name in first.networks if all(name in one.networks for one in folds)]
    found = {name: _network([one.networks[name] for one in folds], clusters, unit) for name in names}
    return Evidence(
        run=first.run,
        data=_data(folds),
        split=first.split,
        networks={name: network for name, network in found.items() if network.seeds},
        labels=np.concatenate([one.labels for one in folds]),
        clusters=clusters,
        unit=unit,
        folds=tuple(one.data.name for one in folds),
    )


def _clusters(folds: Sequence[Evidence]) -> Clusters | None:
    """A number of a fold is another one in the next."""
    names = [
        (fold, number)
        for fold, one in enumerate(folds)
        for number in (range(one.labels.size) if one.clusters is None else one.clusters.numbers.tolist())
    ]
    return clusters_of(names)


def _network(folds: Sequence[NetworkEvidence], clusters: Clusters | None, unit: DataUnit) -> NetworkEvidence:
    """Over the seeds of which every fold has finished; their records are those of the first."""
    common = set.intersection(*(set(one.seeds) for one in folds))
    parts = tuple(one.of_seeds(common) for one in folds)
    return replace(
        parts[0],
        correct=np.concatenate([one.correct for one in parts], axis=1),
        confusion=np.sum([one.confusion for one in parts], axis=0),
        measures=tuple(_measures([one.measures[row] for one in parts], parts, row) for row in range(len(common))),
        histories=tuple(() for _ in common),
        clusters=clusters,
        unit=unit,
        folds=parts,
    )


def _measures(of_folds: Sequence[SplitMeasures], parts: Sequence[NetworkEvidence], row: int) -> SplitMeasures:
    confusion = np.sum([one.confusion[row] for one in parts], axis=0)
    images = np.array([one.images for one in of_folds])
    recalls = per_class_recall(confusion).tolist()
    return SplitMeasures(
        images=int(images.sum()),
        top1=top1(confusion),
        balanced_accuracy=balanced_accuracy(confusion),
        macro_f1=macro_f1(confusion),
        recall_by_class=tuple(None if np.isnan(recall) else recall for recall in recalls),
        loss=float(np.average([one.loss for one in of_folds], weights=images)),
        expected_calibration_error=float(
            np.average([one.expected_calibration_error for one in of_folds], weights=images)
        ),
    )


def _data(folds: Sequence[Evidence]) -> DataSpec:
    """The data set as a whole; as many training images as the first fold has."""
    first = folds[0].data
    name = first.name.replace(f"fold{first.options['fold'].replace('/', 'of')}", f"{len(folds)}folds")
    whole = {
        split: sum(one.data.images_by_split.get(split, 0) for one in folds)
        for split in first.images_by_split
        if split != "train"
    }
    units = {split: sum(one.data.units_by_split.get(split, 0) for one in folds) for split in first.units_by_split}
    return first.model_copy(
        update={
            "name": name,
            "source": first.source or first.name,
            "options": {option: value for option, value in first.options.items() if option != "fold"},
            "fingerprint": hashlib.sha256("".join(one.data.fingerprint for one in folds).encode()).hexdigest(),
            "images_by_split": first.images_by_split | whole,
            "units_by_split": units,
            "description": f"All {len(folds)} folds of {first.source or first.name}.",
        }
    )
