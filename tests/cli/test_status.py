"""What is told of a run: what a report refuses, and what is kept of a trial that failed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fbench.benchmark.store.run_folder import RunFolder
from fbench.cli.app import app
from tests.reports.fabricated_run import Recipe, fabricate_run

runner = CliRunner()


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run in which one trial failed."""
    folder = fabricate_run(tmp_path / "run", Recipe(seeds=(0,), images=40)).folder
    row = folder.plan()[0]
    file = folder.trial_folder(row.trial_id) / "record.json"
    values = json.loads(file.read_text()) | {"status": "failed", "failure_reason": "RuntimeError: boom"}
    file.write_text(json.dumps(values))
    (file.parent / "failure.txt").write_text("Traceback: line 1\nRuntimeError: boom\n--- log\nsaid \x1b[31m\n")
    return folder


@pytest.mark.parametrize("by", ["name", "id", "first digits"])
def test_the_traceback_and_log_of_a_failed_trial_are_shown(run: RunFolder, by: str) -> None:
    row = run.plan()[0]
    given = {"name": f"{row.network}:{row.seed}", "id": row.trial_id, "first digits": row.trial_id[:10]}[by]
    result = runner.invoke(app, ["status", str(run.path), "--log", given])
    assert result.stdout.splitlines() == [
        f"{row.network} on {row.data}, seed {row.seed} failed: RuntimeError: boom",
        *("Traceback: line 1", "RuntimeError: boom", "--- log", r"said \x1b[31m"),
    ]


def test_a_program_gets_them_as_they_are(run: RunFolder) -> None:
    trial_id = run.plan()[0].trial_id
    found = json.loads(runner.invoke(app, ["status", str(run.path), "--log", trial_id, "--json"]).stdout)
    assert (found["trial"], found["failure_reason"]) == (trial_id, "RuntimeError: boom")
    assert found["log"].endswith("said \x1b[31m\n")


def test_a_finished_trial_has_none_and_an_unknown_one_is_named(run: RunFolder) -> None:
    other = run.plan()[1]
    said = runner.invoke(app, ["status", str(run.path), "--log", other.trial_id]).stdout
    assert "finished; only of failed trials a log is kept" in said
    assert "no trial 'nobody'" in str(runner.invoke(app, ["status", str(run.path), "--log", "nobody"]).exception)


@pytest.mark.parametrize("name", ["test_readings.jsonl", "inputs/given.json", "plan.json"])
def test_what_a_report_refuses_status_refuses_in_one_sentence(tmp_path: Path, name: str) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(seeds=(0,), images=40)).folder
    (run.path / name).parent.mkdir(exist_ok=True)
    (run.path / name).write_text("damaged")
    said = [str(runner.invoke(app, [command, str(run.path)]).exception) for command in ("status", "report")]
    assert said[0] == said[1]
    assert said[0].startswith(f"{run.path / name} does not hold a valid record (Expecting value")
    assert said[0].count("does not hold") == 1
