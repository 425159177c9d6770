"""Networks of which nothing is known are named, with the reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fbench.reports.findings.gather import gather_findings
from fbench.reports.findings.overview.without_result import NetworkWithoutResult
from fbench.reports.render.html.build import build_report
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.read_page import Page

RECIPE = Recipe()
NO_SE = [("ires_no_se", seed) for seed in RECIPE.seeds]
REASON = "failed: the loss became NaN at step 17"  # as the recipe has it


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [
        (replace(RECIPE, failed=NO_SE), REASON),
        (replace(RECIPE, missing=NO_SE), "not run yet"),
        (replace(RECIPE, failed=NO_SE[:2], missing=NO_SE[2:]), f"{REASON}; 1 not run yet"),
    ],
)
def test_the_reason_is_that_of_its_trainings(tmp_path: Path, recipe: Recipe, reason: str) -> None:
    found = gather_findings([fabricate_run(tmp_path / "run", recipe)]).data_sections[0].overview
    assert found.without_result == (NetworkWithoutResult("ires_no_se", reason),)


def test_one_training_that_finished_is_a_result(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", replace(RECIPE, failed=NO_SE[:2]))
    assert gather_findings([run]).data_sections[0].overview.without_result == ()


@pytest.mark.slow
def test_the_forest_and_the_summary_name_it(tmp_path: Path) -> None:
    page = Page(build_report([fabricate_run(tmp_path / "run", replace(RECIPE, failed=NO_SE))]))
    quality = next(table for table in page.tables if table.caption.startswith("Quality"))
    row = next(row for row in quality.rows if row[0].startswith("ires_no_se"))
    assert REASON in row[0]
    assert len(row) == len(quality.row("ires"))
