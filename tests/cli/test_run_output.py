"""``fbench run`` for a program and for one in a hurry."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from coarse_fbench import leave_cost_out
from support import make_stripes
from typer.testing import CliRunner, Result

import fbench
from fbench.benchmark.data import loaded
from fbench.cli.app import app

runner = CliRunner()
pytestmark = pytest.mark.usefixtures("unpainted")


@pytest.fixture(autouse=True)
def tiny_data(monkeypatch: pytest.MonkeyPatch) -> None:
    stripes = make_stripes()
    monkeypatch.setattr("fbench.benchmark.runs.planning.load_dataset", lambda reference: stripes)
    monkeypatch.setattr(loaded, "_load_once", lambda reference: stripes)
    leave_cost_out(monkeypatch)


def run(folder: Path, *arguments: str) -> Result:
    usual = ("--preset", "smoke", "--jobs", "1", "--out", str(folder / "run"))
    return runner.invoke(app, ["run", *arguments, *usual], standalone_mode=False)


@pytest.mark.slow
def test_a_program_gets_a_line_a_trial_and_a_last_one_with_paths(tmp_path: Path) -> None:
    result = run(tmp_path, "--arch", "lenet5", "--arch", "ires_no_se", "--json")
    *trials, last = [json.loads(line) for line in result.stdout.splitlines()]
    table = fbench.load_run(tmp_path / "run")
    assert {one["trial"]: one["test_top1"] for one in trials} == {
        trial_id: record.test.top1 for trial_id, record in table.trials.items() if record.test
    }
    assert {one["network"] for one in trials} == {"lenet5", "ires_no_se"}
    assert (last["finished"], last["failed"]) == (2, 0)
    assert (last["run"], last["report"]) == (str(tmp_path / "run"), str(tmp_path / "run" / "report.html"))
    assert "First" in last["answer"]["stripes"]


def test_one_in_a_hurry_gets_the_path(tmp_path: Path) -> None:
    result = run(tmp_path, "--arch", "lenet5", "-q")
    assert result.stdout == f"{tmp_path / 'run' / 'report.html'}\n"


def test_whoever_wants_to_see_more_gets_a_line_for_each_evaluation(tmp_path: Path) -> None:
    result = run(tmp_path, "--arch", "lenet5", "-v")
    table = fbench.load_run(tmp_path / "run")
    (record,) = table.trials.values()
    assert record.test is not None
    assert record.validation is not None
    lines = [line for line in result.stdout.splitlines() if "lenet5 on stripes, seed 0" in line]
    assert f"validation {100 * record.validation.top1:.1f} %, loss {record.validation.loss:.3f}" in lines[0]
    assert lines[1].startswith(f"[1/1] lenet5 on stripes, seed 0: {100 * record.test.top1:.1f} %")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("-q", "--json"), "--quiet and --json were both given"),
        (("-q", "-v"), "--quiet and --verbose were both given"),
        (("--json", "--verbose"), "--verbose and --json were both given"),
    ],
)
def test_two_at_once_are_refused(options: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    assert sentence in str(run(tmp_path, "--arch", "lenet5", *options).exception)


def test_wildcards_stand_for_many_networks(tmp_path: Path) -> None:
    result = run(tmp_path, "--arch", "ires_no_*", "--dry-run")
    assert "ires_no_se" in result.stdout
    assert "ires_no_residual" in result.stdout
    assert "No architecture matches 'lanet*'" in str(run(tmp_path, "--arch", "lanet*").exception)


def test_the_package_is_a_program() -> None:
    done = subprocess.run([sys.executable, "-m", "fbench", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"fbench {fbench.__version__}\n"
