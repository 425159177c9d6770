"""How the time of a call grows with the batch: what one measurement knows of each network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fbench.benchmark.cost_records import CostRecord
from fbench.benchmark.cost_specs import Setting
from fbench.reports.cost_axes import common_measurement
from fbench.reports.evidence import Evidence
from fbench.reports.timings import main_setting, timing_of

_FEWEST_SIZES: Final = 2


@dataclass(frozen=True)
class BatchPoint:
    """Time of a call, and images a second; ``measured`` in interleaved blocks, or tried once to find the best batch."""

    batch_size: int
    call_ms: float
    images_per_s: float
    measured: bool


@dataclass(frozen=True)
class BatchCurve:
    """One network, by ascending batch size."""

    network: str
    points: tuple[BatchPoint, ...]

    @property
    def best(self) -> BatchPoint:
        """The batch of the most images a second."""
        return max(self.points, key=lambda point: point.images_per_s)


def batch_curves(evidence: Evidence) -> tuple[BatchCurve, ...]:
    """Inference of every network at two batch sizes or more, in the plan's first backend; empty where none has."""
    cost = common_measurement(evidence)
    setting = main_setting(cost, "inference") if cost else None
    if cost is None or setting is None:
        return ()
    curves = [BatchCurve(network, _points(cost, network, setting)) for network in evidence.networks]
    return tuple(curve for curve in curves if len(curve.points) >= _FEWEST_SIZES)


def _points(cost: CostRecord, network: str, like: Setting) -> tuple[BatchPoint, ...]:
    """What was tried, and in its place what was measured in blocks."""
    found: dict[int, BatchPoint] = {}
    for search in cost.searches:
        if (search.network, search.mode, search.backend) == (network, "inference", like.backend):
            for one in search.tried:
                call_ms = 1e3 * one.batch_size / one.images_per_s
                found[one.batch_size] = BatchPoint(one.batch_size, call_ms, one.images_per_s, measured=False)
    for series in cost.series:
        same = (series.network, series.setting.mode, series.setting.backend, series.instance)
        timing = timing_of(series) if same == (network, "inference", like.backend, 0) else None
        if timing is not None:
            call_ms = 1e3 * timing.quantiles[0].time_s
            found[timing.batch_size] = BatchPoint(timing.batch_size, call_ms, timing.images_per_s, measured=True)
    return tuple(found[size] for size in sorted(found))
