"""The summary: quality, intervals and cost of each network on one data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fbench.reports.findings.comparisons.evidence import Evidence, NetworkEvidence
from fbench.reports.findings.costs.cost import NetworkCost
from fbench.reports.findings.costs.machines import machine_words, training_machine
from fbench.statistics.single import AccuracySummary, summarise
from fbench.statistics.ties import ties_made_equal


@dataclass(frozen=True)
class NetworkSummary:
    """One row of the summary table. Qualities are fractions of 1, means over seeds, on the headline split.

    ``accuracy_without_copies`` leaves out the test images that have an exact copy in the training or validation split;
    it is none where there are none, or where it is not known. ``trials`` are those that were summarised.
    ``recall_by_class`` has none for a class without images. ``train_time_s`` is the mean time of one trial on the
    machine that trained most, and ``concurrent_trials`` the most that ran at a time, itself among them.
    """

    network: str
    seeds: int
    accuracy: AccuracySummary
    accuracy_without_copies: AccuracySummary | None
    recall_by_class: tuple[float | None, ...]
    train_time_s: float | None
    concurrent_trials: int | None
    cost: NetworkCost
    trials: NetworkEvidence = field(repr=False, compare=False)


def summarise_networks(evidence: Evidence) -> list[NetworkSummary]:
    """The rows of the summary, in the order of the plan."""
    machine = training_machine(evidence)
    return [_network_summary(evidence, found, machine) for found in evidence.networks.values()]


def by_accuracy(rows: Sequence[NetworkSummary]) -> list[NetworkSummary]:
    """The rows, the most accurate first; rows of equal accuracy stay in their order."""
    accuracies = ties_made_equal([row.accuracy.new_images.estimate for row in rows])
    return [rows[index] for index in np.argsort(-accuracies, kind="stable")]


def _network_summary(evidence: Evidence, found: NetworkEvidence, machine: str) -> NetworkSummary:
    here = [record for record in found.records if machine_words(record.machine) == machine]
    times = [record.times for record in here if record.times is not None]
    return NetworkSummary(
        network=found.network,
        seeds=len(found.seeds),
        accuracy=found.accuracy,
        accuracy_without_copies=_without_copies(found, evidence.without_copies),
        recall_by_class=_mean_recall(found, len(evidence.class_names)),
        train_time_s=_mean([t.train_time_s for t in times]) if times else None,
        concurrent_trials=max((t.concurrent_trials for t in times), default=None),
        cost=evidence.cost_of(found.network),
        trials=found,
    )


def _without_copies(found: NetworkEvidence, kept: npt.NDArray[np.bool_] | None) -> AccuracySummary | None:
    """Of the images that are kept, where these are of two clusters or more."""
    if kept is None or (found.clusters is not None and np.unique(found.clusters.numbers[kept]).size < 2):
        return None
    clusters = None if found.clusters is None else found.clusters.among(kept)
    return summarise(found.correct[:, kept], clusters=clusters)


def _mean_recall(found: NetworkEvidence, classes: int) -> tuple[float | None, ...]:
    by_class = [[m.recall_by_class[k] for m in found.measures] for k in range(classes)]
    known = [[recall for recall in recalls if recall is not None] for recalls in by_class]
    return tuple(_mean(recalls) if recalls else None for recalls in known)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
