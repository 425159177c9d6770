"""``fbench report`` writes a page and two tables, prints the page's path last, and tells bad input in a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fbench.cli.report import report_command
from fbench.core.errors import UserError
from tests.reports.fabricated_run import Recipe, fabricate_run

pytestmark = pytest.mark.usefixtures("unpainted")

app = typer.Typer()
app.command()(report_command)


def test_report_lies_in_the_run_with_its_tables(tmp_path: Path) -> None:
    fabricate_run(tmp_path / "run", Recipe(accuracy={"ires": 0.6}, seeds=(0,), images=40))
    result = CliRunner().invoke(app, [str(tmp_path / "run")], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == str(tmp_path / "run" / "report.html")
    assert all((tmp_path / "run" / name).is_file() for name in ("report.html", "summary.csv", "trials.csv"))


def test_output_and_title_are_taken(tmp_path: Path) -> None:
    fabricate_run(tmp_path / "run", Recipe(accuracy={"ires": 0.6}, seeds=(0,), images=40))
    arguments = [str(tmp_path / "run"), "-o", str(tmp_path / "out" / "page.html"), "--title", "My networks"]
    assert CliRunner().invoke(app, arguments, catch_exceptions=False).exit_code == 0
    assert '<h1 id="answer">My networks</h1>' in (tmp_path / "out" / "page.html").read_text(encoding="utf-8")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["page.html"]


def test_a_file_that_is_no_page_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("precious", encoding="utf-8")
    with pytest.raises(UserError, match=r"ends in \.html"):
        CliRunner().invoke(app, [str(tmp_path), "-o", str(tmp_path / "mine.py")], catch_exceptions=False)
    assert (tmp_path / "mine.py").read_text(encoding="utf-8") == "precious"


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is not a run folder .*run\.json"):
        CliRunner().invoke(app, [str(tmp_path)], catch_exceptions=False)


def test_watching_writes_again_when_trials_end_and_stops_when_all_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(accuracy={"ires": 0.6, "ires_relu": 0.5}, seeds=(0, 1), images=40)
    whole = fabricate_run(tmp_path / "whole", recipe)
    partial = fabricate_run(tmp_path / "run", replace(recipe, missing=(("ires_relu", 0), ("ires_relu", 1))))
    late = [row.trial_id for row in partial.missing()]
    page, seen = tmp_path / "page.html", []

    def sleep(_: float) -> None:
        seen.append(page.read_text(encoding="utf-8"))
        if late:
            partial.folder.take_trial(whole.folder, late.pop())

    monkeypatch.setattr("fbench.cli.report_live.time.sleep", sleep)
    result = CliRunner().invoke(app, [str(tmp_path / "run"), "-o", str(page), "--watch", "--every", "3"])
    assert result.exit_code == 0, result.output
    assert ["2 of 4 trials have ended" in line for line in result.output.splitlines()] == [True, False, False]
    assert "3 of 4 trials have ended" in result.output
    assert all('http-equiv="refresh" content="3"' in text for text in seen)
    assert 'http-equiv="refresh"' not in page.read_text(encoding="utf-8")


def test_interrupted_watching_leaves_a_page_that_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(accuracy={"ires": 0.6}, seeds=(0, 1), images=40, missing=(("ires", 1),))
    fabricate_run(tmp_path / "run", recipe)

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fbench.cli.report_live.time.sleep", interrupted)
    page = tmp_path / "page.html"
    result = CliRunner().invoke(app, [str(tmp_path / "run"), "-o", str(page), "--watch"])
    assert result.exit_code == 0, result.output
    assert 'http-equiv="refresh"' not in page.read_text(encoding="utf-8")


def test_the_theme_can_be_chosen(tmp_path: Path) -> None:
    fabricate_run(tmp_path / "run", Recipe(accuracy={"ires": 0.6}, seeds=(0,), images=40))
    page = tmp_path / "page.html"
    assert CliRunner().invoke(app, [str(tmp_path / "run"), "-o", str(page), "--theme", "dark"]).exit_code == 0
    assert 'data-theme="dark"' in page.read_text(encoding="utf-8")
