"""The files of a run against their hashes, and what is put right."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fbench.benchmark.store.run_check import CheckedFile, check_run
from fbench.benchmark.store.run_folder import RunFolder
from fbench.cli.app import app
from fbench.core.errors import UserError
from tests.reports.fabricated_run import Recipe, fabricate_run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "run"
    fabricate_run(folder, Recipe(seeds=(0,), images=40))
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(made, tmp_path / "run")))


def found_in(run: RunFolder) -> list[CheckedFile]:
    return list(check_run(run).found)


def test_a_whole_run_is_whole_and_every_file_has_a_hash(run: RunFolder) -> None:
    check = check_run(run)
    assert (check.found, check.without_hash, check.is_whole) == ((), 0, True)
    files = [file for file in run.path.rglob("*") if file.is_file() and file.name != "sha256.json"]
    assert check.whole == len(files)


def overwrite(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:10])


@pytest.mark.parametrize("damage", [overwrite, cut])
@pytest.mark.parametrize("name", ["record.json", "predictions.npz", "history.csv"])
def test_a_damaged_trial_is_moved_aside_and_runs_again(
    run: RunFolder, damage: Callable[[Path], None], name: str
) -> None:
    trial_id = run.trial_ids()[0]
    damage(run.trial_folder(trial_id) / name)
    (one,) = found_in(run)
    assert (one.file, one.outcome) == (f"trials/{trial_id}", "repaired")
    assert not run.has_record(trial_id)
    assert (run.path / "damaged" / f"trials-{trial_id}-0" / name).is_file()
    assert found_in(run) == []


class ShortHash:
    """A hash that somebody's file of holes, which takes an hour to read, is not to reach."""

    def __init__(self) -> None:
        self._hash, self._bytes = hashlib.new("sha256"), 0

    def update(self, block: bytes) -> None:
        self._bytes += len(block)
        assert self._bytes < 2**26
        self._hash.update(block)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


@pytest.mark.parametrize("name", ["record.json", "predictions.npz", "history.csv", "logits.npz", "weights.safetensors"])
def test_a_file_of_holes_is_not_read(run: RunFolder, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hashlib.sha256", ShortHash)
    trial = run.trial_folder(run.trial_ids()[0])
    with (trial / name).open("ab") as stream:
        stream.truncate(2**40)
    kept = json.loads((trial / "sha256.json").read_text())
    (trial / "sha256.json").write_text(json.dumps(kept | {name: "0" * 64}))
    (one,) = found_in(run)
    assert one.outcome == "repaired"
    assert run.has_record(trial.name) == (name in {"logits.npz", "weights.safetensors"})


def test_a_trial_that_lacks_its_predictions_is_moved_aside(run: RunFolder) -> None:
    trial = run.trial_ids()[0]
    (run.trial_folder(trial) / "predictions.npz").unlink()
    (found,) = check_run(run).found
    assert (found.wrong, found.outcome) == ("predictions.npz is missing", "repaired")
    assert trial not in run.trial_ids()


@pytest.mark.parametrize("name", ["logits.npz", "weights.safetensors"])
def test_damaged_logits_or_weights_cost_no_trial(run: RunFolder, name: str) -> None:
    trial_id = run.trial_ids()[0]
    hashes = run.trial_folder(trial_id) / "sha256.json"
    hashes.write_text(json.dumps(json.loads(hashes.read_text()) | {name: "0" * 64}))
    (run.trial_folder(trial_id) / name).write_bytes(b"other")
    assert [(one.file, one.outcome) for one in found_in(run)] == [(f"trials/{trial_id}/{name}", "repaired")]
    assert run.has_record(trial_id)
    assert [(one.file, one.outcome) for one in found_in(run)] == [(f"trials/{trial_id}/{name}", "note")]


def test_a_plan_is_made_anew_of_the_records(run: RunFolder) -> None:
    before = run.plan()
    cut(run.path / "plan.json")
    (one,) = found_in(run)
    assert (one.file, one.outcome) == ("plan.json", "repaired")
    assert sorted(run.plan(), key=str) == sorted(before, key=str)


def test_a_changed_file_that_is_valid_is_told_and_left(run: RunFolder) -> None:
    config = json.loads((run.path / "run.json").read_text(encoding="utf-8"))
    (run.path / "run.json").write_text(json.dumps(config | {"name": "other"}), encoding="utf-8")
    (one,) = found_in(run)
    assert (one.file, one.outcome) == ("run.json", "problem")
    result = CliRunner().invoke(app, ["doctor", str(run.path)])
    assert result.exit_code == 1
    assert "run.json is valid, and not what was written" in result.output


def test_damaged_costs_readings_and_leftovers_are_moved_aside(run: RunFolder) -> None:
    (cost,) = (run.path / "costs").iterdir()
    cut(cost)
    cut(run.path / "test_readings.jsonl")
    (run.path / "trials" / ".writing-1").mkdir()
    assert {one.file for one in found_in(run)} == {
        *(f"costs/{cost.name}", "test_readings.jsonl", "trials/.writing-1"),
    }
    assert found_in(run) == []


def test_a_run_of_before_has_no_hashes_and_is_checked_by_its_form(run: RunFolder) -> None:
    for file in run.path.rglob("sha256.json"):
        file.unlink()
    check = check_run(run)
    assert (check.whole, check.found) == (0, ())
    assert check.without_hash > 0
    cut(run.trial_folder(run.trial_ids()[0]) / "record.json")
    assert len(found_in(run)) == 1


def test_nothing_is_said_of_a_run_without_its_configuration(run: RunFolder) -> None:
    cut(run.path / "run.json")
    with pytest.raises(UserError, match=r"run\.json does not hold a valid record"):
        check_run(run)


def test_a_link_in_a_run_is_not_followed(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    (run.path / "damaged").symlink_to(tmp_path / "victim")
    cut(run.trial_folder(run.trial_ids()[0]) / "record.json")
    with pytest.raises(UserError, match="damaged is a link"):
        check_run(run)
    assert list((tmp_path / "victim").iterdir()) == []


def test_json_says_all(run: RunFolder) -> None:
    found = json.loads(CliRunner().invoke(app, ["doctor", str(run.path), "--json"]).output)
    assert (found["is_whole"], found["found"]) == (True, [])


@pytest.fixture
def tuned(tmp_path: Path) -> RunFolder:
    """A run with searches for settings, one of whose trials lies with them."""
    table = fabricate_run(tmp_path / "tuned", Recipe(seeds=(0,), images=40, tuning="once"))
    searching, trial_id = table.folder.searching, table.folder.trial_ids()[0]
    searching.take_trial(table.folder, trial_id)
    hashes = json.loads((searching.trial_folder(trial_id) / "sha256.json").read_text())
    hashes["weights.safetensors"] = "0" * 64  # a search keeps none
    (searching.trial_folder(trial_id) / "sha256.json").write_text(json.dumps(hashes))
    return table.folder


def test_searches_and_their_trials_are_checked_too(tuned: RunFolder) -> None:
    check = check_run(tuned)
    assert (check.found, check.without_hash) == ((), 0)
    files = [file for file in tuned.path.rglob("*") if file.is_file() and file.name != "sha256.json"]
    assert check.whole == len(files)


@pytest.mark.parametrize("damage", [overwrite, cut])
def test_what_is_damaged_of_searches_is_moved_to_the_damaged_files_of_the_run(
    tuned: RunFolder, damage: Callable[[Path], None]
) -> None:
    trial_id = tuned.searching.trial_ids()[0]
    search = next(file for file in (tuned.path / "tuning" / "searches").iterdir() if file.name != "sha256.json")
    (tuned.path / "tuning" / "trials" / ".writing-1").mkdir()
    damage(tuned.searching.trial_folder(trial_id) / "record.json")
    cut(search)
    found = found_in(tuned)
    assert sorted(one.file for one in found) == sorted(
        ["tuning/trials/.writing-1", f"tuning/searches/{search.name}", f"tuning/trials/{trial_id}"]
    )
    assert {one.outcome for one in found} == {"repaired"}
    assert len(list((tuned.path / "damaged").iterdir())) == 3
    assert not search.exists()
    assert not tuned.searching.trial_folder(trial_id).exists()
    assert found_in(tuned) == []


def test_a_search_that_somebody_changed_is_told(tuned: RunFolder) -> None:
    search = next(file for file in (tuned.path / "tuning" / "searches").iterdir() if file.name != "sha256.json")
    search.write_text(search.read_text().replace('"top1": 0.3', '"top1": 0.4'))
    (one,) = found_in(tuned)
    assert (one.file, one.outcome) == (f"tuning/searches/{search.name}", "problem")


@pytest.mark.parametrize("name", ["trials", "costs", "networks", "data", "inputs", "checkpoints"])
def test_a_file_in_the_place_of_a_folder_is_moved_aside(run: RunFolder, name: str) -> None:
    shutil.rmtree(run.path / name, ignore_errors=True)
    (run.path / name).touch()
    found = [one for one in found_in(run) if one.file == name]
    assert [(one.wrong, one.outcome) for one in found] == [("is no folder", "repaired")]
    assert not (run.path / name).is_file()


@pytest.mark.parametrize("content", [None, "{", '{"../../x": "%s"}' % ("a" * 64), "[1]"])
@pytest.mark.parametrize("of_trial", [False, True])
def test_hashes_that_cannot_be_read_are_moved_aside_and_the_rest_is_checked(
    run: RunFolder, of_trial: bool, content: str | None
) -> None:
    file = (run.trial_folder(run.trial_ids()[0]) if of_trial else run.path) / "sha256.json"
    file.unlink()
    if content is None:
        file.mkdir()
    else:
        file.write_text(content)
    (one,) = found_in(run)
    assert (one.file, one.wrong, one.outcome) == (str(file.relative_to(run.path)), "cannot be read", "repaired")
    assert not file.exists()
    assert found_in(run) == []


def test_what_has_a_name_as_long_as_a_name_may_be_is_moved_aside(run: RunFolder) -> None:
    (run.path / "trials" / f".writing-{'y' * 240}").mkdir()
    (one,) = found_in(run)
    assert (one.wrong, one.outcome) == ("was not finished", "repaired")
    assert found_in(run) == []
