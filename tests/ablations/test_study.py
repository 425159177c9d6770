from __future__ import annotations

from typing import Any

import pytest

from fbench.ablations.study import Study, comparisons
from fbench.core.errors import UserError
from fbench.core.schema import parse

STUDY: dict[str, Any] = {
    "name": "gate",
    "title": "Gate",
    "question": "Does the gate matter?",
    "baseline": "ires",
    "levels": ["ires", "ires_relu", "ires_no_se"],
}
CROSSED: dict[str, Any] = STUDY | {
    "baseline": "arch1",
    "levels": ["arch1", "arch2"],
    "factors": {"arch1": {"head": "gap"}, "arch2": {"head": "dense"}},
}


def make(**changes: object) -> Study:
    return parse(Study, STUDY | changes, "a test")


def test_the_family_is_every_level_against_the_baseline() -> None:
    assert comparisons(make()) == [("ires_relu", "ires"), ("ires_no_se", "ires")]


def test_a_baseline_alone_has_an_empty_family() -> None:
    assert comparisons(make(levels=["ires"])) == []


def test_the_default_margin_is_one_point() -> None:
    assert make().margin_points == 1.0


def test_a_baseline_that_is_no_level_is_refused_with_the_closest() -> None:
    with pytest.raises(UserError, match=r"baseline 'irse'.*Did you mean 'ires'\?"):
        make(baseline="irse")


def test_a_level_listed_twice_is_refused() -> None:
    with pytest.raises(UserError, match="'ires' twice"):
        make(levels=["ires", "ires"])


def test_an_unknown_key_is_refused_with_the_closest() -> None:
    with pytest.raises(UserError, match=r"unknown key 'margin'.*Did you mean 'margin_points'\?"):
        make(margin=2)


@pytest.mark.parametrize("margin", [0, -1, 100])
def test_a_margin_that_makes_no_sense_is_refused(margin: float) -> None:
    with pytest.raises(UserError, match="margin_points"):
        make(margin_points=margin)


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ({"arch1": {"head": "gap"}}, "mend 'arch2'"),
        ({"arch1": {"head": "gap"}, "arch2": {"hed": "dense"}}, "same factors"),
        ({"arch1": {"head": "gap"}, "arch2": {"head": "gap"}}, "exactly one level"),
        (
            {"arch1": {"head": "gap", "kernel": "3"}, "arch2": {"head": "dense", "kernel": "5"}},
            "2 levels for the 4 combinations of head x kernel",
        ),
    ],
)
def test_factors_that_are_not_crossed_are_refused(factors: dict[str, dict[str, str]], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse(Study, CROSSED | {"factors": factors}, "a test")


def test_crossed_factors_are_kept_by_architecture() -> None:
    assert parse(Study, CROSSED, "a test").factors["arch2"] == {"head": "dense"}
