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

    ``latency_p50_ms`` is the median time of one call at batch 1. Throughputs are the batch divided by the median time
    of a call, in inference in the batch of those timed that gives most (``inference_batch_size``). Counts are for one
    image in evaluation mode. ``record`` is the measurement that times and memory are from.
    """

    trainable_params: int | None = None
    total_params_keras: int | None = None
    macs: int | None = None
    mac_kinds: tuple[str, ...] = ()
    not_counted: tuple[UncountedOperation, ...] = ()
    elementwise_ops: int | None = None
    latency_p50_ms: float | None = None
    inference_images_per_s: float | None = None
    inference_batch_size: int | None = None
    train_images_per_s: float | None = None
    inference_peak_memory_mib: float | None = None
    train_peak_memory_mib: float | None = None
    test_time_passes: int = 1
    record: CostRecord | None = field(default=None, repr=False, compare=False)


def network_cost(run: RunTable, network: str, records: tuple[TrialRecord, ...] = ()) -> NetworkCost:
    """The cost of a network; without a measurement of it as its trials trained it, for images and classes of their
    data, only the counts."""
    measured = run.latest_cost(network)
    if measured is None or not is_measured_as_trained(measured, network, records):
        return _counts_of_trials(run, records)
    static = measured.static[network]
    latency = _timing(measured, network, main_setting(measured, "inference"))
    inference = _fastest(measured, network)
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
        inference_batch_size=None if inference is None else inference.batch_size,
        train_images_per_s=None if train is None else train.images_per_s,
        inference_peak_memory_mib=_peak_memory_mib(measured, network, "inference"),
        train_peak_memory_mib=_peak_memory_mib(measured, network, "train"),
        test_time_passes=static.test_time_passes,
        record=measured,
    )


def is_measured_as_trained(measured: CostRecord, network: str, records: Sequence[TrialRecord]) -> bool:
    """Whether a measurement is of the network that trials trained: the same layers for images and classes as theirs."""
    digests = {spec.digest for spec in measured.spec.networks if spec.name == network}
    return not records or not digests or records[0].spec.network.digest in digests


def measurement_of_most(costs: Sequence[CostRecord], networks: Collection[str]) -> CostRecord | None:
    """The newest of the measurements that hold most of the networks: only within one are times comparable."""
    held = [sum(network in cost.static for network in networks) for cost in costs]
    if not held or max(held) == 0:
        return None
    return [cost for cost, count in zip(costs, held, strict=True) if count == max(held)][-1]


def _timing(measured: CostRecord, network: str, setting: Setting | None) -> Timing | None:
    series = None if setting is None else measured.find(network, setting)
    return None if series is None else timing_of(series)


def _fastest(measured: CostRecord, network: str) -> Timing | None:
    """The timing of the batch in which most images a second are inferred, of those that took turns with others."""
    settings = [one for one in measured.spec.plan.settings if one.mode == "inference"]
    found = [_timing(measured, network, one) for one in settings if one.backend == settings[0].backend]
    return max((one for one in found if one is not None), key=lambda one: one.images_per_s, default=None)


def _counts_of_trials(run: RunTable, records: tuple[TrialRecord, ...]) -> NetworkCost:
    if not records or records[0].trainable_params == 0:
        return NetworkCost()
    first = records[0]
    described = run.description(first.spec.network.digest)
    return NetworkCost(
        trainable_params=first.trainable_params,
        total_params_keras=first.total_params_keras,
        macs=first.macs,
        mac_kinds=tuple(described.counts.macs_by_kind) if described else (),
        not_counted=first.not_counted,
        elementwise_ops=described.counts.elementwise_ops if described else None,
    )


def _peak_memory_mib(measured: CostRecord, network: str, mode: CostMode) -> float | None:
    readings = [r.peak_memory_mib for r in measured.memory if (r.network, r.mode) == (network, mode)]
    known = [reading for reading in readings if reading is not None]
    return max(known) if known else None
