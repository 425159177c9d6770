"""The cost of a network in a reader's units, from the newest measurement that holds it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.cost_specs import CostMode, Setting
from fbench.benchmark.records.trial_records import TrialRecord, UncountedOperation
from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.costs.timings import Timing, main_setting, timing_of


@dataclass(frozen=True)
class NetworkCost:
    """What one network costs; none where it was not measured.

    ``latency_p50_ms`` is the median time of one call at batch 1. Throughputs are the batch divided by the
    median time of a call, in inference at the network's own best batch. Counts are for one image in evaluation mode.
    ``record`` is the measurement that all of it is from.
    """

    trainable_params: int | None = None
    total_params_keras: int | None = None
    macs: int | None = None
    mac_kinds: tuple[str, ...] = ()
    not_counted: tuple[UncountedOperation, ...] = ()
    elementwise_ops: int | None = None
    latency_p50_ms: float | None = None
    inference_images_per_s: float | None = None
    train_images_per_s: float | None = None
    inference_peak_memory_mib: float | None = None
    train_peak_memory_mib: float | None = None
    test_time_passes: int = 1
    record: CostRecord | None = field(default=None, repr=False, compare=False)


def network_cost(run: RunTable, network: str, records: tuple[TrialRecord, ...] = ()) -> NetworkCost:
    """The cost of a network; without a measurement only the counts that its trials recorded."""
    measured = run.latest_cost(network)
    if measured is None:
        return _counts_of_trials(records)
    static = measured.static[network]
    latency = _timing(measured, network, main_setting(measured, "inference"))
    inference = _timing(measured, network, main_setting(measured, "inference", best=True))
    train = _timing(measured, network, main_setting(measured, "train"))
    return NetworkCost(
        trainable_params=static.trainable_params,
        total_params_keras=static.total_params_keras,
        macs=static.macs,
        mac_kinds=tuple(static.macs_by_kind),
        not_counted=static.not_counted,
        elementwise_ops=static.elementwise_ops,
        latency_p50_ms=None if latency is None else 1e3 * latency.quantiles[0].time_s,
        inference_images_per_s=None if inference is None else inference.images_per_s,
        train_images_per_s=None if train is None else train.images_per_s,
        inference_peak_memory_mib=_peak_memory_mib(measured, network, "inference"),
        train_peak_memory_mib=_peak_memory_mib(measured, network, "train"),
        test_time_passes=static.test_time_passes,
        record=measured,
    )


def measurement_of_most(costs: Sequence[CostRecord], networks: Collection[str]) -> CostRecord | None:
    """The newest of the measurements that hold most of the networks: only within one are times comparable."""
    held = [sum(network in cost.static for network in networks) for cost in costs]
    if not held or max(held) == 0:
        return None
    return [cost for cost, count in zip(costs, held, strict=True) if count == max(held)][-1]


def _timing(measured: CostRecord, network: str, setting: Setting | None) -> Timing | None:
    series = None if setting is None else measured.find(network, setting)
    return None if series is None else timing_of(series)


def _counts_of_trials(records: tuple[TrialRecord, ...]) -> NetworkCost:
    if not records or records[0].trainable_params == 0:
        return NetworkCost()
    first = records[0]
    return NetworkCost(
        trainable_params=first.trainable_params,
        total_params_keras=first.total_params_keras,
        macs=first.macs,
        not_counted=first.not_counted,
    )


def _peak_memory_mib(measured: CostRecord, network: str, mode: CostMode) -> float | None:
    readings = [r.peak_memory_mib for r in measured.memory if (r.network, r.mode) == (network, mode)]
    known = [reading for reading in readings if reading is not None]
    return max(known) if known else None
