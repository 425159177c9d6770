"""Runs of strangers: nothing outside their folder is read or written by what opens them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fbench.benchmark.store.run_folder import RunFolder
from fbench.cli.app import app
from fbench.core.errors import UserError
from tests.reports.fabricated_run import Recipe, fabricate_run

pytestmark = pytest.mark.usefixtures("unpainted")


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return fabricate_run(tmp_path / "run", Recipe(seeds=(0,), images=40)).folder


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    (tmp_path / "victim").mkdir()
    for name in ("summary.csv", "report.html", "index.csv", "file"):
        (tmp_path / "victim" / name).write_text("precious")
    return tmp_path / "victim"


def told(*arguments: str) -> str:
    """The sentence of a command that refuses."""
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, UserError), (result.output, result.exception)
    return str(result.exception)


@pytest.mark.parametrize("name", ["report.html", "summary.csv", "trials.csv"])
def test_a_report_writes_through_no_link(run: RunFolder, victim: Path, name: str) -> None:
    (run.path / name).symlink_to(victim / "file")
    assert "is a link" in told("report", str(run.path))
    assert (victim / "file").read_text() == "precious"


def test_figures_and_tables_within_a_run_follow_no_link(run: RunFolder, victim: Path) -> None:
    (run.path / "inside").symlink_to(victim)
    assert "is a link" in told("report", str(run.path), "--format", "csv", "-o", str(run.path / "inside"))
    assert "is a link" in told("report", str(run.path), "--figures", str(run.path / "inside" / "figures"))
    assert "is a link" in told("report", str(run.path), "-o", str(run.path / "x" / ".." / "inside" / "report.html"))
    assert {file.read_text() for file in victim.iterdir()} == {"precious"}


def test_records_are_read_through_no_link(run: RunFolder, victim: Path) -> None:
    trial = run.trial_folder(run.trial_ids()[0])
    trial.rename(victim / "trial")
    trial.symlink_to(victim / "trial")
    for command in ("report", "status"):
        assert "is a link" in told(command, str(run.path))


@pytest.mark.parametrize("file", ["run.json", "plan.json", "test_readings.jsonl", "costs", "networks", "trials"])
def test_no_part_of_a_run_may_be_a_link(run: RunFolder, victim: Path, file: str) -> None:
    target = run.path / file
    if target.exists():
        target.rename(victim / "moved")
    target.symlink_to(victim / "moved")
    result = CliRunner().invoke(app, ["report", str(run.path), "-o", str(victim.parent / "page.html")])
    page = victim.parent / "page.html"
    if result.exception is None:  # what a report can do without is left out of it, and told
        assert "is a link" in page.read_text(encoding="utf-8")
    else:
        assert "is a link" in str(result.exception)


def test_a_plan_leads_to_no_trial_outside(run: RunFolder) -> None:
    plan = json.loads((run.path / "plan.json").read_text(encoding="utf-8"))
    plan[0]["trial_id"] = "../../victim"
    (run.path / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    for command in ("report", "status"):
        result = CliRunner().invoke(app, [command, str(run.path)])
        assert result.exception is None or "no plain name" in str(result.exception)


def test_trials_of_another_run_bring_no_linked_file(run: RunFolder, tmp_path: Path) -> None:
    trial_id = run.trial_ids()[0]
    (run.trial_folder(trial_id) / "notes.txt").symlink_to("/etc/passwd")
    other = RunFolder(tmp_path / "other")
    with pytest.raises(UserError, match=r"notes\.txt is a link"):
        other.take_trial(run, trial_id)
    assert other.trial_ids() == []
    assert list(tmp_path.glob("other/**/notes.txt")) == []


def test_an_export_stays_in_the_run(run: RunFolder, victim: Path) -> None:
    trial_id = run.trial_ids()[0]
    (run.path / "exports").symlink_to(victim)
    assert "exports is a link" in told("export", str(run.path), trial_id, "--to", "onnx")
    file = run.trial_folder(trial_id) / "record.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    record["spec"]["network"]["name"] = "../../x"
    file.write_text(json.dumps(record), encoding="utf-8")
    assert "names no file; name one with --output" in told("export", str(run.path), trial_id, "--to", "onnx")


def test_the_run_itself_may_be_reached_by_a_link(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(run.path)
    assert CliRunner().invoke(app, ["status", str(tmp_path / "alias")]).exception is None


def change_record(run: RunFolder, trial_id: str, *keys: str, value: object) -> None:
    file = run.trial_folder(trial_id) / "record.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    place = record
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    file.write_text(json.dumps(record), encoding="utf-8")


def test_status_refuses_the_record_that_a_report_refuses(run: RunFolder) -> None:
    change_record(run, run.trial_ids()[0], "test", "top1", value=0.99)
    for command in ("report", "status"):
        assert "the predictions beside it have" in told(command, str(run.path))


def test_status_tells_what_a_report_would_leave_out(run: RunFolder) -> None:
    (run.trial_folder(run.trial_ids()[0]) / "predictions.npz").unlink()
    result = CliRunner().invoke(app, ["status", str(run.path)])
    assert result.exit_code == 0
    assert "Left out: seed 0 of" in result.stderr


def test_escapes_of_a_terminal_are_shown_and_not_passed_on(run: RunFolder) -> None:
    trial_id = run.trial_ids()[0]
    change_record(run, trial_id, "status", value="failed")
    change_record(run, trial_id, "failure_reason", value="\x1b]0;mine\x07")
    result = CliRunner().invoke(app, ["status", str(run.path)])
    assert "\x1b]" not in result.output
    assert "\\x1b]0;" in result.output


def test_tables_hold_no_formula_and_numbers_stay_numbers(run: RunFolder) -> None:
    trial_id = run.trial_ids()[0]
    change_record(run, trial_id, "status", value="failed")
    change_record(run, trial_id, "failure_reason", value='=HYPERLINK("http://x")')
    assert CliRunner().invoke(app, ["report", str(run.path)]).exception is None
    trials = (run.path / "trials.csv").read_text(encoding="utf-8")
    assert "\"'=HYPERLINK" in trials
    summary = (run.path / "summary.csv").read_text(encoding="utf-8")
    assert "'-" not in summary
