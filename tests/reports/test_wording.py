"""Numbers as text."""

from __future__ import annotations

import math

import pytest

from fbench.reports import wording


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
    assert wording.significant(value) == (text if value != 27_025_920 else "27,025,920")


@pytest.mark.parametrize(("value", "text"), [(0.0004, "< 0.001"), (0.0312, "0.031"), (1.0, "1.000"), (None, "–")])
def test_p_value(value: float | None, text: str) -> None:
    assert wording.p_value(value) == text


def test_differences_carry_a_true_minus_sign() -> None:
    assert wording.points(-0.0123) == "−1.2"
    assert wording.points(0.0123) == "+1.2"
    assert wording.points(-0.0002) == "0.0"
    assert wording.points_range(-0.02, 0.01) == "−2.0 to +1.0"


def test_lists_and_plurals() -> None:
    assert wording.listing([]) == ""
    assert wording.listing(["a"]) == "a"
    assert wording.listing(["a", "b", "c"]) == "a, b and c"
    assert wording.plural(1, "seed") == "1 seed"
    assert wording.plural(3, "seed") == "3 seeds"


def test_long_names_are_cut_with_an_ellipsis() -> None:
    assert wording.shorten("a" * 200, 10) == "a" * 9 + "…"
    assert wording.shorten("two\nlines") == "two lines"
