"""A trial of somebody's run is trained again: what is kept of it is the same, or it is said what is not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from coarse_fbench import leave_cost_out
from support import make_stripes, two_lenets, use_stripes

import fbench.data
from fbench.benchmark.data import loaded
from fbench.benchmark.data.references import parse_reference
from fbench.benchmark.records.predictions import prediction_files
from fbench.benchmark.runs.repeated_trial import _data_here, chosen_trial, repeat_trial
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.session import run
from fbench.benchmark.store.hashes import HASHES_FILE
from fbench.benchmark.store.run_folder import WEIGHTS_FILE, RunFolder
from fbench.cli.repeated_view import repeated_line, repeated_values
from fbench.core.errors import UserError


@pytest.fixture(autouse=True)
def tiny_data(monkeypatch: pytest.MonkeyPatch) -> None:
    use_stripes(monkeypatch)
    leave_cost_out(monkeypatch)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two networks with two seeds; tests work on copies."""
    home = tmp_path_factory.mktemp("theirs")
    with pytest.MonkeyPatch.context() as patch:
        use_stripes(patch)
        leave_cost_out(patch)
        patch.setenv("FBENCH_CACHE_DIR", str(home / "cache"))
        run(RunRequest(suite=two_lenets(), preset="smoke", seeds=2, jobs=1, device="cpu", out=home / "run"))
    return home / "run"


@pytest.fixture
def theirs(made: Path, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(made, tmp_path / "run")))


def changed_record(folder: RunFolder, trial_id: str, change: Callable[[Any], None]) -> None:
    file = folder.path / "trials" / trial_id / "record.json"
    record = json.loads(file.read_text())
    change(record)
    file.write_text(json.dumps(record))


def test_a_trial_is_repeated_bit_for_bit(theirs: RunFolder) -> None:
    trial_id = chosen_trial(theirs, "lenet5:1")
    found = repeat_trial(theirs, trial_id, "cpu")
    assert (found.same_answers, found.same_logits, found.same_weights, found.is_repeated) == (True, True, True, True)
    assert found.ours.test == theirs.trial(trial_id).test
    assert repeated_line(found).startswith("lenet5 on stripes, seed 1: repeated, with the same answers, logits and")
    assert repeated_values(found)["repeated"] is True


def test_of_a_network_the_lowest_seed_is_repeated(theirs: RunFolder) -> None:
    assert theirs.trial(chosen_trial(theirs, "narrow")).spec.seed == 0


def test_what_is_not_the_same_is_named(theirs: RunFolder) -> None:
    trial_id = chosen_trial(theirs, "lenet5")
    predictions = theirs.predictions(trial_id)
    predictions["test"].predicted[:] = 0  # as if somebody had written another result
    for name, content in prediction_files(predictions).items():
        (theirs.trial_folder(trial_id) / name).write_bytes(content)
    found = repeat_trial(theirs, trial_id, "cpu")
    assert (found.same_answers, found.same_logits, found.same_weights, found.is_repeated) == (False, True, True, False)
    assert ": not repeated, with other answers; the same logits and weights (top-1 " in repeated_line(found)


def test_without_weights_their_hash_is_compared_and_without_that_answers_and_logits(theirs: RunFolder) -> None:
    trial_id = chosen_trial(theirs, "lenet5")
    (theirs.trial_folder(trial_id) / WEIGHTS_FILE).unlink()
    found = repeat_trial(theirs, trial_id, "cpu")
    assert (found.same_weights, found.is_repeated) == (True, True)
    hashes = theirs.trial_folder(trial_id) / HASHES_FILE
    hashes.write_text(json.dumps({WEIGHTS_FILE: "0" * 64}))
    found = repeat_trial(theirs, trial_id, "cpu")
    assert (found.same_weights, found.is_repeated) == (False, False)
    hashes.unlink()
    found = repeat_trial(theirs, trial_id, "cpu")
    assert (found.same_weights, found.is_repeated) == (None, True)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda record: record.update(status="failed", failure_reason="no"),
            "has failed in .*; name one that",
        ),
        (
            lambda record: record["spec"]["numerics"].update(numerics_version=1),
            "was computed by numerics version 1",
        ),
        (
            lambda record: record["spec"]["numerics"].update(device_kind="cuda"),
            "was computed on cuda, and this",
        ),
        (lambda record: record["spec"]["network"].update(digest="0" * 64), "is built otherwise by this fbench than by"),
        (lambda record: record["spec"]["network"].update(source_sha256="0" * 64), "is a user's; name the file that"),
    ],
)
def test_what_cannot_be_repeated_here_is_one_sentence(
    theirs: RunFolder, change: Callable[[Any], None], sentence: str
) -> None:
    trial_id = chosen_trial(theirs, "lenet5")
    changed_record(theirs, trial_id, change)
    with pytest.raises(UserError, match=sentence):
        repeat_trial(theirs, trial_id, "cpu")


def test_a_trial_that_fails_here_is_not_repeated(theirs: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    other = make_stripes(seed=1)
    monkeypatch.setattr(loaded, "_load_once", lambda reference: other)  # the data set is another one here
    found = repeat_trial(theirs, chosen_trial(theirs, "lenet5"), "cpu")
    assert (found.is_repeated, found.same_answers) == (False, False)
    assert ": failed here, and finished there: The data set stripes has changed" in repeated_line(found)


def test_other_data_or_none_are_a_sentence_and_no_failed_repetition(tmp_path: Path, theirs: RunFolder) -> None:
    """The run's data are named as arrays of one's own; what lies at the given place is something else."""
    stripes = make_stripes(seed=5)
    reference = parse_reference(
        fbench.data.from_arrays(
            stripes.images,
            stripes.labels,
            name="stripes",
            split=stripes.split,
            class_names=stripes.class_names,
            file=tmp_path / "other.npz",
        )
    )
    spec = theirs.trial(chosen_trial(theirs, "lenet5:1")).spec
    data = spec.data.model_copy(update={"source": "arrays", "label": "stripes", "path": None})
    with pytest.raises(UserError, match=r"lie somewhere else here; say where with --data stripes=arrays:PATH"):
        _data_here(data, [])
    with pytest.raises(UserError, match=r"stripes=arrays:.*other\.npz are other data than stripes of the trial"):
        _data_here(data.model_copy(update={"fingerprint": "0" * 64}), [reference])
