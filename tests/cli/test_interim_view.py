from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fbench.benchmark.records.interim_analyses import InterimAnalyses, InterimAnalysis
from fbench.cli.app import app
from fbench.cli.interim_view import analysis_lines
from tests.reports.fabricated_run import Recipe, fabricate_run

OPEN = InterimAnalysis(
    study="activation",
    network="ires_relu",
    baseline="ires",
    data="fer2013",
    seeds=5,
    pairs=5,
    different_level=1e-4,
    equivalent_level=1e-3,
    estimate=0.012,
    low=-0.01,
    high=0.034,
    p_value=0.04,
    p_equivalent=0.5,
    chance_to_decide=0.42,
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "open; 42 % chance that the last interim analysis decides"),
        ({"state": "decided", "verdict": "better"}, ", better"),
        ({"state": "futile"}, "given up: the seeds still allowed would hardly decide it"),
        ({"state": "last analysis"}, "undecided at the last interim analysis"),
        ({"estimate": None, "pairs": 1}, "1 pair of finished trials, which say nothing"),
    ],
)
def test_each_state_has_its_words(changes: dict[str, object], words: str) -> None:
    first, last = analysis_lines([OPEN.model_copy(update=changes)])
    assert first.startswith("interim analysis at 5 seeds: ires_relu against ires on fer2013: ")
    assert first.endswith(words)
    assert (last == "1 comparison of 1 still open.") == (changes.get("state", "open") == "open")


def test_status_shows_the_latest_analysis_at_each_comparison(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(images=40, with_cost=False))
    later = OPEN.model_copy(update={"seeds": 10, "state": "decided", "verdict": "worse"})
    run.folder.write_interim_analyses(InterimAnalyses(max_seeds=20, analyses=(OPEN, later)))
    shown = CliRunner().invoke(app, ["status", str(run.folder.path)]).output
    assert "interim analysis at 10 seeds: ires_relu against ires on fer2013" in shown
    assert "interim analysis at 5 seeds" not in shown
    found = json.loads(CliRunner().invoke(app, ["status", str(run.folder.path), "--json"]).output)
    assert [analysis["seeds"] for analysis in found["interim_analyses"]] == [10]


@pytest.mark.usefixtures("unpainted")
def test_a_report_may_control_the_false_discovery_rate(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(images=40, with_cost=False))
    page = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["report", str(run.folder.path), "-o", str(page), "--correction", "fdr"])
    assert done.exit_code == 0, done.output
    assert page.exists()
