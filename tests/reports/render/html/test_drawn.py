"""Which networks have figures of their own: all of those that can be looked at, and of very many the first."""

from __future__ import annotations

from pathlib import Path

import pytest

from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.gather import gather_findings
from fbench.reports.findings.model import DataFindings
from fbench.reports.render.html import drawn as drawing
from fbench.reports.render.html.build import build_report
from fbench.reports.render.html.drawn import drawn_networks
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.read_page import Page

pytestmark = pytest.mark.usefixtures("unpainted")

ACCURACY = {"ires": 0.5, "ires_no_se": 0.3, "ires_relu": 0.6, "arch1": 0.9, "arch2": 0.8, "arch3": 0.4}


@pytest.fixture
def run(folder: Path) -> RunTable:
    return fabricate_run(folder, Recipe(accuracy=ACCURACY, seeds=range(3), images=120))


def section_of(run: RunTable) -> DataFindings:
    (found,) = gather_findings([run]).data_sections
    return found


def test_all_are_drawn_where_they_can_be_looked_at(run: RunTable) -> None:
    found = drawn_networks(section_of(run))
    assert found.names == tuple(ACCURACY)
    assert found.sentence == ""


def test_of_very_many_baselines_and_the_most_accurate_are_drawn_in_the_order_of_the_plan(
    run: RunTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "ALL_UP_TO", 5)
    monkeypatch.setattr(drawing, "MOST_OF_MANY", 3)
    section = section_of(run)
    baselines = {row.baseline for study in section.studies for row in study.result.comparisons}
    found = drawn_networks(section)
    assert baselines == {"ires"}
    assert found.names == ("ires", "arch1", "arch2")
    assert found.left_out == 3
    assert "those of 3: the baselines and the most accurate. The other 3 stand in the other tables" in found.sentence


def test_a_page_of_very_many_says_what_it_does_not_draw(run: RunTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "ALL_UP_TO", 5)
    monkeypatch.setattr(drawing, "MOST_OF_MANY", 3)
    page = Page(build_report([run]))
    assert "The other 3 stand in the other tables" in page.text
    assert "Confusion matrix of arch1" in page.text
    assert "Confusion matrix of arch3" not in page.text
