from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
import torch

from fbench.benchmark.cost.calls import Call, Mark
from fbench.benchmark.cost.clock import WallClock
from fbench.benchmark.cost.interleave import (
    Rhythm,
    Schedule,
    TimedCall,
    WarmUp,
    rhythm,
    settled,
    time_interleaved,
    warm_up,
)
from fbench.benchmark.records.cost_specs import Setting

CPU = torch.device("cpu")
SETTING = Setting()


class FakeClock:
    """Gives the times that it was told, whatever is called, and calls it all the same."""

    def __init__(self, times: Iterator[float]) -> None:
        self._times = times

    def time(self, call: Call) -> tuple[float, ...]:
        call.run(lambda: None)
        return (next(self._times),)


def noted(log: list[str], name: str) -> Call:
    return Call(lambda: None, lambda mark: log.append(name), lambda: log.append(f"place {name}"))


def timed(name: str, call: Call, call_s: float, instance: int = 0) -> tuple[TimedCall, WarmUp]:
    return TimedCall(name, SETTING, 1, call, instance), WarmUp(10, True, call_s)


def test_times_have_settled_when_the_last_five_are_no_more_than_3_percent_below_the_five_before() -> None:
    assert settled([1.0] * 5 + [0.98] * 5)
    assert not settled([1.0] * 5 + [0.96] * 5)
    assert not settled([1.0] * 9)


def test_a_warm_up_goes_on_while_times_fall() -> None:
    falling = [0.8**step for step in range(20)]
    found = warm_up(noted([], "a"), FakeClock(iter([*falling, *[0.8**20] * 30])))
    assert found.settled
    assert 20 < found.calls <= 30  # settled once both halves of the window are flat, or nearly
    assert found.call_s == pytest.approx(0.8**20)


def test_a_warm_up_that_never_settles_ends_and_says_so() -> None:
    found = warm_up(noted([], "a"), FakeClock(0.9**step for step in count()))
    assert (found.calls, found.settled) == (200, False)


def test_every_network_is_copied_before_each_block_and_visited_once_a_turn() -> None:
    log: list[str] = []
    calls = [timed(name, noted(log, name), 0.02) for name in ("a", "b", "c")]  # one untimed call and two timed
    found = time_interleaved(calls, FakeClock(count(1.0)), Schedule(2, 1e-9, 0), 1)
    assert (found.failures, found.interrupted) == ((), False)
    assert len(log) == 2 * (3 + 3 * 3)
    for block in (log[:12], log[12:]):
        assert {*block[:3]} == {"place a", "place b", "place c"}
        assert {block[3], block[6], block[9]} == {"a", "b", "c"}
        assert block[3:6] == [block[3]] * 3
    assert [one.blocks for one in found.series] == [(0, 0, 1, 1)] * 3
    assert {one.orders[0] for one in found.series} == {0, 1, 2}


def test_the_order_is_drawn_anew_for_every_visit() -> None:
    calls = [timed(name, noted([], name), 0.1) for name in ("a", "b")]
    series = time_interleaved(calls, FakeClock(count(1.0)), Schedule(200, 1e-9, 0), 1).series
    first = sum(order == 0 for order in series[0].orders)
    assert 70 <= first <= 130  # 100 are expected; either bound is passed once in 30,000 draws


def test_both_buildings_of_a_network_have_one_rhythm_however_they_warmed_up() -> None:
    log: list[str] = []
    calls = [timed("a", noted(log, "first"), 0.009), timed("a", noted(log, "second"), 0.011, instance=1)]
    series = time_interleaved(calls, FakeClock(count(1.0)), Schedule(1, 1e-9, 0), 1).series
    assert [len(one.times_s) for one in series] == [5, 5]


def test_long_calls_are_timed_once_and_short_ones_more_often() -> None:
    assert (rhythm(0.001), rhythm(0.02), rhythm(0.3)) == (Rhythm(1, 5), Rhythm(1, 2), Rhythm(0, 1))


def test_a_call_that_fails_is_left_out_and_what_was_timed_before_is_kept() -> None:
    calls_left = iter(range(3))

    def fail(mark: Mark) -> None:
        if next(calls_left, None) is None:
            raise RuntimeError("out of memory")

    bad = Call(lambda: None, fail, lambda: None)
    calls = [timed("bad", bad, 0.1), timed("good", noted([], "good"), 0.1)]
    found = time_interleaved(calls, FakeClock(count(1.0)), Schedule(5, 1e-9, 0), 1)
    assert {one.network: len(one.times_s) for one in found.series} == {"bad": 3, "good": 5}
    assert [(one.network, one.reason) for one in found.failures] == [("bad", "RuntimeError: out of memory")]


def test_ctrl_c_keeps_what_was_timed_before() -> None:
    calls_left = iter(range(7))

    def stop(mark: Mark) -> None:
        if next(calls_left, None) is None:
            raise KeyboardInterrupt

    calls = [timed("a", Call(lambda: None, stop, lambda: None), 0.1), timed("b", noted([], "b"), 0.1)]
    found = time_interleaved(calls, FakeClock(count(1.0)), Schedule(50, 1e-9, 0), 1)
    assert found.interrupted
    kept = {one.network: len(one.times_s) for one in found.series}
    assert kept["a"] == 7
    assert kept["b"] in (7, 8)


def test_calls_during_which_the_clock_jumped_back_are_dropped_and_counted() -> None:
    ticks = iter([0.0, 1.0, 1.0, 0.5, 2.0, 2.5])  # 1 s, then half a second back, then half a second
    clock = WallClock(CPU, now=lambda: next(ticks))
    series = time_interleaved([timed("a", noted([], "a"), 0.1)], clock, Schedule(3, 1e-9, 0), 1).series
    assert series[0].times_s == (1.0, 0.5)
    assert series[0].blocks == (0, 2)
    assert series[0].dropped_calls == 1


def test_the_clock_splits_a_call_at_its_marks() -> None:
    ticks = iter([0.0, 1.0, 3.0, 6.0])

    def run(mark: Mark) -> None:
        mark()
        mark()

    call = Call(lambda: None, run, lambda: None, ("one", "two", "three"))
    assert WallClock(CPU, now=lambda: next(ticks)).time(call) == (1.0, 2.0, 3.0)
