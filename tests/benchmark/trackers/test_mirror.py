"""A tracker is told of every trial of a run once, whatever happens to the run, and the run outlives its failures."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fbench.benchmark.records.trial_records import HistoryRow, TrialRecord
from fbench.benchmark.store.run_table import RunTable
from fbench.benchmark.trackers.mirror import Mirror
from fbench.benchmark.trackers.tracker import TrackedTrial, measures_of, results_of
from tests.benchmark.trackers.told_run import EVALUATIONS, Interrupts, prepare, told


class Notes:
    """A tracker in memory, which talks."""

    def __init__(self, fails_at: str = "") -> None:
        self.rows: dict[str, list[int]] = {}
        self.ends: dict[str, str] = {}
        self.calls: list[str] = []
        self.trials: dict[str, TrackedTrial] = {}
        self._fails_at = fails_at

    def has_end(self, trial: TrackedTrial, record: TrialRecord) -> bool:
        return self.ends.get(trial.trial_id) == record.finished_at

    def begin(self, trial: TrackedTrial, at_s: float) -> int:
        self._call("begin")
        self.trials[trial.trial_id] = trial
        return len(self.rows.setdefault(trial.trial_id, []))

    def evaluated(self, trial: TrackedTrial, row: HistoryRow, at_s: float) -> None:
        self._call("evaluated")
        self.rows[trial.trial_id].append(row.evaluation)

    def ended(self, trial: TrackedTrial, record: TrialRecord, at_s: float) -> None:
        self._call("ended")
        self.ends[trial.trial_id] = record.finished_at

    def close(self) -> None:
        self._call("close")

    def _call(self, name: str) -> None:
        sys.stdout.write("a library talks")
        sys.stderr.write("and complains")
        self.calls.append(name)
        if name == self._fails_at:
            raise OSError("no route to host")


@pytest.fixture(autouse=True)
def small_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    prepare(monkeypatch, tmp_path / "cache")


def mirror(notes: Notes, warnings: list[str] | None = None) -> Mirror:
    return Mirror(notes, "notes=here", [].append if warnings is None else warnings.append)


def assert_whole(notes: Notes, table: RunTable) -> None:
    assert set(notes.rows) == set(notes.ends) == set(table.trials)
    assert list(notes.rows.values()) == [list(range(1, EVALUATIONS + 1))] * len(table.trials)


def test_every_trial_is_told_once_and_no_library_is_heard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notes = Notes()
    table = told(tmp_path / "run", mirror(notes), seeds=2)
    assert_whole(notes, table)
    trial = next(iter(notes.trials.values()))
    assert (trial.run, trial.preset) == ("run", "smoke")
    assert trial.label == f"{trial.network} on stripes, seed {trial.spec.seed}"
    assert capsys.readouterr() == ("", "")
    told(tmp_path / "run", mirror(notes), seeds=2)
    assert notes.calls.count("begin") == 4


def test_a_trial_that_goes_on_after_an_interrupt_is_told_of_once(tmp_path: Path) -> None:
    notes = Notes()
    with pytest.raises(KeyboardInterrupt):
        told(tmp_path / "run", mirror(notes), Interrupts(after=EVALUATIONS + 2))
    assert sorted(map(len, notes.rows.values())) == [2, 3]
    assert len(notes.ends) == 1
    assert_whole(notes, told(tmp_path / "run", mirror(notes)))


def test_what_happened_while_no_tracker_listened_is_told_later(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        told(tmp_path / "run", Interrupts(after=EVALUATIONS + 2))
    notes = Notes()
    assert_whole(notes, told(tmp_path / "run", mirror(notes)))
    late = Notes()
    assert_whole(late, told(tmp_path / "run", mirror(late)))


@pytest.mark.parametrize("call", ["begin", "evaluated", "ended"])
def test_a_tracker_that_fails_is_told_of_in_a_sentence_once_and_the_run_goes_on(tmp_path: Path, call: str) -> None:
    notes, warnings = Notes(fails_at=call), list[str]()
    listener = mirror(notes, warnings)
    table = told(tmp_path / "run", listener)
    listener.close()
    assert [record.status for record in table.trials.values()] == ["finished"] * 2
    assert warnings == [
        "The tracker notes=here failed (OSError: no route to host) and is told no more; the run goes on, and the same "
        "command tells it later what it lacks."
    ]
    assert notes.calls.count(call) == 1
    assert notes.calls[-1] == call


def test_measures_and_results_are_those_of_the_run(tmp_path: Path) -> None:
    table = told(tmp_path / "run")
    record = next(iter(table.trials.values()))
    rows = table.folder.history(record.trial_id)
    assert measures_of(rows[0]) == {
        "epoch": 1.0,
        "learning_rate": rows[0].learning_rate,
        "train_loss": rows[0].train_loss,
        "train_top1": rows[0].train_top1,
        "validation_loss": rows[0].validation_loss,
        "validation_top1": rows[0].validation_top1,
        "train_time_s": rows[0].train_time_s,
    }
    found = results_of(record)
    assert record.test is not None
    assert record.validation is not None
    assert (found["test_top1"], found["chosen_validation_top1"]) == (record.test.top1, record.validation.top1)
    assert found["macs"] == record.macs
    assert found["total_time_s"] > 0


def test_settings_are_all_that_a_trial_depends_on(tmp_path: Path) -> None:
    notes = Notes()
    table = told(tmp_path / "run", mirror(notes))
    for record in table.trials.values():
        settings = notes.trials[record.trial_id].every_setting()
        assert settings["trial_id"] == record.trial_id
        assert settings["network.options.dense_widths"] == str(record.spec.network.options["dense_widths"])
        assert settings["protocol.optimizer.learning_rate"] == record.spec.protocol.optimizer.learning_rate
        assert settings["data.fingerprint"] == record.spec.data.fingerprint
        assert settings["protocol.epochs"] == EVALUATIONS
        assert settings["numerics.threads_per_trial"] == 1
        assert "protocol.schedule.warmup_fraction" in settings
