"""Whether a trial of a bundle was repeated is a fact that lies in it, with machine and versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bundled_run import a_trial, change, renamed_by_content
from support import make_stripes, use_stripes

from fbench.benchmark.bundles.checking import check_bundle
from fbench.benchmark.bundles.recording import record_repetition
from fbench.benchmark.data import loaded
from fbench.benchmark.runs.repeated_trial import RepeatedTrial, repeat_trial
from fbench.benchmark.store.run_folder import RunFolder
from fbench.core.errors import UserError
from fbench.core.machine import describe_machine


@pytest.fixture(autouse=True)
def tiny_data(monkeypatch: pytest.MonkeyPatch) -> None:
    use_stripes(monkeypatch)


def repeated(bundle: Path) -> RepeatedTrial:
    return repeat_trial(RunFolder(bundle), a_trial(bundle).name, "cpu")


def test_a_bundle_that_nobody_repeated_says_no(bundle: Path) -> None:
    assert check_bundle(bundle).repeated_trials == set()


def test_a_repetition_is_kept_with_machine_day_and_verdict_and_the_seal_holds(bundle: Path) -> None:
    found = repeated(bundle)
    assert found.is_repeated
    assert found.same_weights is True  # by the hash that the bundle keeps of them
    name = record_repetition(bundle, found)
    check = check_bundle(bundle)
    assert (check.passes, check.findings) == (True, ())
    (kept,) = check.repetitions
    assert check.repeated_trials == {found.ours.trial_id}
    assert (kept.machine.processor, kept.by) == (describe_machine().processor, "")
    assert kept.top1["test"] == load_top1(bundle)
    assert name == f"repetitions/{found.ours.trial_id}-{name[-21:-5]}.json"


def load_top1(bundle: Path) -> float:
    record: dict[str, Any] = json.loads((a_trial(bundle) / "record.json").read_text())
    return float(record["test"]["top1"])


def test_another_result_is_kept_as_one(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = repeated(bundle)
    other = RepeatedTrial(found.theirs, found.ours, False, None, False, {"test": "0" * 64})
    record_repetition(bundle, other, by="A lab")
    check = check_bundle(bundle)
    assert check.passes
    assert [(one.is_same, one.by) for one in check.repetitions] == [(False, "A lab")]
    assert check.repeated_trials == set()


def test_one_that_failed_here_says_nothing(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = make_stripes(seed=1)
    monkeypatch.setattr(loaded, "_load_once", lambda reference: other)
    with pytest.raises(UserError, match="failed here, which says nothing of the trial that finished there"):
        record_repetition(bundle, repeated(bundle))
    assert not (bundle / "repetitions").exists()


def test_a_run_is_no_bundle(run: Path, bundle: Path) -> None:
    with pytest.raises(UserError, match="is no bundle"):
        record_repetition(run, repeated(bundle))


def test_repetitions_that_are_not_what_they_say_are_found(bundle: Path) -> None:
    file = bundle / record_repetition(bundle, repeated(bundle))
    good = file.read_text()

    def problem(how: dict[str, Any], *, renamed: bool = True) -> str:
        for old in (bundle / "repetitions").iterdir():
            old.unlink()
        file.write_text(good)
        change(file, lambda values: values.update(how))
        if renamed:
            renamed_by_content(file)
        check = check_bundle(bundle)
        assert check.repetitions == ()
        return check.problems[-1].text

    changed = "was changed after it was written, or is of another trial than its name says"
    assert problem({"by": "me"}, renamed=False) == changed
    assert problem({"same_answers": False}) == "says of its answers what their hashes do not"
    assert problem({"answers_sha256": {"test": "0" * 64}}) == "says of its answers what their hashes do not"
    assert problem({"top1": {"test": 0.99}}) == "has the same answers and another accuracy on the test split"
    assert problem({"machine": {}}) == "is not valid (machine.processor)"
    assert problem({"schema_version": 2}).startswith("has schema version 2")
    assert problem({"trial_id": "0" * 16}) == changed
    assert problem({"repeated_on": "on a machine in /home/anna/x"}) == "is not valid (repeated_on)"
