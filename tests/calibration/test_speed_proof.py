from __future__ import annotations

from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest

from fbench.benchmark.cost.calls import Call
from tests.calibration import speed
from tests.calibration.speed import Try, read_tries, summarise, wanted_tries
from tests.csv_tables import save_rows


def made(slowed_by: float, number: int, ratio: float, half: float, timeit: float) -> Try:
    return Try(slowed_by, number, "ires", "inference", 1, ratio, ratio - half, ratio + half, 12, 3.0, timeit, 3.0)


def test_alarms_detections_and_bias_are_counted() -> None:
    equal = [made(0.0, n, 1.0 + (0.02 if n == 0 else 0.0), 0.01, 1.0) for n in range(10)]
    slow = [made(0.05, n, 1.05 if n else 1.005, 0.01, 1.05 if n < 4 else 1.0) for n in range(10)]
    first, second = summarise([*equal, *slow])
    assert first["found"] == 1
    assert second["found"] == 9
    assert second["bias_percent"] == pytest.approx(-100 * 0.045 / 1.05 / 10, abs=0.001)
    assert second["timeit_found_beyond_2.5_percent"] == 4


def test_a_network_called_faster_is_no_detection_of_a_slower_one() -> None:
    rows = summarise([made(0.05, n, 0.9, 0.01, 1.0) for n in range(3)])
    assert rows[0]["found"] == 0


def test_tries_survive_their_file(tmp_path: Path) -> None:
    tries = [made(0.1, n, 1.1, 0.01, 1.0) for n in range(3)]
    save_rows(tmp_path / "tries.csv", [vars(one) for one in tries])
    assert read_tries(tmp_path / "tries.csv") == tries


def test_all_tries_are_wanted_and_kinds_alternate() -> None:
    tries = list(wanted_tries(1.0))
    assert len(tries) == len(set(tries)) == 400
    assert {slowed_by for slowed_by, _ in islice(tries, 4)} == {0.0, 0.05, 0.1}


def test_a_slowed_call_spins_for_its_share_of_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call from 0 to 10 seconds, slowed by half, spins until the clock shows 15."""
    ticks = iter([0.0, 10.0, 12.0, 14.9, 15.0, 99.0])
    monkeypatch.setattr(speed, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    speed.slowed(Call(lambda: None, lambda mark: None, lambda: None), 0.5).run(lambda: None)
    assert next(ticks) == 99.0
