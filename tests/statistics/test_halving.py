"""Who goes on in successive halving, and when the default is beaten."""

from __future__ import annotations

import pytest

from fbench.statistics import halving
from fbench.statistics.halving import beats_default


def survivors(scores: dict[int, float | None], keep: int) -> tuple[int, ...]:
    return halving.survivors({key: None if one is None else (one,) for key, one in scores.items()}, keep)


def ranked(scores: dict[int, float | None]) -> tuple[int, ...]:
    return halving.ranked({key: None if one is None else (one,) for key, one in scores.items()})


def test_the_best_beside_the_default_go_on() -> None:
    assert survivors({0: 0.1, 1: 0.5, 2: 0.4, 3: 0.6}, keep=2) == (0, 1, 3)


def test_the_default_goes_on_even_where_it_is_worst_or_failed() -> None:
    assert survivors({0: 0.0, 1: 0.5, 2: 0.4}, keep=1) == (0, 1)
    assert survivors({0: None, 1: 0.5, 2: 0.4}, keep=1) == (0, 1)


def test_the_default_takes_no_place_from_the_others() -> None:
    assert survivors({0: 0.9, 1: 0.5, 2: 0.4}, keep=2) == (0, 1, 2)


def test_of_equals_the_first_goes_on() -> None:
    assert survivors({0: 0.1, 1: 0.5, 2: 0.5, 3: 0.5}, keep=1) == (0, 1)
    assert ranked({0: 0.1, 3: 0.5, 1: 0.5, 2: 0.6}) == (2, 1, 3)


def test_equal_first_numbers_are_told_apart_by_the_second() -> None:
    assert halving.ranked({0: (0.1, 0.0), 1: (0.5, -2.0), 2: (0.5, -1.5), 3: (0.4, 0.0)}) == (2, 1, 3)


def test_who_failed_never_goes_on() -> None:
    assert survivors({0: 0.1, 1: None, 2: 0.05, 3: None}, keep=2) == (0, 2)
    assert ranked({0: 0.1, 1: None}) == ()


@pytest.mark.parametrize(("difference", "beaten"), [(0.0101, True), (0.01, False), (0.0, False), (-0.5, False)])
def test_the_default_is_beaten_by_more_than_one_standard_error(difference: float, beaten: bool) -> None:
    assert beats_default(difference, 0.01) is beaten
