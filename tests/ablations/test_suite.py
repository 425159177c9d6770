from __future__ import annotations

from typing import Any

import pytest

from fbench.ablations.suite import Suite, adhoc_suite, resolve_names, select_studies, with_levels
from fbench.core.errors import UserError, did_you_mean
from fbench.core.schema import parse

REGISTERED = ("ires", "ires_relu", "lenet5", "arch1")
ALIASES = {"lenet": "lenet5"}


def study(name: str, *levels: str) -> dict[str, Any]:
    return {"name": name, "title": name, "question": "Is it?", "baseline": levels[0], "levels": list(levels)}


def make(*studies: dict[str, Any], **more: object) -> Suite:
    return parse(Suite, {"name": "mine", "title": "Mine", "studies": list(studies)} | more, "a test")


def canonical_name(name: str) -> str:
    if name in REGISTERED:
        return name
    if name in ALIASES:
        return ALIASES[name]
    raise UserError(f"There is no architecture '{name}'.{did_you_mean(name, REGISTERED)}")


def test_the_architectures_are_the_levels_of_all_studies_in_order_once() -> None:
    suite = make(study("one", "ires", "ires_relu"), study("two", "arch1", "ires"))
    assert suite.architectures == ("ires", "ires_relu", "arch1")


def test_two_studies_of_one_name_are_refused() -> None:
    with pytest.raises(UserError, match="two studies named 'one'"):
        make(study("one", "ires"), study("one", "arch1"))


def test_a_suite_without_studies_is_refused() -> None:
    with pytest.raises(UserError, match="studies"):
        make()


def test_a_name_that_cannot_be_a_folder_is_refused() -> None:
    with pytest.raises(UserError, match="name"):
        make(study("one", "ires"), name="../elsewhere")


def test_an_unknown_key_in_a_study_is_refused_with_the_closest() -> None:
    with pytest.raises(UserError, match=r"unknown key 'titel'.*Did you mean 'title'\?"):
        make(study("one", "ires") | {"titel": "x"})


def test_selecting_studies_keeps_their_order_and_the_variants_they_use() -> None:
    suite = make(
        study("one", "ires", "wide"),
        study("two", "ires", "narrow"),
        study("three", "arch1"),
        variants={"wide": {"base": "ires"}, "narrow": {"base": "ires", "options": {"squeeze_excite": 8}}},
    )
    chosen = select_studies(suite, ["three", "two"])
    assert [kept.name for kept in chosen.studies] == ["two", "three"]
    assert list(chosen.variants) == ["narrow"]
    assert chosen.name == suite.name
    assert select_studies(suite, []) == suite


def test_selecting_an_unknown_study_names_the_closest_and_all() -> None:
    with pytest.raises(UserError, match=r"no study 'heads'. Did you mean 'head'\? Its studies: head, kernel\."):
        select_studies(make(study("head", "ires"), study("kernel", "ires")), ["heads"])


def test_networks_of_the_command_line_are_compared_with_the_one_named() -> None:
    suite = adhoc_suite(["my_net", "other", "my_net"], against="ires")
    assert suite.architectures == ("ires", "my_net", "other")
    assert suite.studies[0].baseline == "ires"
    assert suite.name == "my_net-other-against-ires"


def test_without_a_baseline_the_first_network_is_it() -> None:
    assert adhoc_suite(["a", "b"]).studies[0].baseline == "a"
    assert adhoc_suite(["a"]).architectures == ("a",)
    assert adhoc_suite(["a"], against="a").architectures == ("a",)


def test_many_networks_get_a_short_name_of_their_own() -> None:
    first = adhoc_suite([f"network_number_{i}" for i in range(12)])
    second = adhoc_suite([f"network_number_{i}" for i in range(1, 13)])
    assert len(first.name) <= 60
    assert first.name != second.name


def test_a_strange_architecture_name_still_makes_a_folder_name() -> None:
    assert adhoc_suite(["../my net"], against="ires").name == "my_net-against-ires"


def test_no_network_at_all_is_refused() -> None:
    with pytest.raises(UserError, match="--arch"):
        adhoc_suite([])


def test_aliases_become_registered_names_everywhere() -> None:
    suite = make(
        study("one", "lenet", "small") | {"factors": {"lenet": {"f": "a"}, "small": {"f": "b"}}},
        variants={"small": {"base": "lenet"}},
    )
    resolved = resolve_names(suite, canonical_name)
    assert resolved.studies[0].baseline == "lenet5"
    assert resolved.architectures == ("lenet5", "small")
    assert resolved.studies[0].factors["lenet5"] == {"f": "a"}
    assert resolved.variants["small"].base == "lenet5"


def test_an_unknown_architecture_names_its_study_and_the_closest() -> None:
    with pytest.raises(UserError, match=r"Study 'one' of suite 'mine': .*'irse'\. Did you mean 'ires'\?"):
        resolve_names(make(study("one", "ires", "irse")), canonical_name)


def test_an_unknown_network_of_the_command_line_is_no_matter_of_a_study() -> None:
    with pytest.raises(UserError, match=r"^There is no architecture 'irse'\. Did you mean 'ires'\?"):
        resolve_names(adhoc_suite(["irse"]), canonical_name)


def test_an_unknown_base_names_its_variant() -> None:
    suite = make(study("one", "ires", "wide"), variants={"wide": {"base": "irs"}})
    with pytest.raises(UserError, match=r"Variant 'wide' of suite 'mine': .*Did you mean 'ires'\?"):
        resolve_names(suite, canonical_name)


@pytest.mark.parametrize("name", ["ires_relu", "lenet"])
def test_a_variant_may_not_take_a_registered_name(name: str) -> None:
    suite = make(study("one", "ires", name), variants={name: {"base": "ires"}})
    with pytest.raises(UserError, match=f"variant '{name}', which is a registered architecture"):
        resolve_names(suite, canonical_name)


def test_an_architecture_beside_its_alias_is_refused() -> None:
    with pytest.raises(UserError, match="'lenet5' twice"):
        resolve_names(make(study("one", "lenet", "lenet5")), canonical_name)


def test_a_variant_that_no_study_uses_is_refused() -> None:
    with pytest.raises(UserError, match="'wide', which no study uses"):
        make(study("one", "ires"), variants={"wide": {"base": "ires"}})


def test_options_of_a_variant_keep_their_types() -> None:
    options = {"squeeze_excite": 8, "dropout": 0.5, "first_expansion": False, "head": "gap", "widths": [2, 3]}
    suite = make(study("one", "wide"), variants={"wide": {"base": "ires", "options": options}})
    kept = suite.variants["wide"].options
    assert kept == options | {"widths": (2, 3)}
    assert {key: type(value) for key, value in kept.items()} == {
        "squeeze_excite": int,
        "dropout": float,
        "first_expansion": bool,
        "head": str,
        "widths": tuple,
    }


def test_a_suite_of_some_levels_keeps_the_studies_that_still_compare_and_trains_the_rest_alone() -> None:
    variants = {"wide": {"base": "ires", "options": {"width": 2}}}
    whole = make(
        study("one", "ires", "ires_relu", "wide"),
        study("two", "arch1", "ires_relu", "lenet5"),
        study("three", "lenet5", "ires_relu"),
        variants=variants,
        primary=["one", "two"],
        resources={"arch1": {"gpu": True}},
    )
    some = with_levels(whole, {"ires", "ires_relu", "lenet5"})
    assert [(one.name, one.baseline, one.levels) for one in some.studies] == [
        ("one", "ires", ("ires", "ires_relu")),
        ("three", "lenet5", ("lenet5", "ires_relu")),
    ]
    assert (some.primary, some.variants, some.resources) == (("one",), {}, {})
    rest = with_levels(whole, {"wide", "arch1"})
    assert [(one.name, one.levels) for one in rest.studies] == [("two", ("arch1",)), ("alone.wide", ("wide",))]
    assert rest.variants.keys() == {"wide"}
    assert rest.resources.keys() == {"arch1"}
    assert set(some.architectures) | set(rest.architectures) == set(whole.architectures)
    assert with_levels(whole, whole.architectures) == whole


def test_crossed_factors_that_lose_a_cell_are_no_longer_crossed() -> None:
    cells = {name: {"a": name[0], "b": name[1]} for name in ("xx", "xy", "yx", "yy")}
    crossed = study("one", *cells) | {"factors": cells}
    suite = make(crossed, variants={name: {"base": "ires"} for name in cells})
    assert with_levels(suite, cells).studies[0].factors == cells
    assert with_levels(suite, {"xx", "xy", "yx"}).studies[0].factors == {}
