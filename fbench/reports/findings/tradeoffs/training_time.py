"""How long training takes: trials as they ran, and the training step by itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fbench.benchmark.records.cost_records import CostRecord, TimingSeries
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.reports.findings.comparisons.evidence import Evidence, NetworkEvidence
from fbench.reports.findings.costs.machines import machine_words, training_machine
from fbench.reports.findings.costs.timings import TimeVerdict, compare_timings, main_setting, timing_of
from fbench.reports.findings.tradeoffs.cost_axes import CONFIDENCE, common_measurement, mean_time
from fbench.statistics.intervals import Interval
from fbench.statistics.timing import TimeRatio

MOST_TARGETS: Final = 3


@dataclass(frozen=True)
class TargetReached:
    """Seconds of training until the validation split first reached ``target_top1`` (a fraction of 1).

    ``mean_s`` is over the ``reached`` of ``seeds`` seeds that did; none where no seed did.
    """

    target_top1: float
    mean_s: float | None
    reached: int
    seeds: int


@dataclass(frozen=True)
class ExclusiveStep:
    """The training step, timed while no trial ran: images per second at the median, with its 95 % interval.

    ``ratio`` is the time for an image as a multiple of the baseline's, within blocks, and ``verdict`` that under Holm's
    correction for all networks; both are none for the baseline and where it was not measured.
    """

    batch_size: int
    images_per_s: float
    low: float
    high: float
    ratio: TimeRatio | None
    verdict: TimeVerdict | None


@dataclass(frozen=True)
class TrainingTimeRow:
    """How long one network trains; times are in seconds, without evaluation.

    Attributes:
        network: whose trials these are.
        seeds: how many trials on the machine that trained most recorded their time.
        trial_s: the mean of a trial, with the t interval of the logarithms; its ends are NaN with one seed.
        epoch_s: the mean of an epoch.
        epochs_to_chosen: the mean epoch whose weights were kept; none where that was not recorded.
        targets: of the accuracies that the table shows.
        step: none where no cost of training was measured.
        alone_s: what the images of a mean trial take at the speed of ``step``: a trial that shares nothing.
        concurrent_trials: the most that ran on the machine at a time, itself among them.
    """

    network: str
    seeds: int
    trial_s: Interval
    epoch_s: float
    epochs_to_chosen: float | None
    targets: tuple[TargetReached, ...]
    step: ExclusiveStep | None
    alone_s: Interval | None
    concurrent_trials: int


@dataclass(frozen=True)
class TrainingTimeResult:
    """The networks that have times, in the order of the plan; ``baseline`` is the first study's, or none."""

    baseline: str | None
    targets: tuple[float, ...]
    rows: tuple[TrainingTimeRow, ...]

    @property
    def concurrent_trials(self) -> int:
        """The most trials that shared the machine."""
        return max(row.concurrent_trials for row in self.rows)


def training_time_result(evidence: Evidence) -> TrainingTimeResult | None:
    """The times of training on one data set; none where no trial recorded any."""
    machine = training_machine(evidence)
    timed = {network: _timed(found, machine) for network, found in evidence.networks.items()}
    timed = {network: records for network, records in timed.items() if records}
    if not timed:
        return None
    targets = common_targets(timed)
    baseline = next((study.baseline for study in evidence.run.config.suite.studies if study.baseline in timed), None)
    steps = _steps(exclusive_steps(common_measurement(evidence), timed), baseline)
    rows = tuple(_row(network, records, targets, steps.get(network)) for network, records in timed.items())
    return TrainingTimeResult(baseline, targets, rows)


def common_targets(timed: Mapping[str, Sequence[TrialRecord]]) -> tuple[float, ...]:
    """The highest targets, at most three, ascending, that more than half of the networks reached with most seeds."""
    targets = sorted({one.target_top1 for records in timed.values() for record in records for one in record.targets})
    reached = {
        target: sum(2 * len(_seconds_to(records, target)) > len(records) for records in timed.values())
        for target in targets
    }
    return tuple(target for target in targets if 2 * reached[target] > len(timed))[-MOST_TARGETS:]


def exclusive_steps(cost: CostRecord | None, networks: Iterable[str]) -> dict[str, TimingSeries]:
    """The timed training steps of those networks that have them, in the setting that stands for training."""
    setting = main_setting(cost, "train") if cost else None
    if cost is None or setting is None:
        return {}
    found = {network: cost.find(network, setting) for network in networks}
    return {network: series for network, series in found.items() if series is not None and len(series.times_s) > 1}


def _timed(found: NetworkEvidence, machine: str) -> list[TrialRecord]:
    """Trials with a time, of the one machine on which times can be compared."""
    timed = [record for record in found.records if record.times is not None and record.times.train_time_s > 0]
    return [record for record in timed if machine_words(record.machine) == machine]


def _seconds_to(records: Sequence[TrialRecord], target: float) -> list[float]:
    found = [one.train_time_s for record in records for one in record.targets if one.target_top1 == target]
    return [seconds for seconds in found if seconds is not None]


def _steps(series: Mapping[str, TimingSeries], baseline: str | None) -> dict[str, ExclusiveStep]:
    base = series.get(baseline) if baseline else None
    others = [one for one in series.values() if base is not None and one is not base]
    against = {one.network: one for one in compare_timings(others, base)} if base is not None and others else {}
    found = {}
    for network, one in series.items():
        timing = timing_of(one)
        compared = against.get(network)
        if timing is not None:
            found[network] = ExclusiveStep(
                batch_size=timing.batch_size,
                images_per_s=timing.images_per_s,
                low=timing.images_per_s_low,
                high=timing.images_per_s_high,
                ratio=compared.ratio if compared else None,
                verdict=compared.verdict if compared else None,
            )
    return found


def _row(
    network: str, records: Sequence[TrialRecord], targets: Sequence[float], step: ExclusiveStep | None
) -> TrainingTimeRow:
    times = [record.times for record in records if record.times is not None]
    chosen = [record.chosen_epoch for record in records if record.chosen_epoch is not None]
    images = float(np.mean([record.images_seen for record in records]))
    return TrainingTimeRow(
        network=network,
        seeds=len(records),
        trial_s=mean_time([one.train_time_s for one in times]),
        epoch_s=float(np.mean([one.train_time_per_epoch_s for one in times])),
        epochs_to_chosen=float(np.mean(chosen)) if chosen else None,
        targets=tuple(_target(records, target) for target in targets),
        step=step,
        alone_s=_alone(images, step) if step and images else None,
        concurrent_trials=max(one.concurrent_trials for one in times),
    )


def _target(records: Sequence[TrialRecord], target: float) -> TargetReached:
    seconds = _seconds_to(records, target)
    return TargetReached(target, float(np.mean(seconds)) if seconds else None, len(seconds), len(records))


def _alone(images: float, step: ExclusiveStep) -> Interval:
    slowest = images / step.low if step.low else math.inf
    return Interval(images / step.images_per_s, images / step.high, slowest, CONFIDENCE)
