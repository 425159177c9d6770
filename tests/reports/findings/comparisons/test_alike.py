"""Trials that were not made alike are refused, wherever they lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fbench.benchmark.data.references import parse_reference
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.core.errors import UserError
from fbench.reports.findings.comparisons.alike import require_one_making
from fbench.reports.findings.comparisons.evidence import gather
from tests.reports.fabricated_run import Recipe, fabricate_run


@pytest.fixture
def run(tmp_path: Path) -> RunTable:
    return fabricate_run(tmp_path / "run", Recipe(images=40, seeds=(0, 1), with_cost=False))


def changed(record: TrialRecord, part: str, **values: Any) -> TrialRecord:
    """The record with other values in one part of its specification."""
    spec = record.spec.model_copy(update={part: getattr(record.spec, part).model_copy(update=values)})
    return record.model_copy(update={"spec": spec})


@pytest.mark.parametrize(
    ("part", "values", "field"),
    [
        ("data", {"fingerprint": "f" * 64}, "data fingerprint"),
        ("protocol", {"epochs": 77}, "protocol.epochs"),
        ("budget", {"epochs": 9}, "budget.epochs"),
        ("numerics", {"precision": "bf16"}, "numerics.precision"),
    ],
)
def test_the_field_that_differs_and_the_trials_are_named(
    run: RunTable, part: str, values: dict[str, Any], field: str
) -> None:
    first, *others = run.trials.values()
    records = [first, changed(others[0], part, **values), *others[1:]]
    other = f"{others[0].spec.network.name} seed {others[0].spec.seed}"
    with pytest.raises(UserError, match=rf"\({field} is .* and .* in {other}\)"):
        require_one_making(records, "run")


def test_trials_made_alike_pass(run: RunTable) -> None:
    require_one_making(run.trials.values(), "run")
    require_one_making([], "run")


def test_a_data_set_without_copies_is_another_one_on_purpose(run: RunTable) -> None:
    first, *others = run.trials.values()
    treated = parse_reference("synthetic").model_copy(update={"options": {"copies": "removed"}})
    options = {"source": treated.name, "options": treated.options}
    removed = changed(others[0], "data", fingerprint="f" * 64, **options)
    require_one_making([first, removed], "run")
    again = changed(others[1], "data", fingerprint="e" * 64, **options)
    with pytest.raises(UserError, match=r"data fingerprint is ffff.* and eeee"):
        require_one_making([first, removed, again], "run")


def test_a_run_with_such_records_gives_no_report(run: RunTable) -> None:
    trial_id = next(iter(run.trials))
    file = run.folder.trial_folder(trial_id) / "record.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    values["spec"]["budget"]["epochs"] = 99
    file.write_text(json.dumps(values), encoding="utf-8")
    again = load_run(run.folder.path)
    with pytest.raises(UserError, match="were not made alike"):
        gather(again, again.config.data[0])


def test_trainings_of_two_minor_versions_of_pytorch_are_not_compared_and_patches_are(run: RunTable) -> None:
    trial_id = list(run.trials)[-1]
    file = run.folder.trial_folder(trial_id) / "record.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    for version, refused in (("2.13.7+cpu", False), ("2.14.1", True)):
        values["machine"]["versions"]["torch"] = version
        file.write_text(json.dumps(values), encoding="utf-8")
        again = load_run(run.folder.path)
        if not refused:
            assert gather(again, again.config.data[0])
            continue
        with pytest.raises(UserError, match=r"PyTorch is 2\.13 in .* and 2\.14 in"):
            gather(again, again.config.data[0])
