"""What was read of many trials is not read again, and never believed where a file has changed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fbench.benchmark.data.cache import cache_directory
from fbench.benchmark.store.index import cache_file, records, trial_files
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.core.bounded import json_in
from fbench.core.errors import UserError
from tests.reports.fabricated_run import Recipe, fabricate_run


@pytest.fixture(autouse=True)
def _of_few_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few files are worth an index, also where they were written just now."""
    monkeypatch.setattr(trial_files, "WORTH_KEEPING", 3)
    monkeypatch.setattr(cache_file, "_SETTLED_NS", -(10**18))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    fabricate_run(tmp_path / "run", Recipe(images=40, images_of_subject=4))
    return tmp_path / "run"


def everything(run: Path) -> list[object]:
    """All that the index may hold, as values that can be compared."""
    table = load_run(run)
    table.answers.prepare()
    table.histories.prepare()
    found: list[object] = []
    for trial_id, record in table.trials.items():
        answers = {
            split: (part.predicted.tolist(), part.labels.tolist(), part.clusters and part.clusters.numbers.tolist())
            for split, part in table.classes(record).items()
        }
        facts = (table.facts(trial_id), table.answers.facts(trial_id), table.histories.facts(trial_id))
        found.append((trial_id, record, answers, table.history(record), facts))
    return found


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of records that are parsed from now on, in a list of one."""
    parsed = [0]

    def counted(content: bytes) -> object:
        parsed[0] += 1
        return json_in(content)

    monkeypatch.setattr(records, "json_in", counted)
    return parsed


def test_what_the_index_has_is_what_the_files_have(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(run.rglob("*"))
    first = everything(run)
    assert sorted(file.suffix for file in (cache_directory() / "index").iterdir()) == [".npz"] * 3
    parsed = count_reads(monkeypatch)
    assert everything(run) == first
    assert parsed == [0]
    assert sorted(run.rglob("*")) == before


def test_records_are_as_a_single_one_is_read(run: Path) -> None:
    for _ in range(2):
        for trial_id, record in load_run(run).trials.items():
            assert record == RunFolder(run).trial(trial_id)


def _flip_a_digit(file: Path) -> None:
    """Another accuracy in as many bytes, at the same time of change as far as a program can set it."""
    before, text = file.stat(), file.read_text()
    accuracy = json.loads(text)["test"]["top1"]
    file.write_text(text.replace(f'"top1": {accuracy}', f'"top1": {str(accuracy)[:-1]}{9 - int(str(accuracy)[-1])}'))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size


def test_a_record_that_changed_is_read_whatever_its_size_and_time(run: Path) -> None:
    everything(run)
    trial_id = sorted(load_run(run).trials)[2]
    before = load_run(run).trials[trial_id]
    _flip_a_digit(run / "trials" / trial_id / "record.json")
    after = load_run(run)
    assert after.trials[trial_id].test != before.test
    found = after.facts(trial_id).test
    assert found is not None
    assert after.trials[trial_id].test is not None
    assert found.top1 == after.trials[trial_id].test.top1


def test_trials_come_and_go(run: Path, tmp_path: Path) -> None:
    everything(run)
    ids = sorted(load_run(run).trials)
    (run / "trials" / ids[0]).rename(tmp_path / "aside")
    assert sorted(load_run(run).trials) == ids[1:]
    (tmp_path / "aside").rename(run / "trials" / ids[0])
    assert sorted(load_run(run).trials) == ids
    assert ids[0] in load_run(run).trials


def test_a_record_that_cannot_be_read_is_named_each_time(run: Path) -> None:
    everything(run)
    file = run / "trials" / sorted(load_run(run).trials)[1] / "record.json"
    file.write_text("{}")
    for _ in range(2):
        with pytest.raises(UserError, match=str(file)):
            load_run(run)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-200] + bytes(200),
        lambda content: bytes(len(content)),
        lambda content: content.replace(b'"format": 1', b'"format": 9'),
    ],
    ids=["empty", "half", "end", "zeros", "format"],
)
def test_an_index_that_is_damaged_costs_time_only(run: Path, damage: Callable[[bytes], bytes]) -> None:
    first = everything(run)
    for file in (cache_directory() / "index").iterdir():
        file.write_bytes(damage(file.read_bytes()))
    assert everything(run) == first
    assert everything(run) == first


def test_an_index_without_its_arrays_costs_time_only(run: Path) -> None:
    first = everything(run)
    for file in (cache_directory() / "index").iterdir():
        with np.load(file) as archive:
            kept = {name: archive[name] for name in ("about", "signatures")}
        np.savez(file, **kept)  # type: ignore[arg-type] # the stub may take a name for the argument allow_pickle
    assert everything(run) == first


def test_an_index_that_another_process_replaces_meanwhile_is_not_mixed_with_it(run: Path) -> None:
    first = everything(run)
    table = load_run(run)  # knows the facts, and has not taken the rest
    for file in list(run.glob("trials/*/*")):
        file.touch()
    (cache_directory() / "index").rename(cache_directory() / "old")
    everything(run)
    with np.load(next((cache_directory() / "index").glob("*record.npz"))) as archive:
        assert b"stamp" in archive["about"].tobytes()
    assert list(table.trials.values()) == [entry[1] for entry in first]  # type: ignore[index]


def test_a_cache_that_cannot_be_written_costs_time_only(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = everything(run)
    for file in (cache_directory() / "index").iterdir():
        file.unlink()
    (cache_directory() / "index").rmdir()
    (cache_directory() / "index").write_text("no folder")
    assert everything(run) == first


def test_the_index_of_a_run_is_no_other_runs(run: Path, tmp_path: Path) -> None:
    first = everything(run)
    run.rename(tmp_path / "moved")
    fabricate_run(run, Recipe(images=30, seeds=(5, 6)))
    assert load_run(run).plan != load_run(tmp_path / "moved").plan
    assert everything(tmp_path / "moved") == first


def test_few_trials_have_no_index(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FBENCH_CACHE_DIR", str(tmp_path / "new"))
    monkeypatch.setattr(trial_files, "WORTH_KEEPING", 100)
    everything(run)
    assert not (cache_directory() / "index").exists()


def test_a_file_that_was_written_just_now_is_read_again(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FBENCH_CACHE_DIR", str(tmp_path / "new"))
    monkeypatch.setattr(cache_file, "_SETTLED_NS", 10**18)
    first = everything(run)
    parsed = count_reads(monkeypatch)
    assert everything(run) == first
    assert parsed == [len(first)]


def test_a_trial_that_became_a_link_is_refused_though_the_index_knows_it(run: Path, tmp_path: Path) -> None:
    everything(run)
    trial = run / "trials" / sorted(load_run(run).trials)[0]
    trial.rename(tmp_path / "elsewhere")
    trial.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="is a link"):
        load_run(run)


def test_a_table_of_given_records_needs_no_index(run: Path) -> None:
    table = load_run(run)
    given = RunTable(table.folder, table.config, table.plan, dict(table.trials), table.costs)
    for trial_id in table.trials:
        assert given.facts(trial_id).test == table.facts(trial_id).test
    assert given.records("ires", "fer2013") == table.records("ires", "fer2013")
