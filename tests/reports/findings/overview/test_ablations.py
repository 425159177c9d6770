"""All ablations on one scale: every pair once, with the differences of its seeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fbench.reports.figures.ablations import NamePlace, ablations_forest
from fbench.reports.figures.canvas import PAGE_WIDTH_IN
from fbench.reports.figures.drawing import to_svg
from fbench.reports.findings.gather import gather_findings
from fbench.reports.findings.overview.without_result import NetworkWithoutResult
from tests.reports.fabricated_run import Recipe, fabricate_run


def study(name: str, baseline: str, *levels: str) -> dict[str, object]:
    return {"name": name, "title": name.title(), "question": "?", "baseline": baseline, "levels": (baseline, *levels)}


def test_a_pair_of_two_studies_stands_once_and_baselines_stand_together(tmp_path: Path) -> None:
    studies = (
        study("first", "ires", "ires_no_se"),
        study("second", "ires_relu", "ires"),
        study("third", "ires", "ires_no_se", "ires_relu"),
    )
    run = fabricate_run(tmp_path / "run", Recipe(studies=studies))
    rows = gather_findings([run]).data_sections[0].overview.ablations
    assert [(row.comparison.network, row.comparison.baseline, row.study) for row in rows] == [
        ("ires_relu", "ires", "Third"),  # the better of the two
        ("ires_no_se", "ires", "First"),
        ("ires", "ires_relu", "Second"),
    ]


def test_each_pair_of_seeds_has_its_difference(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(studies=(study("first", "ires", "ires_no_se"),)))
    (row,) = gather_findings([run]).data_sections[0].overview.ablations
    accuracies = [
        [record.test.top1 for record in run.records(name, "fer2013") if record.test] for name in ("ires_no_se", "ires")
    ]
    assert row.by_seed == pytest.approx(np.subtract(*accuracies))
    assert np.mean(row.by_seed) == pytest.approx(row.comparison.estimate)


def test_the_figure_says_every_comparison_and_where_each_can_be_pointed_at(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe())
    rows = gather_findings([run]).data_sections[0].overview.ablations
    drawing = ablations_forest(rows)
    assert len(drawing.hotspots) == len(rows) == 2
    for row, spot in zip(rows, drawing.hotspots, strict=True):
        named = f"{row.comparison.network} against {row.comparison.baseline}"
        assert spot.text.startswith(f"{named}: {row.comparison.verdict}\n")
        assert named in drawing.alt


@pytest.mark.parametrize(("names", "share"), [("beside", 0.5), ("above", 0.9)])
def test_the_plot_has_most_of_the_width_and_names_stand_whole(tmp_path: Path, names: NamePlace, share: float) -> None:
    from matplotlib.figure import Figure

    long = "ires_with_a_mobile_inverted_bottleneck_and_attention"
    run = fabricate_run(
        tmp_path / "run", Recipe(accuracy={"ires": 0.6, long: 0.5}, studies=(study("first", "ires", long),))
    )
    rows = gather_findings([run]).data_sections[0].overview.ablations
    drawing = ablations_forest(rows, names=names)
    figure = Figure(figsize=(drawing.width_in, drawing.height_in))
    drawing.paint(figure)
    assert figure.axes[0].get_position().width >= share
    assert long in "".join(text.get_text() for text in figure.axes[0].texts)
    assert names == "beside" or drawing.width_in <= PAGE_WIDTH_IN


def test_a_network_without_a_result_is_named_with_its_reason(tmp_path: Path) -> None:
    rows = gather_findings([fabricate_run(tmp_path / "run", Recipe())]).data_sections[0].overview.ablations
    drawing = ablations_forest(rows, [NetworkWithoutResult("broken", "failed: RuntimeError: no")])
    svg = to_svg(drawing, "key")
    assert ">broken</text>" in svg
    assert ">failed: RuntimeError: no</text>" in svg
    assert "broken: failed: RuntimeError: no" in drawing.alt
    assert drawing.height_in > ablations_forest(rows).height_in
