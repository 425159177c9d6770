"""The table of measures: a new one is an entry here, and stands in every form of a report and in the gate.

The summary, its CSV file, Markdown and LaTeX, what a run prints and the conditions of a gate take their columns from
it, in its order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from fbench.reports.findings.comparisons.summary import NetworkSummary
from fbench.reports.findings.gate.metrics import GateMetric
from fbench.reports.findings.gate.read_changes import (
    accuracy,
    count_of,
    energy,
    peak_memory_of,
    rate_of,
    time_of,
)
from fbench.reports.findings.measures.kinds import mean_of
from fbench.reports.findings.measures.model import Form, Measure, Medium, Range, Value
from fbench.reports.formatting import millions, percent
from fbench.statistics.estimands import MeanEstimate


def shown_in(medium: Medium) -> tuple[Measure, ...]:
    """The measures that stand in a place, from the left."""
    return tuple(one for one in MEASURES if medium in one.shown)


def metrics() -> dict[str, GateMetric]:
    """All that a gate can hold, by name: cost, then quality."""
    ordered = sorted(MEASURES, key=lambda one: one.about == "quality")
    return {metric.name: metric for one in ordered for metric in one.metrics}


def _range(estimate: MeanEstimate) -> Range:
    return Range(estimate.low, estimate.high)


def _short_range(value: Range) -> str:
    """One seed says nothing about seeds."""
    return "1 seed" if math.isnan(value.low) else f"{100 * value.low:.1f}-{100 * value.high:.1f}"


def _without_copies(row: NetworkSummary) -> tuple[int | None, float | None]:
    found = row.accuracy_without_copies
    return (found.images, found.new_images.estimate) if found else (None, None)


def _cost(field: str) -> Callable[[NetworkSummary], Value]:
    def of(row: NetworkSummary) -> Value:
        found: Value = getattr(row.cost, field)
        return found

    return of


def _energy(row: NetworkSummary) -> float | None:
    """Of the last inference setting, which has the largest batch."""
    readings = row.cost.record.energy if row.cost.record else ()
    found = [one for one in readings if (one.network, one.setting.mode) == (row.network, "inference")]
    return found[-1].joules_per_image if found else None


MEASURES: Final[tuple[Measure, ...]] = (
    Measure("seeds", "", "Seeds", None, lambda row: row.seeds, shown=("csv", "table", "terminal")),
    Measure("images", "", "Images", None, lambda row: row.accuracy.images, shown=("csv",)),
    Measure(
        "top1",
        "%",
        "Top-1",
        "more",
        lambda row: row.accuracy.new_images.estimate,
        write=percent,
        shown=("csv", "table", "terminal"),
        on_terminal=Form("top-1", "", lambda value: f"{100 * value:.2f}"),
        metrics=(GateMetric("accuracy", "top-1 accuracy", accuracy(), "trials", "more", "pt"),),
    ),
    Measure(
        "top1_this_test_set",
        "95 % interval",
        "This test set",
        None,
        lambda row: _range(row.accuracy.this_test_set),
        shown=("csv", "table", "terminal"),
        on_terminal=Form("this test set", "", _short_range),
    ),
    Measure(
        "top1_new_units",
        "95 % interval",
        "New images",
        None,
        lambda row: _range(row.accuracy.new_images),
        shown=("csv", "table", "terminal"),
        on_terminal=Form("new images", "", _short_range),
    ),
    Measure("images_without_copies", "", "Images", None, lambda row: _without_copies(row)[0], shown=("csv",)),
    Measure("top1_without_copies", "%", "Top-1", "more", lambda row: _without_copies(row)[1], shown=("csv",)),
    Measure(
        "balanced_accuracy",
        "%",
        "Balanced accuracy",
        "more",
        mean_of(lambda trials: [one.balanced_accuracy for one in trials.measures]),
        write=percent,
        shown=("csv", "page"),
    ),
    Measure(
        "macro_f1",
        "%",
        "Macro F1",
        "more",
        mean_of(lambda trials: [one.macro_f1 for one in trials.measures]),
        write=percent,
        shown=("csv", "page"),
    ),
    Measure(
        "expected_calibration_error",
        "%",
        "Calibration error",
        "less",
        mean_of(lambda trials: [one.expected_calibration_error for one in trials.measures]),
        write=percent,
        shown=("csv", "page"),
    ),
    Measure(
        "loss_nats",
        "nats",
        "Loss",
        "less",
        mean_of(lambda trials: [one.loss for one in trials.measures]),
        shown=("csv",),
    ),
    Measure(
        "trainable_params",
        "",
        "Parameters",
        "less",
        _cost("trainable_params"),
        about="cost",
        shown=("csv", "table"),
        metrics=(GateMetric("params", "trainable parameters", count_of("trainable_params"), "counts"),),
    ),
    Measure(
        "total_params_keras",
        "",
        "Parameters",
        "less",
        _cost("total_params_keras"),
        about="cost",
        shown=("csv", "terminal"),
    ),
    Measure(
        "macs",
        "millions",
        "MACs",
        "less",
        _cost("macs"),
        about="cost",
        write=millions,
        shown=("csv", "table", "terminal"),
        on_terminal=Form("million MACs", "", lambda value: f"{value / 1e6:.2f}"),
        metrics=(GateMetric("macs", "multiply-accumulates of one image", count_of("macs"), "counts"),),
    ),
    Measure(
        "elementwise_ops",
        "millions",
        "Elementwise operations",
        "less",
        _cost("elementwise_ops"),
        about="cost",
        write=millions,
        shown=("csv",),
        metrics=(
            GateMetric("elementwise_ops", "elementwise operations of one image", count_of("elementwise_ops"), "counts"),
        ),
    ),
    Measure(
        "latency_p50_ms",
        "ms",
        "Latency",
        "less",
        _cost("latency_p50_ms"),
        about="cost",
        shown=("csv", "table", "terminal"),
        on_terminal=Form("latency", "ms", lambda value: f"{value:.2f}"),
        if_measured=True,
        metrics=tuple(
            GateMetric(name, says, time_of("inference", quantile), "measurements", by_batch=True)
            for name, says, quantile in (
                ("latency_p50", "median time of a call", 0.5),
                ("latency_p90", "90th percentile of the time of a call", 0.9),
                ("latency_p99", "99th percentile of the time of a call", 0.99),
            )
        ),
    ),
    Measure(
        "inference_images_per_s",
        "images/s",
        "Inference",
        "more",
        _cost("inference_images_per_s"),
        about="cost",
        shown=("csv",),
        metrics=(
            GateMetric(
                "throughput", "images per second in the best batch", rate_of("inference"), "measurements", "more"
            ),
        ),
    ),
    Measure(
        "train_images_per_s",
        "images/s",
        "Training",
        "more",
        _cost("train_images_per_s"),
        about="cost",
        shown=("csv",),
        metrics=(
            GateMetric("train_step", "median time of a training step", time_of("train"), "measurements", by_batch=True),
        ),
    ),
    Measure(
        "inference_peak_memory_mib",
        "MiB",
        "Memory of inference",
        "less",
        _cost("inference_peak_memory_mib"),
        about="cost",
        shown=("csv",),
        metrics=(
            GateMetric("peak_memory", "peak memory of an inference", peak_memory_of("inference"), "measurements"),
        ),
    ),
    Measure(
        "train_peak_memory_mib",
        "MiB",
        "Memory of training",
        "less",
        _cost("train_peak_memory_mib"),
        about="cost",
        shown=("csv",),
        metrics=(
            GateMetric("train_peak_memory", "peak memory of a training step", peak_memory_of("train"), "measurements"),
        ),
    ),
    Measure(
        "energy_j_per_image",
        "J",
        "Energy",
        "less",
        _energy,
        about="cost",
        shown=(),
        metrics=(GateMetric("energy", "joules an image in inference", energy(), "measurements"),),
    ),
    Measure(
        "train_time_s",
        "s",
        "Training",
        "less",
        lambda row: row.train_time_s,
        about="cost",
        shown=("csv", "table"),
        if_measured=True,
    ),
    Measure(
        "concurrent_trials",
        "",
        "Trials at a time",
        None,
        lambda row: row.concurrent_trials,
        about="cost",
        shown=("csv",),
    ),
)
"""Every measure, from the left."""
