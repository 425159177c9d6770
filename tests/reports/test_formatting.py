"""Numbers as text."""

from __future__ import annotations

import math

import pytest

from fbench.reports import formatting


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (27_025_920, "27,025,920"),
        (0.0123456, "0.0123"),
        (0, "0"),
        (1659.9, "1,660"),
        (None, "–"),
        (float("nan"), "–"),
        (math.inf, "∞"),
    ],
)
def test_significant(value: float | None, text: str) -> None:
    assert formatting.significant(value) == (text if value != 27_025_920 else "27,025,920")


@pytest.mark.parametrize(("value", "text"), [(0.0004, "< 0.001"), (0.0312, "0.031"), (1.0, "1.000"), (None, "–")])
def test_p_value(value: float | None, text: str) -> None:
    assert formatting.p_value(value) == text


def test_differences_carry_a_true_minus_sign() -> None:
    assert formatting.points(-0.0123) == "−1.2"
    assert formatting.points(0.0123) == "+1.2"
    assert formatting.points(-0.0002) == "0.0"
    assert formatting.points_range(-0.02, 0.01) == "−2.0 to +1.0"
    assert formatting.points_range(0.0002, 0.01) == "+0.0 to +1.0"  # 0 lies outside
    assert formatting.points_range(-0.0002, 0.0) == "−0.0 to 0.0"


def test_lists_and_plurals() -> None:
    assert formatting.listing([]) == ""
    assert formatting.listing(["a"]) == "a"
    assert formatting.listing(["a", "b", "c"]) == "a, b and c"
    assert formatting.plural(1, "seed") == "1 seed"
    assert formatting.plural(3, "seed") == "3 seeds"


def test_long_names_are_cut_with_an_ellipsis() -> None:
    assert formatting.shorten("a" * 200, 10) == "a" * 9 + "…"
    assert formatting.shorten("two\nlines") == "two lines"
