"""Measuring a run's cost again: the calmer of two measurements stays, and no code of a run is run unasked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fbench.benchmark.cost import again
from fbench.benchmark.cost.again import measure_again
from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.store.run_table import RunTable
from fbench.cli.app import app
from fbench.core.errors import UserError
from tests.reports.fabricated_run import Recipe, fabricate_run


@pytest.fixture
def run(tmp_path: Path) -> RunTable:
    return fabricate_run(tmp_path / "run", Recipe(seeds=(0,), images=40))


def measuring(patch: pytest.MonkeyPatch, run: RunTable, **changes: Any) -> list[tuple[Any, ...]]:
    """Measurements come out as the run's own with these changes; what each was asked for is kept."""
    asked: list[tuple[Any, ...]] = []

    def measured(*given: Any) -> CostRecord:
        asked.append(given)
        return run.costs[-1].model_copy(update=changes)

    patch.setattr(again, "measure_spec", measured)
    return asked


@pytest.mark.parametrize(
    ("old", "new", "stays"),
    [(80.0, 5.0, False), (80.0, 60.0, False), (5.0, 80.0, True), (0.0, 80.0, True), (0.0, 3.0, False)],
)
def test_the_calmer_measurement_stays(
    run: RunTable, monkeypatch: pytest.MonkeyPatch, old: float, new: float, stays: bool
) -> None:
    run.folder.write_cost(run.costs[-1].model_copy(update={"other_work_percent": old}))
    asked = measuring(monkeypatch, run, other_work_percent=new, finished_at="2030-01-01T00:00:00+00:00")
    record, is_kept = measure_again(run.folder.path, "cpu")
    assert record.other_work_percent == new
    assert is_kept is not stays
    (kept,) = run.folder.costs()
    assert kept.other_work_percent == (old if stays else new)
    assert asked[0][0] == run.costs[-1].spec


def test_an_interrupted_measurement_does_not_take_the_place_of_a_whole_one(
    run: RunTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring(monkeypatch, run, interrupted=True, other_work_percent=0.0)
    assert measure_again(run.folder.path, "cpu")[1] is False
    assert run.folder.costs() == [run.costs[-1]]


def test_a_run_without_a_measurement_is_sent_to_the_command_that_makes_one(tmp_path: Path) -> None:
    bare = fabricate_run(tmp_path / "bare", Recipe(seeds=(0,), images=40, with_cost=False))
    with pytest.raises(UserError, match="has no measurement of cost that could be made again"):
        measure_again(bare.folder.path, "cpu")


def test_a_users_network_wants_the_file_that_it_came_from(run: RunTable, monkeypatch: pytest.MonkeyPatch) -> None:
    old = run.costs[-1]
    networks = tuple(
        one.model_copy(update={"name": "mine", "builder": "mine", "source_sha256": "0" * 64})
        for one in old.spec.networks[:1]
    )
    run.folder.write_cost(
        old.model_copy(
            update={
                "spec": old.spec.model_copy(update={"networks": networks}),
                "finished_at": "2030-01-01T00:00:00+00:00",
                "cost_id": "of_mine",
            }
        )
    )
    asked = measuring(monkeypatch, run)
    with pytest.raises(UserError, match="mine is a network of a user's; give the file that registers it with --plugin"):
        measure_again(run.folder.path, "cpu")
    assert asked == []


def test_the_command_says_whether_it_kept_the_record(run: RunTable, monkeypatch: pytest.MonkeyPatch) -> None:
    measuring(monkeypatch, run, other_work_percent=1.0)
    monkeypatch.setattr("fbench.cli.speed_view.print_speed", lambda record: None)
    done = CliRunner().invoke(app, ["speed", "--into", str(run.folder.path)])
    assert done.exit_code == 0, done.output
    assert done.output.strip().endswith(f"Kept in {run.folder.path}; fbench report {run.folder.path} has it.")
    refused = CliRunner().invoke(app, ["speed", "ires", "--into", str(run.folder.path)])
    assert "leave NAMES and --out away" in str(refused.exception)
