from __future__ import annotations

import math

import pytest

from fbench.reports.findings.gate.change import MeasuredChange


@pytest.mark.parametrize(
    ("low", "high", "bounded"),
    [(-0.1, 0.2, True), (-math.inf, 0.2, False), (-0.1, math.inf, False), (math.nan, math.nan, False)],
)
def test_a_change_is_bounded_where_both_ends_are_known(low: float, high: float, bounded: bool) -> None:
    assert MeasuredChange(0.05, low, high, "two seeds").bounded == bounded
