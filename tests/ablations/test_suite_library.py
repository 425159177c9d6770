from __future__ import annotations

from pathlib import Path

import pytest

from fbench.ablations.library import list_suites, load_suite
from fbench.ablations.study import comparisons
from fbench.ablations.suite import resolve_names, select_studies
from fbench.architectures.registry import canonical_name, resolve
from fbench.core.errors import UserError

OWN = """
[[studies]]
name = "width"
title = "Width"
question = "Is the wide one better?"
baseline = "ires"
levels = ["ires", "ires_wide"]

[variants.ires_wide]
base = "ires"
options = { squeeze_excite = 8, head = "gap" }
"""


def test_the_suites_that_come_with_fbench() -> None:
    assert {"ablations", "chowanda2021", "ires_factorial", "smoke", "xu2021"} <= set(list_suites())


@pytest.mark.parametrize("name", list_suites())
def test_every_suite_loads_under_its_own_name_with_registered_architectures(name: str) -> None:
    suite = load_suite(name)
    assert suite.name == name
    assert resolve_names(suite, canonical_name) == suite
    for study in suite.studies:
        assert study.question.endswith("?")
        assert study.source
        assert comparisons(study)


def test_the_ablations_are_exactly_sixteen_networks() -> None:
    suite = load_suite("ablations")
    assert set(suite.architectures) == {
        "ires",
        "ires_no_se",
        "ires_se_hardsigmoid",
        "ires_relu",
        "ires_hswish_all",
        "ires_flatten",
        "ires_flatten_fc256",
        "ires_regular_conv",
        "ires_plain_conv3x3",
        "ires_no_residual",
        "ires_identity_shortcut_only",
        "ires_kernel3",
        "arch1",
        "arch2",
        "arch3",
        "arch4",
    }
    assert len(suite.architectures) == 16


def test_squeeze_excite_and_activation_need_four_networks() -> None:
    suite = select_studies(load_suite("ablations"), ["squeeze_excite", "activation"])
    assert suite.architectures == ("ires", "ires_no_se", "ires_relu", "ires_hswish_all")


def test_the_arch_networks_cross_convolution_and_head() -> None:
    study = load_suite("ablations").study("convolution_x_head")
    assert study.factors == load_suite("chowanda2021").studies[0].factors
    assert study.factors["arch1"] == {"convolution": "separable", "head": "gap"}
    assert study.factors["arch4"] == {"convolution": "full", "head": "dense"}
    assert "shortcut" in study.note


def test_the_factorial_of_ires_crosses_three_switches_and_changes_nothing_else() -> None:
    suite = load_suite("ires_factorial")
    (study,) = suite.studies
    switches = {"squeeze_excite": {"reduction 4": 4, "none": None}, "outer_activation": {"h_swish": "hard_swish"}}
    assert len(study.levels) == len(study.factors) == 8
    assert set(study.factors["ires"]) == {"squeeze_excite", "outer_activation", "head"}
    plain = resolve("ires").options
    for name, cell in study.factors.items():
        variant = suite.variants.get(name)
        built = resolve(variant.base, **variant.options) if variant else resolve(name)
        wanted = {factor: switches.get(factor, {}).get(level, level) for factor, level in cell.items()}
        assert built.builder == "ires"
        assert built.options == plain | wanted


def test_xu2021_has_the_six_rows_of_its_table() -> None:
    assert load_suite("xu2021").architectures == (
        "simple_cnn",
        "simpler_cnn",
        "lenet5",
        "mini_xception",
        "resnet50",
        "ires",
    )


def test_a_file_of_ones_own_is_named_after_itself(tmp_path: Path) -> None:
    path = tmp_path / "my_suite.toml"
    path.write_text('title = "Mine"\n' + OWN, encoding="utf-8")
    suite = load_suite(path)
    assert suite.name == "my_suite"
    assert suite.variants["ires_wide"].options == {"squeeze_excite": 8, "head": "gap"}
    assert load_suite(str(path)) == suite


def test_an_unknown_suite_names_the_closest_and_all() -> None:
    with pytest.raises(UserError, match=r"no suite 'ablation'. Did you mean 'ablations'\?.*xu2021"):
        load_suite("ablation")


def test_a_missing_file_is_one_sentence() -> None:
    with pytest.raises(UserError, match=r"no file .*missing\.toml"):
        load_suite("elsewhere/missing.toml")


def test_an_unknown_key_of_a_file_is_refused_with_the_closest(tmp_path: Path) -> None:
    path = tmp_path / "typo.toml"
    path.write_text('title = "Mine"\ndescribtion = "x"\n' + OWN, encoding="utf-8")
    with pytest.raises(UserError, match=r"typo\.toml: unknown key 'describtion'\. Did you mean 'description'\?"):
        load_suite(path)
