"""The cost of a network: of the very network that was trained, and of the batch that gives most."""

from __future__ import annotations

from pathlib import Path

import pytest

from fbench.benchmark.records.trial_records import TrialRecord
from fbench.reports.findings.costs.cost import network_cost
from tests.reports.fabricated_run import Recipe, fabricate_run


def on_other_images(record: TrialRecord) -> TrialRecord:
    """The record of the same name built for images of another size, which has other layers."""
    network = record.spec.network.model_copy(update={"digest": "0" * 64})
    spec = record.spec.model_copy(update={"network": network})
    return record.model_copy(update={"spec": spec, "trainable_params": 51_635, "macs": 1_283_648})


def test_counts_are_of_the_network_that_was_trained_and_times_of_another_shape_are_left_out(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(seeds=(0,), images=40))
    records = tuple(run.records("ires", "fer2013"))
    measured, other = network_cost(run, "ires", records), network_cost(run, "ires", (on_other_images(records[0]),))
    assert measured.latency_p50_ms is not None
    assert measured.record is run.costs[0]
    assert (other.trainable_params, other.macs) == (51_635, 1_283_648)
    assert (other.latency_p50_ms, other.inference_images_per_s, other.record) == (None, None, None)


def test_throughput_is_that_of_the_timed_batch_which_gives_most(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(seeds=(0,), images=40))
    found = network_cost(run, "ires")
    by_batch = {}
    for series in run.costs[0].series:
        if series.network == "ires" and series.setting.mode == "inference":
            times = sorted(series.times_s)
            middle = (times[(len(times) - 1) // 2] + times[len(times) // 2]) / 2
            by_batch[series.batch_size] = series.batch_size / middle
    best = max(by_batch, key=lambda batch: by_batch[batch])
    assert found.inference_batch_size == best
    assert found.inference_images_per_s == pytest.approx(by_batch[best])
