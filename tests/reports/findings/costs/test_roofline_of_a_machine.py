"""The roofline: hand-computed points below hand-computed rooflines."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from fbench.benchmark.machine.machine_roofline import BandwidthRate, ComputeRate, MachineOfRoofline, MachineRoofline
from fbench.benchmark.machine.measured_machine import measured_machine
from fbench.benchmark.records.cost_records import CostRecord, RooflineReading
from fbench.benchmark.records.cost_specs import Setting
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.reports.figures.canvas import PAGE_WIDTH_IN
from fbench.reports.figures.drawing import Illustration, to_svg
from fbench.reports.figures.roofline import best_cache, roofline_chart
from fbench.reports.findings.costs.rooflines import RooflinePoint, RooflineResult, roofline_result
from fbench.reports.palette import assign_styles
from fbench.reports.render.html.document import RooflineSection
from fbench.reports.render.html.speed_sections import roofline_section
from tests.reports.fabricated_cost import BEST, LATENCY, cost, series
from tests.reports.fabricated_run import MACHINE, Recipe, fabricate_run
from tests.reports.speed_page import partial_page

ROOFLINE = MachineRoofline(
    where=MachineOfRoofline(machine=measured_machine(MACHINE, "cpu"), threads=1, precision="fp32"),
    measured_at="2026-01-02T03:04:05+00:00",
    busy_percent=3.0,
    compute=(
        ComputeRate(kernel="product", flops_per_s=80e9),
        ComputeRate(kernel="convolution", flops_per_s=100e9),
    ),
    bandwidth=(
        BandwidthRate(working_set_bytes=2**15, kernel="copy", bytes_per_s=40e9),
        BandwidthRate(working_set_bytes=2**21, kernel="copy", bytes_per_s=50e9),
        BandwidthRate(working_set_bytes=2**28, kernel="copy", bytes_per_s=10e9),
        BandwidthRate(working_set_bytes=2**28, kernel="add", bytes_per_s=8e9),
    ),
)
TWO = {"ires": 0.7, "ires_relu": 0.6}


def floor(network: str, batch_size: int, flops: int, bytes_moved: int) -> RooflineReading:
    """Of a network of one layer, whose bytes come from memory."""
    compute, memory = flops / 100e9, bytes_moved / 10e9
    return RooflineReading(
        network=network,
        batch_size=batch_size,
        flops=flops,
        bytes_moved=bytes_moved,
        floor_s=max(compute, memory),
        bound="compute" if compute > memory else "memory",
    )


def record(roofline: MachineRoofline | None, *floors: RooflineReading, backend: Setting = LATENCY) -> CostRecord:
    found = (
        series("ires", 1.0, backend, seed=1),
        series("ires", 4.0, BEST, batch_size=16, seed=2),
        series("ires_relu", 1.1, backend, seed=3),
    )
    return cost(*found, settings=(backend, BEST)).model_copy(update={"roofline": roofline, "floors": floors})


def run_with(folder: Path, found: CostRecord) -> RunTable:
    run = fabricate_run(folder, Recipe(accuracy=TWO, images=40, seeds=(0,), with_cost=False))
    run.folder.write_cost(found)
    return load_run(folder)


FLOORS = (floor("ires", 1, 20_000_000, 10_000_000), floor("ires", 16, 320_000_000, 16_000_000))


def test_what_is_achieved_is_flops_over_the_median_time(folder: Path) -> None:
    found = record(ROOFLINE, *FLOORS)
    result = roofline_result(run_with(folder, found))
    assert result is not None
    assert [(point.network, point.batch_size) for point in result.points] == [("ires", 1), ("ires", 16)]
    small, large = result.points
    medians = [float(np.median(found.series[place].times_s)) for place in (0, 1)]
    assert small.intensity == 2  # 20 MFLOP over 10 MB
    assert small.achieved_flops_per_s == pytest.approx(20e6 / medians[0])
    assert small.reachable_flops_per_s == pytest.approx(20e9)  # 2 FLOPs a byte at 10 GB/s
    assert small.share == pytest.approx(1e-3 / medians[0])  # 10 MB at 10 GB/s take a millisecond
    assert small.least_flops_per_s < small.achieved_flops_per_s < small.most_flops_per_s
    assert large.intensity == 20
    assert large.reachable_flops_per_s == pytest.approx(100e9)
    assert large.share == pytest.approx(3.2e-3 / medians[1])
    assert (small.bound, large.bound) == ("neither", "neither")  # calls take more than five times as long


def test_a_call_that_takes_little_longer_than_its_layers_is_bound_by_what_they_are(folder: Path) -> None:
    """40 MB at 10 GB/s are 4 of 10.6 ms, and 1.28 GFLOP at 100 GFLOP/s are 12.8 of 42 ms."""
    floors = floor("ires", 1, 80_000_000, 40_000_000), floor("ires", 16, 1_280_000_000, 64_000_000)
    result = roofline_result(run_with(folder, record(ROOFLINE, *floors)))
    assert result is not None
    assert [point.bound for point in result.points] == ["memory", "compute"]
    assert all(0.2 < point.share < 0.5 for point in result.points)


def test_without_a_roofline_a_floor_or_layers_one_after_another_there_is_no_part(tmp_path: Path) -> None:
    fused = Setting(backend="compile")
    cases = {
        "roofline": record(None, *FLOORS),
        "floor": record(ROOFLINE),
        "layers": cost(series("ires", 1.0, fused), settings=(fused,)).model_copy(
            update={"roofline": ROOFLINE, "floors": FLOORS}
        ),
    }
    for name, found in cases.items():
        assert roofline_section(run_with(tmp_path / name, found), assign_styles(TWO), "k") is None
    bare = fabricate_run(tmp_path / "bare", Recipe(accuracy=TWO, images=40, seeds=(0,), with_cost=False))
    assert roofline_section(bare, assign_styles(TWO), "k") is None


def point(network: str, batch_size: int, intensity: float, achieved: float, share: float) -> RooflinePoint:
    return RooflinePoint(
        network, batch_size, intensity, achieved, 0.9 * achieved, 1.1 * achieved, achieved / share, share, "memory"
    )


POINTS = (point("ires", 1, 2.0, 5e9, 0.25), point("ires", 16, 20.0, 80e9, 0.8), point("ires_relu", 1, 3.0, 6e9, 0.2))


def test_the_chart_states_how_near_the_roofline_calls_come_and_its_points_answer() -> None:
    drawing = roofline_chart(ROOFLINE, POINTS, assign_styles(TWO))
    assert drawing.width_in <= PAGE_WIDTH_IN
    assert drawing.alt == (
        "Roofline: peak 100 GFLOP/s, memory 10.0 GB/s, a cache of 2 MiB 50.0 GB/s. Calls reach 20.0 % (ires_relu, "
        "batch 1) to 80.0 % (ires, batch 16) of what the machine allows their layers."
    )
    assert drawing.hotspots[0].text == (
        "ires, batch 1\n2.00 FLOPs a byte\n5.00 GFLOP/s\n25.0 % of the roofline, layer by layer\nbound by memory"
    )
    svg = to_svg(drawing, "k")
    root = ElementTree.fromstring(svg)  # noqa: S314 - made in the line above
    texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"memory 10.0 GB/s", "cache 50.0 GB/s", "peak 100 GFLOP/s", "ires", "ires_relu"} <= texts
    assert all(f'id="k-{spot.gid}" class="spot"' in svg for spot in drawing.hotspots)


def test_a_share_of_more_than_the_roofline_says_no_more_than_that() -> None:
    above = (point("ires", 1, 2.0, 25e9, 1.25), POINTS[1])
    drawing = roofline_chart(ROOFLINE, above, assign_styles(TWO))
    assert drawing.alt.endswith(
        "Calls reach 80.0 % (ires, batch 16) to over 100 % (ires, batch 1) of what the machine allows their layers."
    )
    assert "\nover 100 % of the roofline, layer by layer\n" in drawing.hotspots[0].text
    section = RooflineSection(RooflineResult("eager", ROOFLINE, above), Illustration("k", "t", drawing))
    table = partial_page("roofline.html.j2", TWO, roofline=section).table("Inference (eager) below")
    assert [row[5] for row in table.rows[1:]] == ["> 100", "80.0"]


def test_the_best_cache_is_the_fastest_set_and_its_size() -> None:
    assert best_cache(ROOFLINE) == (50e9, 2**21)


def test_a_machine_of_one_bandwidth_has_one_slope() -> None:
    flat = ROOFLINE.model_copy(update={"bandwidth": ROOFLINE.bandwidth[2:]})
    svg = to_svg(roofline_chart(flat, POINTS, assign_styles(TWO)), "k")
    assert "memory 10.0 GB/s" in svg
    assert "cache" not in svg


def test_the_table_has_a_row_for_each_point(folder: Path) -> None:
    run = run_with(folder, record(ROOFLINE, *FLOORS))
    section = roofline_section(run, assign_styles(run.networks), "k")
    assert section is not None
    page = partial_page("roofline.html.j2", run.networks, roofline=section)
    table = page.table("Inference (eager) below the machine’s roofline")
    assert [row[:3] for row in table.rows[1:]] == [["ires", "1", "2.00"], ["ires", "16", "20.0"]]
    assert table.rows[1][4:] == ["20.0", f"{100 * section.result.points[0].share:.1f}", "neither"]
    assert "2026-01-02, 1 thread, while other processes took 3 %" in page.text
