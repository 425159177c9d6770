"""How the times of two networks differ, timed together or in measurements of different days."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from fbench.benchmark.records.cost_records import REFERENCE, CostRecord, TimingSeries
from fbench.benchmark.records.cost_specs import CostMode, Setting
from fbench.reports.findings.costs.timings import image_log_times
from fbench.reports.findings.gate.change import (
    MeasuredChange,
    Unknown,
    UnknownWhileBusy,
    Unmeasured,
    inverse_share_of,
    share_of,
)
from fbench.reports.findings.gate.comparable import machine_difference
from fbench.reports.findings.gate.metrics import Asked
from fbench.reports.findings.gate.subjects import ComparedPair
from fbench.reports.formatting import listing
from fbench.statistics.intervals import Interval
from fbench.statistics.mover import interval_difference
from fbench.statistics.timing import time_quantile, time_ratio

BETWEEN_SESSIONS: Final = 0.04
"""Standard deviation of the logarithm of a network's time over the reference load's, between measurements of one
machine: of what is drawn once a process. The largest of 16 in ``results/speed/sessions.csv``, rounded up; the median
there is 0.015."""


@dataclass(frozen=True)
class Records:
    """The measurements of both sides."""

    base: CostRecord
    new: CostRecord

    @property
    def together(self) -> bool:
        """Whether they are one measurement, so that blocks pair up."""
        return (self.base.cost_id, self.base.started_at) == (self.new.cost_id, self.new.started_at)


@dataclass(frozen=True)
class TimeMetric:
    """Which time is compared: a quantile of the times of a call, or the images a second in the best batch (a rate)."""

    mode: CostMode
    quantile: float = 0.5
    rate: bool = False


@dataclass(frozen=True)
class _Timed:
    """Both networks in one setting, with the reference loads of their measurements where these are two."""

    ours: TimingSeries
    theirs: TimingSeries
    our_reference: TimingSeries | None
    their_reference: TimingSeries | None


def time_change(pair: ComparedPair, metric: TimeMetric, records: Records, asked: Asked) -> MeasuredChange | Unknown:
    """The change of a latency, a training step or a throughput."""
    setting = _setting(pair, metric, records, asked.batch_size)
    if isinstance(setting, Unknown):
        return setting
    if busy := _busy(pair, records):
        return UnknownWhileBusy(busy)
    timed = _timed(pair, records, setting)
    if isinstance(timed, Unknown):
        return timed
    if records.together and pair.base_network == pair.new_network:
        return MeasuredChange(0.0, 0.0, 0.0, f"{setting.label}, one and the same measurement", exact=True)
    if metric.quantile != 0.5:
        logs = _quantile_ratio(timed, metric.quantile, asked.confidence)
    else:
        logs = _median_ratio(timed, asked.confidence)
    how = f"{setting.label}, {_how(records)}"
    decides = "more blocks (--blocks) narrow it" if records.together else "one fbench speed with both decides closer"
    return (inverse_share_of if metric.rate else share_of)(logs, how, decides)


def _busy(pair: ComparedPair, records: Records) -> str:
    """Why times of two measurements say nothing: other work took from one of them; empty where they may be held
    against each other. Within one measurement calls were timed in turn, so that both sides bore the same load."""
    if records.together:
        return ""
    found = [
        f"{word} was measured while other work took {record.busy_percent:.0f} % of the cores"
        for word, record in zip(pair.words, (records.base, records.new), strict=True)
        if record.is_of_busy_machine
    ]
    return f"{listing(found)}; measure it again on a quiet machine, or both in one fbench speed" if found else ""


def _median_ratio(timed: _Timed, confidence: float) -> Interval:
    """The logarithm of the ratio of two times: paired where they were timed together, else each over its reference."""
    if timed.our_reference is None or timed.their_reference is None:
        return _log_ratio(timed.ours, timed.theirs, confidence)
    ours = _log_ratio(timed.ours, timed.our_reference, confidence)
    theirs = _log_ratio(timed.theirs, timed.their_reference, confidence)
    return interval_difference([ours], [theirs], math.sqrt(2) * BETWEEN_SESSIONS)


def _quantile_ratio(timed: _Timed, share: float, confidence: float) -> Interval:
    """The logarithm of a ratio of two quantiles, over that of the reference loads' medians where these are two."""
    plus, minus = [_log_quantile(timed.ours, share, confidence)], [_log_quantile(timed.theirs, share, confidence)]
    if timed.our_reference is None or timed.their_reference is None:
        return interval_difference(plus, minus)
    plus.append(_log_quantile(timed.their_reference, 0.5, confidence))
    minus.append(_log_quantile(timed.our_reference, 0.5, confidence))
    return interval_difference(plus, minus, math.sqrt(2) * BETWEEN_SESSIONS)


def _log_ratio(ours: TimingSeries, theirs: TimingSeries, confidence: float) -> Interval:
    found = time_ratio(image_log_times(ours), image_log_times(theirs), confidence)
    return Interval(_log(found.ratio), _log(found.low), _log(found.high), confidence)


def _log_quantile(series: TimingSeries, share: float, confidence: float) -> Interval:
    found = time_quantile(series.seconds() / series.batch_size, series.blocks, share, confidence)
    return Interval(_log(found.time_s), _log(found.low_s), _log(found.high_s), confidence)


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _timed(pair: ComparedPair, records: Records, setting: Setting) -> _Timed | Unknown:
    ours, theirs = records.new.find(pair.new_network, setting), records.base.find(pair.base_network, setting)
    if ours is None or theirs is None:
        side, cost, network = (
            (pair.words[1], records.new, pair.new_network)
            if ours is None
            else (pair.words[0], records.base, pair.base_network)
        )
        return Unmeasured(f"{side} has no times of {network} at {setting.label}{_failure(cost, network, setting)}")
    if records.together:
        return _Timed(ours, theirs, None, None)
    references = records.new.find(REFERENCE, setting), records.base.find(REFERENCE, setting)
    if None in references:
        return Unknown("one measurement was made by an older version, without a reference load to hold times against")
    return _Timed(ours, theirs, *references)


def _setting(pair: ComparedPair, metric: TimeMetric, records: Records, batch_size: int | None) -> Setting | Unknown:
    """The setting in which both were timed: the batch that is asked for, else the smallest; for a rate the best."""
    mode = metric.mode
    wanted = [
        one
        for one in records.base.spec.plan.settings
        if one.mode == mode
        and one in records.new.spec.plan.settings
        and (one.batch_size is None) == metric.rate
        and batch_size in (None, one.batch_size)
    ]
    if not wanted:
        batch = f" with batch {batch_size}" if batch_size else ""
        return Unmeasured(f"{' and '.join(pair.words)} have no {mode} setting{batch} in common")
    first = [one for one in wanted if one.backend == wanted[0].backend]
    return min(first, key=lambda one: one.batch_size or 0)


def _failure(cost: CostRecord, network: str, setting: Setting) -> str:
    found = [one.reason for one in cost.setting_failures if (one.network, one.setting) == (network, setting)]
    return f" ({found[0]})" if found else ""


def _how(records: Records) -> str:
    if records.together:
        return "timed together"
    elsewhere = " of its own machine" if machine_difference(records.base, records.new) else ""
    return f"timed apart, each against the reference load{elsewhere}"
