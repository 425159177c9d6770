"""The table of what a cluster loses is that of its tries, and holds what is wrong with them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from support import run_here

from fbench.benchmark.records.events import Evaluated
from fbench.benchmark.store.run_folder import RunFolder
from tests.calibration.ray_cluster import Bench, Heard, Try, _read, specs_in, table
from tests.csv_tables import read_rows, save_rows


def test_a_table_that_was_read_is_gone_on_with(tmp_path: Path) -> None:
    tries = [
        Try("undisturbed", 1, 200, 0, 0, 0, 0, 0, 0.0, 20.5, 51.3),
        Try("undisturbed", 2, 200, 0, 0, 0, 0, 0, 0.0, 20.5, -3.0),
        Try("undisturbed", 3, 200, 0, 0, 0, 0, 0, 0.0, 20.5, 7.0),
        Try("node killed", 1, 3, 1, 2, 0, 4, 3, 1.25, 20.5),
    ]
    save_rows(tmp_path / "tries.csv", [asdict(one) for one in tries])
    assert [_read(row) for row in read_rows(tmp_path / "tries.csv")] == tries
    first, second, *rest = table(tries)
    assert (first.tries, first.trials, first.overhead_ms_per_trial) == (3, 600, 7.0)
    assert (second.lost, second.doubled, second.wrong, second.most_evaluations_again) == (1, 2, 0, 4)
    assert second.begun_again == 3
    assert [row.tries for row in rest] == [0, 0]


def test_what_is_lost_doubled_or_wrong_is_found(tmp_path: Path) -> None:
    specs = specs_in(tmp_path, 3, 1, 96)
    heard, here, there = Heard(), RunFolder(tmp_path / "here"), RunFolder(tmp_path / "there")
    run_here(specs, here.path)
    run_here(specs[:2], there.path, heard)
    bench = Bench(tmp_path, None, specs, (), here, 0.0)  # type: ignore[arg-type] # no cluster is asked
    right = bench.found("node killed", 1, specs, there, heard)
    assert (right.lost, right.doubled, right.wrong, right.again) == (1, 0, 0, 0)
    heard.events += [*heard.events, *(event for event in heard.events if isinstance(event, Evaluated))]
    weights = there.trial_folder(specs[0].trial_id) / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    wrong = bench.found("node killed", 1, specs, there, heard)
    assert (wrong.lost, wrong.doubled, wrong.wrong, wrong.again) == (1, 2, 1, 2)
