"""What other work took of a machine: seconds of all cores less those of this process."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from fbench.benchmark.cost.conditions import OtherWork


def clock(patch: pytest.MonkeyPatch, *readings: tuple[dict[str, float], float]) -> None:
    """The machine's times and this process' own, for each reading in turn."""
    left = list(readings)

    def cpu_times() -> Any:
        return SimpleNamespace(**left[0][0])

    def own() -> Any:
        (_, seconds) = left.pop(0)
        return SimpleNamespace(user=seconds, system=0.0, children_user=0.0, children_system=0.0)

    patch.setattr(psutil, "cpu_times", cpu_times)
    patch.setattr(os, "times", own)


def test_other_work_is_what_was_worked_and_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 20 core-seconds 12 were worked, 3 of them stolen by another guest, and 5 were ours: 7 of 20 were others'."""
    before = {"user": 10.0, "nice": 0.0, "system": 1.0, "idle": 100.0, "iowait": 2.0, "steal": 1.0}
    after = {"user": 18.0, "nice": 0.0, "system": 2.0, "idle": 107.0, "iowait": 3.0, "steal": 4.0}
    clock(monkeypatch, (before, 1.0), (after, 6.0))
    assert OtherWork().percent() == 35.0


def test_where_only_we_work_nothing_is_others(monkeypatch: pytest.MonkeyPatch) -> None:
    clock(
        monkeypatch, ({"user": 1.0, "system": 0.0, "idle": 5.0}, 1.0), ({"user": 6.0, "system": 0.0, "idle": 10.0}, 6.1)
    )
    assert OtherWork().percent() == 0.0


def test_a_system_that_tells_nothing_has_no_share(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise FileNotFoundError("/proc/stat")

    monkeypatch.setattr(psutil, "cpu_times", missing)
    assert OtherWork().percent() is None
