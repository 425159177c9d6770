from __future__ import annotations

from typing import Any

import pytest

from fbench.ablations.family import families, family_of, pair_of
from fbench.ablations.library import load_suite
from fbench.ablations.suite import Suite, select_studies
from fbench.core.errors import UserError


def study(name: str, *levels: str) -> dict[str, Any]:
    return {"name": name, "title": name, "question": "?", "baseline": levels[0], "levels": levels}


def suite(**changes: Any) -> Suite:
    studies = (study("first", "a", "b", "c"), study("second", "b", "a", "d"))
    return Suite.model_validate({"name": "s", "title": "S", "studies": studies} | changes)


def pairs(*names: str) -> set[frozenset[str]]:
    return {frozenset(name) for name in names}


def test_all_comparisons_are_one_family_and_the_same_pair_counts_once() -> None:
    (family,) = families(suite(), "abcd")
    assert set(family.planned) == pairs("ab", "ac", "bd")
    assert (family.size, family.unplanned) == (3, ())


def test_each_study_may_be_a_family() -> None:
    found = families(suite(family="study"), "abcd")
    assert [(one.name, one.size) for one in found] == [("first", 2), ("second", 2)]
    assert family_of("second", found) is found[1]


def test_primary_studies_are_a_family_and_the_others_a_second_one() -> None:
    found = families(suite(primary=("second",)), "abcd")
    assert [(one.name, one.studies) for one in found] == [
        ("secondary comparisons", ("first",)),
        ("primary comparisons", ("second",)),
    ]


def test_only_what_was_planned_counts_and_the_rest_is_named() -> None:
    (family,) = families(suite(), {"a", "b", "c"})
    assert set(family.planned) == pairs("ab", "ac")
    assert family.unplanned == (("d", "b"),)


def test_a_network_under_two_names_is_one() -> None:
    (family,) = families(suite(), "abcd", same={"c": "b"})
    assert set(family.planned) == pairs("ab", "bd")
    assert pair_of("c", "a", {"c": "b"}) == pair_of("a", "b")


def test_a_suite_of_one_network_has_a_family_of_one_test() -> None:
    (family,) = families(suite(studies=(study("alone", "a"),)), "a")
    assert (family.size, family.planned) == (1, ())


def test_ablations_have_fourteen_comparisons() -> None:
    ablations = load_suite("ablations")
    (family,) = families(ablations, ablations.architectures)
    assert family.size == 14


def test_a_primary_study_must_exist_and_suits_no_families_by_study() -> None:
    with pytest.raises(UserError, match="no study 'secnd'"):
        suite(primary=("secnd",))
    with pytest.raises(UserError, match="leave out 'primary' or 'family'"):
        suite(primary=("first",), family="study")


def test_chosen_studies_keep_what_is_primary_among_them() -> None:
    assert select_studies(suite(primary=("second",)), ["first"]).primary == ()
    assert select_studies(suite(primary=("second",)), ["second"]).primary == ("second",)
