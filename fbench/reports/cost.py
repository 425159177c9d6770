"""The cost of a network in a reader's units, from the newest measurement that holds it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fbench.benchmark.records import CostRecord, TrialRecord
from fbench.benchmark.specs import CostMode
from fbench.benchmark.table import RunTable


@dataclass(frozen=True)
class NetworkCost:
    """What one network costs; none where it was not measured.

    ``latency_p50_ms`` is the median time of one call at batch 1. Throughputs are the batch divided by the
    median time of a call. Counts are for one image in evaluation mode.
    """

    trainable_params: int | None = None
    total_params_keras: int | None = None
    macs: int | None = None
    elementwise_ops: int | None = None
    latency_p50_ms: float | None = None
    inference_images_per_s: float | None = None
    train_images_per_s: float | None = None
    inference_peak_memory_mib: float | None = None
    train_peak_memory_mib: float | None = None
    test_time_passes: int = 1


def network_cost(run: RunTable, network: str, records: tuple[TrialRecord, ...] = ()) -> NetworkCost:
    """The cost of a network; without a measurement only the counts that its trials recorded."""
    measured = run.latest_cost(network)
    if measured is None:
        return _counts_of_trials(records)
    static, plan = measured.static[network], measured.spec.plan
    latency_s = _median_s(run, network, "inference", plan.latency_batch_size)
    return NetworkCost(
        trainable_params=static.trainable_params,
        total_params_keras=static.total_params_keras,
        macs=static.macs,
        elementwise_ops=static.elementwise_ops,
        latency_p50_ms=None if latency_s is None else 1e3 * latency_s,
        inference_images_per_s=_images_per_s(run, network, "inference", plan.throughput_batch_size),
        train_images_per_s=_images_per_s(run, network, "train", plan.train_batch_size),
        inference_peak_memory_mib=_peak_memory_mib(measured, network, "inference"),
        train_peak_memory_mib=_peak_memory_mib(measured, network, "train"),
        test_time_passes=static.test_time_passes,
    )


def _counts_of_trials(records: tuple[TrialRecord, ...]) -> NetworkCost:
    if not records or records[0].trainable_params == 0:
        return NetworkCost()
    first = records[0]
    return NetworkCost(
        trainable_params=first.trainable_params, total_params_keras=first.total_params_keras, macs=first.macs
    )


def _median_s(run: RunTable, network: str, mode: CostMode, batch_size: int) -> float | None:
    times = run.times_s(network, mode, batch_size)
    return float(np.median(times)) if times.size else None


def _images_per_s(run: RunTable, network: str, mode: CostMode, batch_size: int) -> float | None:
    time_s = _median_s(run, network, mode, batch_size)
    return None if time_s is None else batch_size / time_s


def _peak_memory_mib(measured: CostRecord, network: str, mode: CostMode) -> float | None:
    readings = [r.peak_memory_mib for r in measured.memory if (r.network, r.mode) == (network, mode)]
    known = [reading for reading in readings if reading is not None]
    return max(known) if known else None
