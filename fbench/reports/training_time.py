"""How long training takes, as in Chowanda 2021, section "Results": by trial, by epoch, to an accuracy, and by the step.

Trials share their machine, so that their own times are informative only. Steps are measured one network after another
while no trial runs; what is faster is said of them alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fbench.benchmark.cost_records import REFERENCE, CostRecord, TimingSeries
from fbench.benchmark.records import TrialRecord
from fbench.reports.cost_axes import common_measurement
from fbench.reports.evidence import Evidence
from fbench.reports.timings import TimedAgainst, compare_timings, main_setting, timing_of
from fbench.reports.wording import listing, plural, significant
from fbench.statistics.intervals import Interval, t_interval

CONFIDENCE: Final = 0.95
_MOST_TARGETS: Final = 2
_MOST_NAMED: Final = 4


@dataclass(frozen=True)
class Reached:
    """Mean training time to an accuracy on the selection split, over the ``seeds`` that reached it."""

    time_s: float
    seeds: int


@dataclass(frozen=True)
class TrainingTimeRow:
    """One network.

    Attributes:
        network: its name.
        trial_s: mean over seeds, with the t interval of the logarithms; no width with one seed.
        epoch_s: mean over seeds.
        chosen_epoch: mean over seeds of the epoch whose weights were kept.
        reached: for each target of the section; none where no seed reached it.
        images_per_s: of training steps measured alone; none where they were not.
        step: its time for an image against that of the section's baseline; none for the baseline itself.
    """

    network: str
    trial_s: Interval
    epoch_s: float
    chosen_epoch: float
    reached: tuple[Reached | None, ...]
    images_per_s: float | None
    step: TimedAgainst | None


@dataclass(frozen=True)
class TrainingTimes:
    """All networks of a data set, in the order of the plan; ``targets`` are fractions of 1."""

    rows: tuple[TrainingTimeRow, ...]
    targets: tuple[float, ...]
    baseline: str
    concurrent_trials: int

    @property
    def sentence(self) -> str:
        """Which networks take shorter or longer steps than the baseline beyond chance; empty where none was timed."""
        steps = [row.step for row in self.rows if row.step is not None]
        if not steps:
            return ""
        found = [_steps_words(steps, "faster"), _steps_words(steps, "slower")]
        told = [words for words in found if words]
        if not told:
            return f"By the training step, no network can be told from {self.baseline}."
        open_ones = sum(step.verdict == "cannot tell" for step in steps)
        rest = f"; {plural(open_ones, 'network')} cannot be told from it" if open_ones else ""
        return f"By the training step, beside {self.baseline}: {'; '.join(told)}{rest}."


def training_times(evidence: Evidence, baseline: str) -> TrainingTimes | None:
    """Training times on one data set; none where no trial recorded any.

    Args:
        evidence: the run on the data set.
        baseline: what steps are held against; the first network where it has no finished trial.
    """
    timed = {
        network: [record for record in found.records if record.times is not None and record.times.train_time_s > 0]
        for network, found in evidence.networks.items()
    }
    timed = {network: records for network, records in timed.items() if records}
    if not timed:
        return None
    base = baseline if baseline in timed else next(iter(timed))
    cost = common_measurement(evidence)
    steps = _steps(cost, base) if cost else {}
    targets = _targets([record for records in timed.values() for record in records])
    rows = [_row(network, records, targets, cost, steps) for network, records in timed.items()]
    concurrent = [r.times.concurrent_trials or 1 for records in timed.values() for r in records if r.times]
    return TrainingTimes(tuple(rows), targets, base, max(concurrent))


def _row(
    network: str,
    records: Sequence[TrialRecord],
    targets: Sequence[float],
    cost: CostRecord | None,
    steps: dict[str, TimedAgainst],
) -> TrainingTimeRow:
    times = [record.times for record in records if record.times is not None]
    return TrainingTimeRow(
        network=network,
        trial_s=_interval([one.train_time_s for one in times]),
        epoch_s=float(np.mean([one.train_time_per_epoch_s for one in times])),
        chosen_epoch=float(np.mean([record.chosen_epoch or 0.0 for record in records])),
        reached=tuple(_reached(records, target) for target in targets),
        images_per_s=_images_per_s(cost, network) if cost else None,
        step=steps.get(network),
    )


def _interval(seconds: Sequence[float]) -> Interval:
    middle = float(np.mean(seconds))
    if len(seconds) < 2:
        return Interval(middle, math.nan, math.nan, CONFIDENCE)
    logs = t_interval(np.log(seconds), CONFIDENCE)
    half = math.exp(logs.high - logs.estimate)
    return Interval(middle, middle / half, middle * half, CONFIDENCE)


def _reached(records: Sequence[TrialRecord], target: float) -> Reached | None:
    times = [
        one.train_time_s
        for record in records
        for one in record.targets
        if one.target_top1 == target and one.train_time_s is not None
    ]
    return Reached(float(np.mean(times)), len(times)) if times else None


def _targets(records: Sequence[TrialRecord]) -> tuple[float, ...]:
    """The highest target accuracies that at least half of all trials reached."""
    reached: dict[float, int] = {}
    for record in records:
        for one in record.targets:
            reached[one.target_top1] = reached.get(one.target_top1, 0) + (one.train_time_s is not None)
    usual = sorted(target for target, count in reached.items() if 2 * count >= len(records))
    return tuple(usual[-_MOST_TARGETS:])


def _steps(cost: CostRecord, baseline: str) -> dict[str, TimedAgainst]:
    setting = main_setting(cost, "train")
    against = cost.find(baseline, setting) if setting else None
    if setting is None or against is None:
        return {}
    names = dict.fromkeys(one.network for one in cost.series if one.network not in (REFERENCE, baseline))
    series: list[TimingSeries] = [found for name in names if (found := cost.find(name, setting)) is not None]
    return {one.network: one for one in compare_timings(series, against)} if series else {}


def _images_per_s(cost: CostRecord, network: str) -> float | None:
    setting = main_setting(cost, "train")
    series = cost.find(network, setting) if setting else None
    timing = timing_of(series) if series else None
    return timing.images_per_s if timing else None


def _steps_words(steps: Sequence[TimedAgainst], verdict: str) -> str:
    """The networks of one verdict, the most different first: ``a is 1.4 (1.3 - 1.5) times as fast``."""
    found = [step for step in steps if step.verdict == verdict]
    if not found:
        return ""
    ordered = sorted(found, key=lambda step: -abs(math.log(step.ratio.ratio)))
    shown = [f"{step.network} takes {_times(step)} times as long" for step in ordered[:_MOST_NAMED]]
    more = len(ordered) - len(shown)
    return listing([*shown, f"{more} more are {verdict}"] if more else shown)


def _times(step: TimedAgainst) -> str:
    ratio = step.ratio
    return f"{significant(ratio.ratio)} ({significant(ratio.low)} – {significant(ratio.high)})"
