"""The costs that accuracy is held against, each with what is known of its error."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import special

from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.cost_specs import CostMode
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.findings.comparisons.summary import NetworkSummary
from fbench.reports.findings.costs.cost import is_measured_as_trained, measurement_of_most
from fbench.reports.findings.costs.timings import image_log_times, main_setting, timing_of
from fbench.statistics.intervals import Interval, t_interval
from fbench.statistics.many.price import exact
from fbench.statistics.mover import interval_difference
from fbench.statistics.timing import time_ratio

CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class CostAxis:
    """One cost of all networks for which it is known.

    Attributes:
        name: what is paid, as a reader calls it.
        unit: of the values and of ``difference``.
        values: by network, positive; an exact one has an interval of no width.
        difference: of two of these networks, the first minus the second; none where its error is not known.
    """

    name: str
    unit: str
    values: Mapping[str, Interval]
    difference: Callable[[str, str], Interval | None]

    def log_error(self, network: str) -> float:
        """Standard error of the logarithm of a network's cost, from the wider side of its interval."""
        value = self.values[network]
        sides = [math.log(value.estimate / value.low) if value.low > 0 else 0.0, math.log(value.high / value.estimate)]
        return max(side for side in sides if math.isfinite(side)) / float(special.ndtri((1 + CONFIDENCE) / 2))


def cost_axes(evidence: Evidence, summary: Sequence[NetworkSummary]) -> tuple[CostAxis, ...]:
    """Parameters, MACs, latency, a training step and energy, those of them that are known of two networks or more.

    The time of whole trainings is none: trials share the machine with others, and one without neighbours looks cheap.
    """
    params = {row.network: float(row.cost.trainable_params) for row in summary if row.cost.trainable_params}
    macs = {row.network: row.cost.macs / 1e6 for row in summary if row.cost.macs}
    record = common_measurement(evidence)
    axes = [
        _counted("parameters", "parameters", params),
        _counted("MACs", "millions", macs),
        *([_time(record, evidence, "inference"), _time(record, evidence, "train")] if record else []),
        *([_energy(record, evidence)] if record else []),
    ]
    known = [replace(axis, values={name: one for name, one in axis.values.items() if _is_known(one)}) for axis in axes]
    return tuple(axis for axis in known if len(axis.values) > 1)


def _is_known(value: Interval) -> bool:
    """Whether anything is known of its error: equal times, as of a clock too coarse for them, leave it unbounded."""
    return value.low > 0 or math.isfinite(value.high)


def common_measurement(evidence: Evidence) -> CostRecord | None:
    """The newest of the measurements that hold most of the networks with a finished trial."""
    return measurement_of_most(evidence.run.costs, evidence.networks)


def mean_time(seconds: Sequence[float]) -> Interval:
    """The mean of positive times, with the factor of the t interval of their logarithms to both sides.

    The ends are NaN for a single time.
    """
    middle = float(np.mean(seconds))
    if len(seconds) < 2:
        return Interval(middle, math.nan, math.nan, CONFIDENCE)
    logs = t_interval(np.log(seconds), CONFIDENCE)
    factor = math.exp(logs.high - logs.estimate)
    return Interval(middle, middle / factor, middle * factor, CONFIDENCE)


def _counted(name: str, unit: str, values: Mapping[str, float]) -> CostAxis:
    return CostAxis(
        name,
        unit,
        {network: exact(value, CONFIDENCE) for network, value in values.items()},
        lambda ours, theirs: exact(values[ours] - values[theirs], CONFIDENCE),
    )


def _time(record: CostRecord, evidence: Evidence, mode: CostMode) -> CostAxis:
    """Median time of a call at the smallest batch; differences by the ratio within blocks, at the second's median."""
    setting = main_setting(record, mode)
    networks = _measured_as_trained(record, evidence)
    series = {network: record.find(network, setting) for network in networks} if setting else {}
    logs = {network: image_log_times(one) for network, one in series.items() if one is not None}
    values = {}
    for network in logs:
        one = series[network]
        timing = timing_of(one) if one is not None else None
        if timing is not None:
            middle = timing.quantiles[0]
            values[network] = Interval(1e3 * middle.time_s, 1e3 * middle.low_s, 1e3 * middle.high_s, CONFIDENCE)

    def difference(ours: str, theirs: str) -> Interval | None:
        found = time_ratio(logs[ours], logs[theirs], CONFIDENCE)
        base = values[theirs].estimate
        return Interval(base * (found.ratio - 1), base * (found.low - 1), base * (found.high - 1), CONFIDENCE)

    batch = setting.batch_size if setting else 1
    name = f"latency at batch {batch}" if mode == "inference" else f"training step of {batch} images"
    return CostAxis(name, "ms", values, difference)


def _measured_as_trained(record: CostRecord, evidence: Evidence) -> list[str]:
    """The networks that were measured for images and classes of this data set."""
    pairs = evidence.networks.items()
    return [name for name, found in pairs if is_measured_as_trained(record, name, found.records)]


def _energy(record: CostRecord, evidence: Evidence) -> CostAxis:
    """Joules an image in inference at the smallest batch, where they were read twice or more."""
    setting, known = main_setting(record, "inference"), _measured_as_trained(record, evidence)
    values = {}
    for reading in record.energy:
        usable = reading.setting == setting and reading.network in known
        if usable and reading.joules_per_image is not None and len(reading.readings_j_per_image) > 1:
            found = t_interval(reading.readings_j_per_image, CONFIDENCE)
            if found.estimate > 0:
                values[reading.network] = found
    return CostAxis(
        "energy", "J an image", values, lambda ours, theirs: interval_difference([values[ours]], [values[theirs]])
    )
