"""What a network costs beside its baseline: counts as ratios, times as paired log-ratios with their intervals."""

from __future__ import annotations

from dataclasses import dataclass

from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.cost_specs import CostMode
from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.costs.cost import NetworkCost
from fbench.reports.findings.costs.timings import image_log_times, main_setting
from fbench.statistics.timing import TimeRatio, time_ratio


@dataclass(frozen=True)
class CostChange:
    """Cost of a network divided by its baseline's; none where one of the two is not known.

    Times are compared within the blocks of one measurement, call by call: ``latency`` at the smallest batch of
    inference, ``train_step`` for an image of a training step.
    """

    trainable_params: float | None
    macs: float | None
    latency: TimeRatio | None
    train_step: TimeRatio | None


def cost_change(run: RunTable, network: str, baseline: str, costs: tuple[NetworkCost, NetworkCost]) -> CostChange:
    """The change from ``baseline`` to ``network``, whose costs are given in the order network, baseline."""
    ours, theirs = costs
    together = [cost for cost in run.costs if network in cost.static and baseline in cost.static]
    measured = together[-1] if together else None
    return CostChange(
        trainable_params=_ratio(ours.trainable_params, theirs.trainable_params),
        macs=_ratio(ours.macs, theirs.macs),
        latency=_time_ratio(measured, network, baseline, "inference"),
        train_step=_time_ratio(measured, network, baseline, "train"),
    )


def _time_ratio(cost: CostRecord | None, network: str, baseline: str, mode: CostMode) -> TimeRatio | None:
    setting = main_setting(cost, mode) if cost else None
    if cost is None or setting is None:
        return None
    ours, theirs = cost.find(network, setting), cost.find(baseline, setting)
    if ours is None or theirs is None:
        return None
    return time_ratio(image_log_times(ours), image_log_times(theirs))


def _ratio(value: float | None, reference: float | None) -> float | None:
    return value / reference if value is not None and reference else None
