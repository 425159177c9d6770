"""Every method of what the public functions return refuses what it cannot use in a sentence."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fbench
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.core.errors import UserError
from tests.reports.fabricated_run import Recipe, fabricate_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> fbench.Run:
    folder = tmp_path_factory.mktemp("run") / "run"
    fabricate_run(folder, Recipe(images=40))
    return fbench.load_run(folder)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> TrialRecord:
    """A record of another run."""
    folder = tmp_path_factory.mktemp("other") / "run"
    fabricate_run(folder, Recipe(seeds=(7,), images=40, with_cost=False))
    return fbench.load_run(folder).records("ires", "fer2013")[0]


def methods(returned: object) -> Iterator[str]:
    """The public methods that fbench wrote for an object, pydantic's own not among them; and all that it has of
    properties, which are read."""
    kind = type(returned)
    for name in dir(kind):
        owner = next(one for one in kind.__mro__ if name in vars(one))
        if name.startswith("_") or not owner.__module__.startswith("fbench."):
            continue
        if callable(getattr(returned, name)) and name != "model_copy":
            yield name


class Odd:
    """What no method takes."""


@pytest.mark.parametrize("returned", ["run", "cost", "comparison"])
def test_no_method_of_what_is_returned_raises_an_error_of_pythons(
    run: fbench.Run,
    foreign: TrialRecord,
    returned: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    unpainted: None,
) -> None:
    monkeypatch.chdir(tmp_path)
    objects = {"run": run, "cost": run.costs[0], "comparison": run.compare("ires", "ires_no_se")}
    refusals, called = [], 0
    odd: list[Any] = ["x", "a\0b", "", 3, 7.0, 10**5000, True, b"x", [], ["x"], (), {}, np.int64(3), Odd(), foreign]
    for name in methods(objects[returned]):
        method = getattr(objects[returned], name)
        parameters = inspect.signature(method).parameters
        most = min(len(parameters), 2) if name != "report" else 0
        for given in (given for count in range(most + 1) for given in product(odd, repeat=count)):
            try:
                method(*given)
            except UserError as refused:
                refusals.append(str(refused))
            called += 1
    assert all(len(sentence.splitlines()) == 1 for sentence in refusals)
    assert called > 5 or returned == "comparison"


@pytest.mark.parametrize(
    ("method", "given", "sentence"),
    [
        ("predictions", ("x",), "fbench.Run.predictions(record='x') was called; record takes a TrialRecord."),
        ("history", (3,), "fbench.Run.history(record=3) was called; record takes a TrialRecord."),
        ("classes", (Odd(),), "fbench.Run.classes(record=<Odd>) was called; record takes a TrialRecord."),
        ("facts", (7,), "fbench.Run.facts(trial_id=7) was called; trial_id takes a text."),
        ("finished", (), "fbench.Run.finished was called with missing a required argument: 'network'; it takes "),
        (
            "each",
            (b"x",),
            "fbench.Run.each(trial_ids=<bytes>) was called; trial_ids takes a list of which each is a te",
        ),
        ("correctness", ("ires", "fer2013", "x"), "split takes 'train' or 'validation' or 'test' or None."),
        (
            "correctness",
            ("ires", "fer2013", "train"),
            "The run has no predictions of the split train; give validation ",
        ),
        ("of", (3,), "fbench.Run.of(table=3) was called; table takes a RunTable."),
        ("compare", (["a"], "b"), "fbench.Run.compare(network=['a']) was called; network takes a text."),
        ("report", (3,), "fbench.Run.report(output=3) was called; output takes a text or a path or None."),
    ],
)
def test_what_was_given_and_what_may_be_is_said(
    run: fbench.Run, method: str, given: tuple[Any, ...], sentence: str
) -> None:
    with pytest.raises(UserError) as refused:
        getattr(run, method)(*given)
    assert sentence in str(refused.value)


def test_a_measurement_is_asked_for_by_names_and_settings(run: fbench.Run) -> None:
    with pytest.raises(
        UserError, match=r"^fbench\.CostRecord\.find\(setting='x'\) was called; setting takes a Setting\.$"
    ):
        run.costs[0].find("ires", "x")  # type: ignore[arg-type] # as a person may


@pytest.mark.parametrize("method", ["predictions", "classes", "history"])
def test_a_record_of_another_run_is_named(run: fbench.Run, foreign: TrialRecord, method: str) -> None:
    with pytest.raises(UserError, match=f"The run has no trial '{foreign.trial_id}'; give a record of its own"):
        getattr(run, method)(foreign)


def test_predictions_that_are_gone_are_a_sentence(tmp_path: Path) -> None:
    fabricate_run(tmp_path / "run", Recipe(seeds=(0,), images=40, with_cost=False))
    run = fbench.load_run(tmp_path / "run")
    record = run.records("ires", "fer2013")[0]
    (run.folder.path / "trials" / record.trial_id / "predictions.npz").unlink()
    with pytest.raises(
        UserError, match=f"What the trial '{record.trial_id}' left cannot be read .*; restore its files"
    ):
        run.predictions(record)
