"""The interval of a change of time across days, number for number: the session's variance counts once for each side."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from fbench.benchmark.records.cost_records import REFERENCE, CostRecord, TimingSeries
from fbench.reports.findings.gate.change import MeasuredChange, Unknown
from fbench.reports.findings.gate.metrics import Asked
from fbench.reports.findings.gate.subjects import ComparedPair, Side
from fbench.reports.findings.gate.time_changes import Records, TimeMetric, time_change
from fbench.statistics.timing import time_quantile, time_ratio, turn_log_times
from tests.reports.fabricated_cost import cost, series

CONFIDENCE = 0.9
SESSION = 0.04  # the largest standard deviation between sessions in results/speed/sessions.csv, rounded up
Ends = tuple[float, float, float]


def day(number: int, factor: float) -> CostRecord:
    network = series("ires", factor, day=number, seed=number)
    reference = series(REFERENCE, 1.0, day=number, seed=10 + number)
    return cost(network, reference, started_at=f"2026-01-0{number}T00:00:00+00:00")


BASE, NEW = day(1, 1.0), day(2, 1.3)


def change(quantile_asked: float, base: CostRecord = BASE, new: CostRecord = NEW) -> MeasuredChange:
    pair = ComparedPair(Side("base", None, None, (base,)), Side("new", None, None, (new,)), "ires", "ires")
    metric = TimeMetric("inference", quantile_asked)
    found = time_change(pair, metric, Records(base, new), Asked(CONFIDENCE))
    assert isinstance(found, MeasuredChange)
    return found


def logs_of(found: TimingSeries) -> dict[tuple[int, int], float]:
    return turn_log_times(found.times_s, found.blocks, found.turns)


def ratio(record: CostRecord) -> Ends:
    """Of the network to the reference load, as logarithms: estimate, low, high."""
    found = time_ratio(logs_of(record.series[0]), logs_of(record.series[1]), CONFIDENCE)
    return math.log(found.ratio), math.log(found.low), math.log(found.high)


def quantile(found: TimingSeries, share: float) -> Ends:
    told = time_quantile(found.times_s, found.blocks, share, CONFIDENCE)
    return math.log(told.time_s), math.log(told.low_s), math.log(told.high_s)


def combined(plus: list[Ends], minus: list[Ends]) -> Ends:
    """Estimates add, and errors add in squares: with those of the two sessions, each of the variance 0.04^2."""
    sessions = stats.norm.ppf(0.5 + CONFIDENCE / 2) ** 2 * 2 * SESSION**2
    down = [estimate - low for estimate, low, _ in plus] + [high - estimate for estimate, _, high in minus]
    up = [high - estimate for estimate, _, high in plus] + [estimate - low for estimate, low, _ in minus]
    middle = sum(one[0] for one in plus) - sum(one[0] for one in minus)
    low = middle - math.sqrt(sum(error**2 for error in down) + sessions)
    high = middle + math.sqrt(sum(error**2 for error in up) + sessions)
    return math.expm1(middle), math.expm1(low), math.expm1(high)


def test_medians_of_two_days_carry_the_chance_of_both_sessions() -> None:
    found = change(0.5)
    assert (found.estimate, found.low, found.high) == pytest.approx(combined([ratio(NEW)], [ratio(BASE)]), rel=1e-9)


def test_quantiles_of_two_days_carry_the_chance_of_both_sessions() -> None:
    """Twenty calls bound the third quartile; a higher quantile's interval would be unbounded with any variance."""
    found = change(0.75)
    assert -1 < found.low < found.high < math.inf
    plus = [quantile(NEW.series[0], 0.75), quantile(BASE.series[1], 0.5)]
    minus = [quantile(BASE.series[0], 0.75), quantile(NEW.series[1], 0.5)]
    assert (found.estimate, found.low, found.high) == pytest.approx(combined(plus, minus), rel=1e-9)


def test_one_and_the_same_measurement_is_no_change_at_all() -> None:
    found = change(0.5, BASE, BASE)
    assert (found.estimate, found.low, found.high, found.exact) == (0.0, 0.0, 0.0, True)


@pytest.mark.parametrize(
    ("busy", "words"), [((0.0, 40.0), "NEW was"), ((40.0, 0.0), "BASE was"), ((20.0, 30.0), "NEW")]
)
def test_times_of_a_busy_machine_are_held_against_no_other_measurement(busy: tuple[float, float], words: str) -> None:
    records = [
        one.model_copy(update={"other_work_percent": percent}) for one, percent in zip((BASE, NEW), busy, strict=True)
    ]
    pair = ComparedPair(Side("base", None, None, (records[0],)), Side("new", None, None, (records[1],)), "ires", "ires")
    found = time_change(pair, TimeMetric("inference", 0.5), Records(*records), Asked(CONFIDENCE))
    assert isinstance(found, Unknown)
    assert words in found.why
    assert "measured while other work took" in found.why


def test_within_one_measurement_a_busy_machine_bears_on_both_sides() -> None:
    two = cost(series("ires", 1.0, day=1, seed=1), series("ires_no_se", 0.8, day=1, seed=2)).model_copy(
        update={"other_work_percent": 90.0}
    )
    pair = ComparedPair(Side("base", None, None, (two,)), Side("new", None, None, (two,)), "ires", "ires_no_se")
    found = time_change(pair, TimeMetric("inference", 0.5), Records(two, two), Asked(CONFIDENCE))
    assert isinstance(found, MeasuredChange)
