"""The tune command, and how run and its dry run tell of searches, as a person types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fbench.cli.app import app
from fbench.core.errors import UserError

pytestmark = pytest.mark.usefixtures("faces_at_hand")

PROTOCOL = """
extends = "fbench"
name = "mine"
[tuning]
rates = [1.0, 0.5]
strengths = [{ name = "default" }]
rungs = [{ share = 1.0 }]
"""
SUITE = """
name = "one"
title = "One network"
[[studies]]
name = "one"
title = "One network"
question = "Does it learn?"
baseline = "lenet5"
levels = ["lenet5"]
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mine.toml").write_text(PROTOCOL, encoding="utf-8")
    (tmp_path / "one.toml").write_text(SUITE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return done.output


SEARCH = ("--suite", "one.toml", "--protocol", "mine.toml", "--preset", "smoke", "--jobs", "1", "--device", "cpu")


def test_searches_are_made_once_and_kept_in_a_table(place: Path) -> None:
    said = typed("tune", *SEARCH, "--out", "found")
    assert said.startswith("Searches: 1, of them 0 done.\n1 search for settings comes first")
    assert "2 trainings and 512 image passes each, as much as 2 trials" in said
    assert "searching settings, round 1, 2 trainings: lenet5 on synthetic" in said
    assert "lenet5, rate 0.004, weight decay 0.02: " in said
    assert said.rstrip().endswith(f"1 search in {Path('found') / 'synthetic-mine-256passes.json'}")
    assert (place / "found" / "synthetic-mine-256passes.csv").is_file()
    again = typed("tune", *SEARCH, "--out", "found")
    assert again.startswith("Searches: 1, of them 1 done.\n1 search in")


def test_searches_for_which_time_is_too_short_are_refused(place: Path) -> None:
    done = CliRunner().invoke(app, ["tune", *SEARCH, "--out", "found", "--time-budget", "15s"])
    assert isinstance(done.exception, UserError)
    assert "--time-budget: of 15 s, 0 s are left for trials" in str(done.exception)
    assert not list((place / "found").rglob("trial.json"))


def test_a_dry_run_says_what_the_searches_would_cost_and_makes_none(place: Path) -> None:
    for command in (("tune", *SEARCH, "--dry-run"), ("run", *SEARCH, "--seeds", "2", "--dry-run")):
        said = typed(*command, "--out", "nothing")
        assert "1 search for settings comes first, as none that was kept fits: 2 trainings" in said
        assert not (place / "nothing").exists()


@pytest.mark.slow
def test_the_shipped_search_of_the_embedded_faces_is_made_by_nobody_again(place: Path) -> None:
    said = typed("run", "--protocol", "fbench_tuned", "--only", "kernel", "--device", "cpu", "--dry-run")
    assert "Trials: 22, of them 0 done" in said
    assert "for settings" not in said


@pytest.mark.slow
def test_tune_takes_what_comes_with_fbench_as_done(place: Path) -> None:
    said = typed("tune", "--suite", "ablations", "--device", "cpu", "--dry-run")
    assert said == "Searches: 16, of them 16 done.\n"


def test_a_protocol_without_a_search_is_one_sentence(place: Path) -> None:
    done = CliRunner().invoke(app, ["tune", "--suite", "one.toml", "--protocol", "fbench", "--preset", "smoke"])
    assert "has no [tuning], so there is nothing to search" in str(done.exception)
