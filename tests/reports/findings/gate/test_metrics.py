from __future__ import annotations

import pytest

from fbench.core.errors import UserError
from fbench.reports.findings.gate.conditions import Condition, parse_condition
from fbench.reports.findings.measures.table import metrics


@pytest.mark.parametrize(
    ("text", "name", "allowed", "batch_size"),
    [
        ("latency_p50:+5%", "latency_p50", 0.05, None),
        ("latency_p99@64:+12.5%", "latency_p99", 0.125, 64),
        ("macs:+0%", "macs", 0.0, None),
        ("macs:-0%", "macs", 0.0, None),
        ("throughput:-3%", "throughput", 0.03, None),
        ("accuracy:-0.5pt", "accuracy", 0.005, None),
    ],
)
def test_a_condition_is_a_metric_and_how_much_worse_it_may_get(
    text: str, name: str, allowed: float, batch_size: int | None
) -> None:
    assert parse_condition(text) == Condition(metrics()[name], pytest.approx(allowed), batch_size)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("latncy_p50:+5%", "there is no metric 'latncy_p50'. Did you mean 'latency_p50'?"),
        ("latency_p50:-5%", r"takes how much worse it may get, such as latency_p50:\+5%"),
        ("latency_p50:5%", r"such as latency_p50:\+5%"),
        ("latency_p50:+5", r"such as latency_p50:\+5%"),
        ("accuracy:-1%", "such as accuracy:-0.5pt"),
        ("accuracy:+1pt", "such as accuracy:-0.5pt"),
        ("macs", r"such as macs:\+5%"),
        ("macs@64:+5%", "only latencies and train_step take a batch size"),
        ("latency_p50@0:+5%", "such as latency_p50"),
    ],
)
def test_what_cannot_be_read_is_told_with_an_example(text: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence.replace("?", r"\?")):
        parse_condition(text)


@pytest.mark.parametrize("name", metrics())
def test_a_condition_is_written_as_it_is_read(name: str) -> None:
    condition = Condition(metrics()[name], 0.025)
    assert parse_condition(condition.text) == condition
