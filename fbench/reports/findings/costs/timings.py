"""Timed calls as a reader wants them: quantiles with intervals, and each network against one, with a verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy import special

from fbench.benchmark.records.cost_records import REFERENCE, CostRecord, TimingSeries
from fbench.benchmark.records.cost_specs import CostMode, Setting
from fbench.statistics.comparison.multiplicity import holm
from fbench.statistics.timing import (
    LogTimes,
    TimeQuantile,
    TimeRatio,
    time_quantiles,
    time_ratio,
    turn_log_times,
)

LEVEL: Final = 0.05
QUANTILES: Final = (0.5, 0.9, 0.99)
HOPELESS: Final = 50
"""A comparison that would need so many times the blocks is not worth them."""

LAYER_BY_LAYER: Final = frozenset({"eager", "cuda_graph"})

TimeVerdict = Literal["faster", "slower", "cannot tell"]


@dataclass(frozen=True)
class Timing:
    """One network in one setting: time of a call at each of ``QUANTILES``, and images per second at the median.

    ``parts`` are the shares of a training step, by the medians of its parts.
    """

    network: str
    batch_size: int
    quantiles: tuple[TimeQuantile, ...]
    images_per_s: float
    images_per_s_low: float
    images_per_s_high: float
    parts: dict[str, float]
    warm: bool
    dropped_calls: int


@dataclass(frozen=True)
class TimedAgainst:
    """A network's time for an image as a multiple of another's, with the verdict under Holm's correction.

    ``more_blocks`` is about how many more it would take to tell a difference of the size seen; infinite where that is
    more than anybody would wait for.
    """

    network: str
    against: str
    ratio: TimeRatio
    adjusted_p_value: float
    verdict: TimeVerdict
    more_blocks: float


@dataclass(frozen=True)
class SettingTimings:
    """All networks in one setting; ``noise`` is the same network held against its second building."""

    setting: Setting
    timings: tuple[Timing, ...]
    comparisons: tuple[TimedAgainst, ...]
    noise: TimeRatio | None


def setting_timings(cost: CostRecord) -> tuple[SettingTimings, ...]:
    """Every setting of a measurement, in the order of its plan."""
    return tuple(_setting_timings(cost, setting) for setting in cost.spec.plan.settings)


def timing_of(series: TimingSeries) -> Timing | None:
    """Quantiles and throughput of a series; none where there are fewer than two samples."""
    times = series.seconds()
    if times.size < 2:
        return None
    quantiles = time_quantiles(times, series.blocks, QUANTILES)
    middle = quantiles[0]
    medians = {name: float(np.median(part)) for name, part in series.parts_s.items()}
    whole = sum(medians.values())
    return Timing(
        network=series.network,
        batch_size=series.batch_size,
        quantiles=quantiles,
        images_per_s=_per_s(series.batch_size, middle.time_s),
        images_per_s_low=_per_s(series.batch_size, middle.high_s),
        images_per_s_high=_per_s(series.batch_size, middle.low_s),
        parts={name: value / whole for name, value in medians.items()} if whole else {},
        warm=series.warm,
        dropped_calls=series.dropped_calls,
    )


def _per_s(images: int, seconds: float) -> float:
    """Without bound where an interval of times reaches down to nothing."""
    return images / seconds if seconds > 0 else math.inf


def roofline_share(cost: CostRecord, setting: Setting, timing: Timing) -> float | None:
    """The floor of a call as a share of its median time: 1 would be at the machine's roofline.

    None for training, for backends that fuse layers (the floor is of layers one after another), and where no roofline
    was measured.
    """
    if setting.mode != "inference" or setting.backend not in LAYER_BY_LAYER:
        return None
    floor = cost.floor_of(timing.network, timing.batch_size)
    return floor.floor_s / timing.quantiles[0].time_s if floor else None


def image_log_times(series: TimingSeries) -> LogTimes:
    """The logarithm of the time for one image, by block and turn."""
    return turn_log_times(series.seconds() / series.batch_size, series.blocks, series.turns)


def compare_timings(
    series: Sequence[TimingSeries], against: TimingSeries, confidence: float = 0.95
) -> tuple[TimedAgainst, ...]:
    """Each series against one of the same measurement, as one family."""
    base = image_log_times(against)
    ratios = [time_ratio(image_log_times(one), base, confidence) for one in series]
    adjusted = holm([ratio.p_value for ratio in ratios])
    return tuple(
        TimedAgainst(
            network=one.network,
            against=against.network,
            ratio=ratio,
            adjusted_p_value=float(p_value),
            verdict=_verdict(ratio, float(p_value)),
            more_blocks=_more_blocks(ratio, len(series)),
        )
        for one, ratio, p_value in zip(series, ratios, adjusted, strict=True)
    )


def main_setting(cost: CostRecord, mode: CostMode, *, best: bool = False) -> Setting | None:
    """The setting of a mode that stands for it, in the plan's first backend: the smallest batch, or the best (else the
    largest) one."""
    of_mode = [one for one in cost.spec.plan.settings if one.mode == mode]
    if not of_mode:
        return None
    found = [one for one in of_mode if one.backend == of_mode[0].backend]
    if best:
        return max(found, key=lambda one: math.inf if one.batch_size is None else one.batch_size)
    fixed = [one for one in found if one.batch_size is not None]
    return min(fixed, key=lambda one: one.batch_size or 0) if fixed else None


def _setting_timings(cost: CostRecord, setting: Setting) -> SettingTimings:
    measured = [one for one in cost.series if one.setting == setting and one.network != REFERENCE]
    firsts = [one for one in measured if one.instance == 0]
    timings = [timing for one in firsts if (timing := timing_of(one)) is not None]
    base = cost.find(cost.spec.measured_twice, setting)
    again = cost.find(cost.spec.measured_twice, setting, instance=1)
    others = [one for one in firsts if base is not None and one.network != base.network]
    return SettingTimings(
        setting=setting,
        timings=tuple(timings),
        comparisons=compare_timings(others, base) if base is not None and others else (),
        noise=time_ratio(image_log_times(again), image_log_times(base)) if base and again else None,
    )


def _verdict(ratio: TimeRatio, adjusted_p_value: float) -> TimeVerdict:
    if adjusted_p_value >= LEVEL or not ratio.decided:
        return "cannot tell"
    return "slower" if ratio.ratio > 1 else "faster"


def _more_blocks(ratio: TimeRatio, family: int) -> float:
    """Holm's correction asks the first of a family for a narrower interval, by the ratio of the normal quantiles."""
    stricter = (special.ndtri(LEVEL / 2 / family) / special.ndtri(LEVEL / 2)) ** 2
    needed = float(stricter) * ratio.blocks_to_tell(ratio.ratio - 1)
    return math.inf if needed > HOPELESS * ratio.blocks else max(1.0, needed - ratio.blocks)
