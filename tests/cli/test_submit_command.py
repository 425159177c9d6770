"""``fbench submit``, its check, ``fbench leaderboard`` and ``fbench doctor --record``, as they are typed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from bundled_run import a_trial, change, make_run, seal_again
from once import made_once
from support import use_stripes
from typer.testing import CliRunner

from fbench.cli.app import app
from fbench.core.errors import UserError


@pytest.fixture
def run(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(made_once(tmp_path_factory, "bundled-run", make_run), tmp_path / "run"))


@pytest.fixture
def bundle(run: Path) -> Path:
    assert typed("submit", run, "--to", run.parent / "bundle")[0] == 0
    return run.parent / "bundle"


def typed(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(result.exception, UserError):
        return 2, str(result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


def test_a_run_is_submitted_and_its_bundle_passes(run: Path) -> None:
    to = run.parent / "bundle"
    assert typed("submit", run, "--to", to) == (0, f"{to}: passes: 4 trials of 2 networks; repeated: no.\n")
    assert typed("submit", "--check", to) == (0, f"{to}: passes: 4 trials of 2 networks; repeated: no.\n")
    assert typed("submit", "--check", to.parent / "bundle", "--json")[0] == 0


def test_a_bundle_that_does_not_pass_is_a_gate_that_failed(bundle: Path) -> None:
    change(a_trial(bundle) / "record.json", lambda record: record["test"].update(top1=0.99))
    seal_again(bundle)
    (bundle / "face.png").write_bytes(b"")
    code, said = typed("submit", "--check", bundle)
    assert code == 1
    assert said.splitlines()[0] == f"{bundle}: face.png is no file that a bundle may have; remove it"
    assert f"{bundle}: trials/{a_trial(bundle).name}/record.json says top1 0.99, and the predictions have" in said
    assert said.splitlines()[-1] == f"{bundle}: fails with 2 problems."


def test_every_bundle_of_a_folder_is_checked_and_the_sound_ones_said_so(bundle: Path, tmp_path: Path) -> None:
    community = tmp_path / "community"
    shutil.copytree(bundle, community / "good")
    (community / "lacking").mkdir()
    code, said = typed("submit", "--check", community, "--json")
    found: list[dict[str, Any]] = json.loads(said)
    assert code == 1
    assert [(Path(one["bundle"]).name, one["passes"]) for one in found] == [("good", True), ("lacking", False)]
    assert found[1]["findings"] == [
        {"file": "submission.json", "text": "is not valid (it is missing)", "is_problem": True}
    ]
    assert found[0]["facts"]["trials"] == 4
    assert found[0]["by"] == ""


def test_control_characters_of_a_bundle_reach_a_terminal_as_text(bundle: Path) -> None:
    change(bundle / "plan.json", lambda rows: rows[0].update(network="\x1b[31mred"))
    seal_again(bundle)
    assert "\x1b" not in typed("submit", "--check", bundle)[1]


def test_who_submits_is_kept_where_it_is_given(run: Path) -> None:
    assert typed("submit", run, "--to", run.parent / "b", "--by", "A lab")[0] == 0
    assert json.loads((run.parent / "b" / "submission.json").read_text())["by"] == "A lab"
    code, said = typed("submit", run, "--to", run.parent / "c", "--by", "anna@example.org")
    assert code == 2
    assert "submission.json holds an address of a person or machine: anna@example.org" in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run"], "takes one run and --to DIR"),
        (["run", "run", "--to", "x"], "takes one run and --to DIR"),
        (["run", "--check", "--to", "x"], "--check goes with none of --to"),
        (["run", "--check"], "is a run and no bundle"),
        (["absent", "--check"], "is no bundle and holds none"),
        (["absent", "--to", "x"], "is not a run folder"),
        (["run", "--to", "run/run.json"], "cannot be written to"),
    ],
)
def test_what_was_given_wrongly_is_one_sentence(
    run: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str
) -> None:
    monkeypatch.chdir(run.parent)
    code, said = typed("submit", *words)
    assert code == 2
    assert sentence in said


def test_a_run_that_a_report_would_refuse_is_refused(run: Path) -> None:
    change(a_trial(run) / "record.json", lambda record: record["machine"]["versions"].update(torch="2.1.0"))
    code, said = typed("submit", run, "--to", run.parent / "bundle")
    assert code == 2
    assert "trials that were not made alike cannot be compared (PyTorch is 2" in said
    assert not (run.parent / "bundle").exists()


def test_a_leaderboard_is_written_printed_or_given_as_json(bundle: Path, tmp_path: Path) -> None:
    page = tmp_path / "board.html"
    assert typed("leaderboard", bundle, "-o", page) == (0, f"{page}\n")
    assert "stripes, fbench@1" in page.read_text(encoding="utf-8")
    code, said = typed("leaderboard", bundle)
    assert code == 0
    assert "lenet5" in said
    assert "nothing is tested: the preset smoke" in said
    (board,) = json.loads(typed("leaderboard", bundle, "--json")[1])["boards"]
    assert {row["network"] for row in board["networks"]} == {"lenet5", "narrow"}
    assert [row["place"] for row in board["networks"]] == [1, 2]
    assert board["networks"][0]["repeated"] == {"trials": 2, "same": 0, "other": 0}


def test_a_leaderboard_goes_where_a_page_can(bundle: Path, tmp_path: Path) -> None:
    assert "give a name that ends in .html" in typed("leaderboard", bundle, "-o", tmp_path / "board.pdf")[1]
    assert "cannot be written to" in typed("leaderboard", bundle, "-o", bundle / "run.json" / "board.html")[1]
    (bundle / "plan.json").unlink()
    code, said = typed("leaderboard", bundle)
    assert code == 2
    assert "does not pass fbench submit --check (plan.json is missing); leave it out, or mend it" in said


def test_a_repetition_is_recorded_and_then_the_bundle_says_yes(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_stripes(monkeypatch)
    against = ["doctor", "--determinism", "lenet5:0", "--against", bundle, "--device", "cpu"]
    assert typed(*against)[0] == 0
    assert not (bundle / "repetitions").exists()
    assert typed(*against, "--record", "--by", "A lab")[0] == 0
    code, said = typed("submit", "--check", bundle)
    assert (code, said.splitlines()[-1]) == (0, f"{bundle}: passes: 4 trials of 2 networks; repeated: yes, 1 of 4.")
    (found,) = json.loads(typed("submit", "--check", bundle, "--json")[1])
    assert [(one["by"], one["is_same"]) for one in found["repetitions"]] == [("A lab", True)]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--against", "run", "--determinism", "lenet5", "--record"], "run is no bundle"),
        (["--determinism", "lenet5", "--record"], "want trials to repeat"),
        (["--determinism", "lenet5", "--by", "me"], "--by names who repeated a trial, and goes with --record"),
    ],
)
def test_only_a_bundle_keeps_repetitions(
    run: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str
) -> None:
    monkeypatch.chdir(run.parent)
    code, said = typed("doctor", *words)
    assert code == 2
    assert sentence in said
