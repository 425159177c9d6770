"""Time by batch size: points are those of the raw samples and of the search, in the figure and in the table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from fbench.benchmark.records.cost_records import BatchRate, BatchSearch, CostRecord
from fbench.benchmark.records.cost_specs import Setting
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.reports.figures.batch import latency_by_batch
from fbench.reports.figures.canvas import GREY, PAGE_WIDTH_IN
from fbench.reports.figures.drawing import to_svg
from fbench.reports.findings.costs.batches import BatchCurve, BatchPoint, batch_result
from fbench.reports.palette import assign_styles
from fbench.reports.render.html.speed_sections import batch_section
from tests.reports.fabricated_cost import BEST, LATENCY, cost, series
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.speed_page import partial_page

TWO = {"ires": 0.7, "ires_relu": 0.6}


def search(network: str, **rates: float) -> BatchSearch:
    tried = tuple(BatchRate(batch_size=int(name[1:]), images_per_s=rate) for name, rate in rates.items())
    return BatchSearch(
        network=network, mode="inference", backend="eager", tried=tried, chosen=1, stopped_because="no gain"
    )


def run_with(folder: Path, *records: CostRecord) -> RunTable:
    run = fabricate_run(folder, Recipe(accuracy=TWO, images=40, seeds=(0,), with_cost=False))
    for record in records:
        run.folder.write_cost(record)
    return load_run(folder)


def test_a_timed_series_goes_before_a_look_of_the_search(folder: Path) -> None:
    timed = series("ires", 1.0, seed=1)
    record = cost(timed, series("ires_relu", 1.1, seed=2)).model_copy(
        update={"searches": (search("ires", b1=1.0, b2=400.0, b4=500.0),)}
    )
    found = batch_result(run_with(folder, record))
    assert found is not None
    (curve,) = found.curves  # the other network is known in one batch size only
    assert (curve.network, found.batch_sizes) == ("ires", (1, 2, 4))
    first, *styles = curve.points
    assert first.milliseconds == pytest.approx(1e3 * np.median(timed.times_s))
    assert first.low is not None
    assert first.high is not None
    assert first.low < first.milliseconds < first.high
    assert all(np.isclose(timed.times_s, end / 1e3).any() for end in (first.low, first.high))  # read off the sample
    assert styles == [BatchPoint(2, 5.0), BatchPoint(4, 8.0)]
    assert (curve.best.batch_size, curve.best.images_per_s) == (4, pytest.approx(500))
    assert curve.gain == pytest.approx(500 * np.median(timed.times_s))


def test_a_fixed_batch_goes_before_a_best_one_of_the_same_size(folder: Path) -> None:
    fixed = Setting(batch_size=8)
    record = cost(
        series("ires", 1.0, seed=1),
        series("ires", 6.0, fixed, batch_size=8, seed=2),
        series("ires", 9.0, BEST, batch_size=8, seed=3),
        series("ires_relu", 1.0, seed=4),
        settings=(LATENCY, fixed, BEST),
    )
    found = batch_result(run_with(folder, record))
    assert found is not None
    point = found.curves[0].at(8)
    assert point is not None
    assert point.milliseconds == pytest.approx(1e3 * np.median(record.series[1].times_s))
    assert found.curves[0].at(16) is None


def test_only_the_first_backend_of_inference_is_shown(folder: Path) -> None:
    other = Setting(batch_size=8, backend="compile")
    record = cost(
        series("ires", 1.0, seed=1), series("ires", 4.0, other, batch_size=8, seed=2), settings=(LATENCY, other)
    )
    assert batch_result(run_with(folder, record)) is None  # one batch in eager, another in compile


@pytest.mark.parametrize("with_record", [True, False])
def test_without_two_batch_sizes_there_is_no_part(folder: Path, with_record: bool) -> None:
    run = run_with(folder, *([cost(series("ires", 1.0))] if with_record else []))
    assert batch_section(run, assign_styles(TWO), "k") is None


def test_the_newest_of_the_widest_measurements_counts(folder: Path) -> None:
    def record(factor: float, *names: str) -> CostRecord:
        found = [series(name, factor, seed=1, day=int(10 * factor)) for name in names]
        searches = tuple(search(name, b2=100.0) for name in names)
        day = f"2026-01-0{int(factor)}T04:04:05+00:00"
        return cost(*found, started_at=day).model_copy(update={"searches": searches, "cost_id": f"{int(factor):016x}"})

    both = record(2, "ires", "ires_relu")
    found = batch_result(run_with(folder, record(1, "ires", "ires_relu"), both, record(3, "ires")))
    assert found is not None
    assert [curve.network for curve in found.curves] == ["ires", "ires_relu"]
    assert found.curves[0].points[0].milliseconds == pytest.approx(1e3 * np.median(both.series[0].times_s))


CURVES = (
    BatchCurve("quick", (BatchPoint(1, 1.0, 0.9, 1.1), BatchPoint(2, 1.0), BatchPoint(4, 1.6, 1.5, None))),
    BatchCurve("slow", (BatchPoint(1, 2.0), BatchPoint(2, 3.0))),
)


def test_the_figure_says_who_is_quickest_and_what_batches_bring() -> None:
    drawing = latency_by_batch(CURVES, assign_styles(["quick", "slow"]))
    assert drawing.width_in <= PAGE_WIDTH_IN
    assert drawing.alt == (
        "Time of a call and images per second by batch size. The best batches, 2 to 4, make 1.33 to 2.50 times as many "
        "images per second as the smallest. quick is the quickest at batch 1, 1.00 ms; quick makes the most images, "
        "2,500 per second at batch 4."
    )
    svg = to_svg(drawing, "k")
    texts = {element.text for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")}  # noqa: S314 - made above
    assert {"quick", "slow", "batch size", "4"} <= texts


def test_of_a_hundred_networks_the_first_eight_that_are_compared_have_a_name_and_a_colour() -> None:
    names = [f"network {number}" for number in range(100)]
    styles = assign_styles(names)
    first = ["network 70", "network 3", "not measured", "network 70"]
    svg = to_svg(latency_by_batch([replace(CURVES[0], network=name) for name in names], styles, first), "k")
    named = {f"network {number}" for number in (70, 3, 0, 1, 2, 4, 5, 6)}
    assert {name for name in names if f">{name}<" in svg} == named
    assert ">92 others<" in svg
    assert svg.count(f"stroke: {GREY}") == 2 * 92 + 1  # a line in each panel, and one in the legend


def test_few_networks_all_have_a_name() -> None:
    names = [f"network {number}" for number in range(8)]
    svg = to_svg(latency_by_batch([replace(CURVES[0], network=name) for name in names], assign_styles(names)), "k")
    assert all(f">{name}<" in svg for name in names)
    assert " others<" not in svg
    assert GREY not in svg


def test_the_table_has_each_batch_and_the_intervals(folder: Path) -> None:
    record = cost(series("ires", 1.0, seed=1), series("ires_relu", 1.1, seed=2)).model_copy(
        update={"searches": (search("ires", b1=1.0, b4=500.0), search("ires_relu", b2=1000.0))}
    )
    run = run_with(folder, record)
    section = batch_section(run, assign_styles(run.networks), "k")
    page = partial_page("batches.html.j2", run.networks, batches=section)
    table = page.table("Median time of a call in inference")
    assert table.rows[0][:4] == ["Network", "1", "2", "4"]
    name, first, second, third, *_ = table.row("ires")
    assert (name, second, third) == ("ires", "–", "8.00")
    assert first.startswith(f"{1e3 * float(np.median(record.series[0].times_s)):.3g}")
    assert first.count("–") == 1
    assert all("scope" in attributes for tag, attributes in page.elements if tag == "th")
