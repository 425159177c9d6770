"""The clock that stands while its process is stopped, by hand-made moments of the monotonic clock."""

from __future__ import annotations

import time

import pytest

from fbench.core.working_clock import LONGEST_ASLEEP_S, WorkingClock


class Moments:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    found = Moments()
    monkeypatch.setattr(time, "perf_counter", found)
    return found


def test_without_rest_it_is_the_monotonic_clock(moments: Moments) -> None:
    clock = WorkingClock()
    assert clock.now_s() == 1000.0
    moments.now = 1500.0
    assert clock.now_s() == 1500.0
    assert clock.rest_s() == 0.0


def test_time_at_rest_is_left_out(moments: Moments) -> None:
    clock = WorkingClock()
    for _ in range(2):
        moments.now += 10
        clock.halt()
        moments.now += 60
        clock.go_on()
    moments.now += 1
    assert clock.now_s() == 1021.0
    assert clock.rest_s() == 120.0


def test_it_stands_until_somebody_lets_it_go_on(moments: Moments) -> None:
    """A worker that goes on before its keeper reads the moment at which it was stopped."""
    clock = WorkingClock()
    moments.now = 1010.0
    clock.halt()
    moments.now = 1070.0
    assert clock.now_s() == 1010.0
    clock.go_on()
    assert clock.now_s() == 1010.0


def test_to_halt_twice_or_to_go_on_twice_changes_nothing(moments: Moments) -> None:
    clock = WorkingClock()
    clock.halt()
    moments.now = 1030.0
    clock.halt()
    clock.watch()
    moments.now = 1060.0
    clock.go_on()
    clock.go_on()
    assert clock.now_s() == 1000.0


def test_where_the_watcher_was_stopped_too_nothing_was_at_work(moments: Moments) -> None:
    clock = WorkingClock()
    for _ in range(5):
        moments.now += 1
        clock.watch()
    moments.now += 600
    before_the_watcher_wakes = clock.now_s()
    clock.watch()
    assert before_the_watcher_wakes == clock.now_s() == 1005.0
    moments.now += 1
    assert clock.now_s() == 1006.0


def test_a_watcher_that_is_late_is_forgiven(moments: Moments) -> None:
    clock = WorkingClock()
    clock.watch()
    moments.now += LONGEST_ASLEEP_S
    clock.watch()
    assert clock.now_s() == 1000.0 + LONGEST_ASLEEP_S


def test_rest_as_the_keeper_wakes_is_counted_once(moments: Moments) -> None:
    """The batch system stops worker and keeper; the keeper wakes, and then learns that the worker went on."""
    clock = WorkingClock()
    clock.watch()
    moments.now += 1
    clock.halt()
    moments.now += 300
    clock.watch()
    clock.go_on()
    clock.watch()
    assert clock.rest_s() == 300.0
