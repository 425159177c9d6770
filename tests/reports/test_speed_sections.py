"""Latency by batch size and the roofline, against the raw samples of a record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fabricated_run import Recipe, fabricate_run, latency_ms
from page import Page

from fbench.benchmark.cost_records import BatchRate, BatchSearch, CostRecord, RoofReading
from fbench.benchmark.machine_plan import planned_machine
from fbench.benchmark.machine_roof import BandwidthRate, ComputeRate, MachineRoof, RoofedMachine
from fbench.benchmark.table import RunTable, load_run
from fbench.reports.batches import batch_curves
from fbench.reports.build import build_report
from fbench.reports.evidence import gather
from fbench.reports.figures.batches import latency_by_batch, throughput_by_batch
from fbench.reports.figures.roofline import roofline_chart
from fbench.reports.palette import assign_appearances
from fbench.reports.roofs import roofline

NAMES = ("ires", "ires_no_se", "ires_relu")


def measured_run(folder: Path) -> RunTable:
    """A run with a search for the best batch, a roof of 100 GFLOP/s and 10 GB/s, and floors."""
    run = fabricate_run(folder, Recipe(seeds=(0, 1), images=40))
    (cost,) = run.costs
    searches = tuple(
        BatchSearch(
            network=name,
            mode="inference",
            backend="eager",
            tried=tuple(BatchRate(batch_size=size, images_per_s=100.0 * size**0.5) for size in (1, 4, 64)),
            chosen=64,
            stopped_because="the largest batch",
        )
        for name in NAMES
    )
    roof = MachineRoof(
        where=RoofedMachine(machine=planned_machine(cost.machine, "cpu"), threads=1, precision="fp32"),
        measured_at="2026-01-01T00:00:00+00:00",
        busy_percent=0.0,
        compute=(ComputeRate(kernel="matrix product", flops_per_s=1e11),),
        bandwidth=(
            BandwidthRate(working_set_bytes=2**15, kernel="copy", bytes_per_s=5e10),
            BandwidthRate(working_set_bytes=2**28, kernel="copy", bytes_per_s=1e10),
        ),
    )
    floors = tuple(
        RoofReading(network=name, batch_size=1, flops=6_000_000, bytes_moved=3_000_000, floor_s=1e-4, bound="memory")
        for name in NAMES
    )
    changed = cost.model_copy(update={"searches": searches, "roof": roof, "floors": floors})
    run.folder.write_cost(changed)
    return load_run(run.folder.path)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> RunTable:
    return measured_run(tmp_path_factory.mktemp("runs") / "run")


def median_s(cost: CostRecord, network: str, batch_size: int | None) -> float:
    """The median of the raw calls of a network in inference."""
    (series,) = [
        one
        for one in cost.series
        if (one.network, one.setting.mode, one.setting.batch_size) == (network, "inference", batch_size)
    ]
    return float(np.median(series.times_s))


def test_what_was_measured_in_blocks_takes_the_place_of_what_was_tried(measured: RunTable) -> None:
    curves = batch_curves(gather(measured, measured.config.data[0]))
    assert [curve.network for curve in curves] == list(NAMES)
    one, four, best = curves[0].points
    assert (one.batch_size, four.batch_size, best.batch_size) == (1, 4, 64)
    assert (one.measured, four.measured, best.measured) == (True, False, True)
    assert one.call_ms == pytest.approx(1e3 * median_s(measured.costs[0], "ires", 1), rel=0.02)
    assert four.call_ms == pytest.approx(1e3 * 4 / 200)
    assert best.images_per_s == pytest.approx(64 / median_s(measured.costs[0], "ires", None), rel=0.02)
    assert curves[0].best is max(curves[0].points, key=lambda point: point.images_per_s)


def test_the_figures_state_the_fastest(measured: RunTable) -> None:
    curves = batch_curves(gather(measured, measured.config.data[0]))
    looks = assign_appearances(NAMES)
    fastest = min(NAMES, key=latency_ms)
    assert f"first: {fastest} " in latency_by_batch(curves, looks).alt
    assert "Images a second by batch size; the most, with its batch: " in throughput_by_batch(curves, looks).alt


def test_a_point_under_the_roof_is_operations_by_the_median_time(measured: RunTable) -> None:
    found = roofline(gather(measured, measured.config.data[0]))
    assert found is not None
    assert [point.network for point in found.points] == list(NAMES)  # batch 1 alone has floors
    for point in found.points:
        seconds = median_s(measured.costs[0], point.network, 1)
        assert point.intensity == 2.0
        assert point.flops_per_s == pytest.approx(6e6 / seconds, rel=0.02)
        assert point.share == pytest.approx(1e-4 / seconds, rel=0.02)
    drawing = roofline_chart(found, assign_appearances(NAMES))
    assert drawing.alt.startswith("Roofline of a machine of 100 billion operations a second. Nearest")
    assert len(drawing.hotspots) == 3
    assert drawing.hotspots[0].text.splitlines()[:3] == ["ires", "1 image in a call", "2.00 operations a byte"]
    assert drawing.hotspots[0].text.endswith("bound by memory")


def test_the_page_shows_both(measured: RunTable) -> None:
    page = Page(build_report([measured]))
    assert page.table("Inference at the smallest").row("ires")[1] == "1"
    table = page.table("Under the roof of 100 billion operations and 10.0 billion bytes a second")
    assert table.row("ires")[2] == "2.00"


def test_without_a_roof_or_a_measurement_the_parts_are_left_out(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(seeds=(0, 1), images=40, with_cost=False))
    evidence = gather(run, run.config.data[0])
    assert batch_curves(evidence) == ()
    assert roofline(evidence) is None
    text = Page(build_report([run])).text
    assert "Roofline" not in text
    assert "Latency by batch" not in text
