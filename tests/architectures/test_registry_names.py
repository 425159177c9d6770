"""Names, aliases, wildcards, variants and what a name resolves to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest
from torch import nn

from fbench.architectures import announced, registry
from fbench.architectures.registry import (
    build,
    canonical_name,
    create,
    describe,
    list_architectures,
    register,
    register_variant,
    registered_aliases,
    resolve,
)
from fbench.core.errors import UserError


@pytest.fixture(autouse=True)
def same_registry_afterwards() -> Iterator[None]:
    create("lenet5")  # all built-in networks are registered from here on
    builders, entries = dict(registry._REGISTRY.builders), dict(registry._REGISTRY.entries)
    yield
    registry._REGISTRY.builders, registry._REGISTRY.entries = builders, entries


def tiny(
    *,
    num_classes: int = 7,
    in_channels: int = 1,
    image_size: int = 48,
    rate: float = 0.5,
    gate: int | None = 4,
) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(in_channels * image_size**2, num_classes))


def test_wildcards_pick_names() -> None:
    assert list_architectures("arch?") == ["arch1", "arch2", "arch3", "arch4"]
    assert len(list_architectures("ires*")) == 22
    assert list_architectures("nothing*") == []
    assert len(list_architectures()) == 34


def test_aliases_stand_for_registered_names() -> None:
    assert registered_aliases() == {
        "arch-1": "arch1", "arch-2": "arch2", "arch-3": "arch3", "arch-4": "arch4",
        "lenet": "lenet5", "xception": "mini_xception",
    }  # fmt: skip  # a table
    assert resolve("xception").name == canonical_name("xception") == "mini_xception"
    assert list_architectures("xception") == ["mini_xception"]


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(UserError, match=r"no architecture 'ires_nose'\. Did you mean 'ires_no_se'\?"):
        resolve("ires_nose")


def test_an_unknown_option_names_the_allowed_ones() -> None:
    with pytest.raises(
        UserError, match=r"'ires' has no option 'squeeze_excit'. Did you mean 'squeeze_excite'\?"
    ) as error:
        resolve("ires_relu", squeeze_excit=None)
    assert "depthwise_kernel" in str(error.value)


def test_a_variant_is_its_builder_with_options() -> None:
    variant, spelled = resolve("ires_no_se"), resolve("ires", squeeze_excite=None)
    assert (variant.builder, variant.options) == (spelled.builder, spelled.options)
    assert variant.name == "ires_no_se"
    assert variant.options["squeeze_excite"] is None
    assert variant.source is None
    assert variant.input_shape == (1, 48, 48)


def test_an_override_wins_over_the_variant() -> None:
    assert resolve("ires_no_se", squeeze_excite=4).options == resolve("ires").options


def test_equal_values_in_another_form_are_one_identity() -> None:
    assert resolve("ires", squeeze_excite="none", dropout=0).options == resolve("ires_no_se").options
    assert resolve("ires", dense_widths=(256,)).options["dense_widths"] == [256]
    assert resolve("arch1", shortcut="none").options["shortcut"] == "none"


def test_a_value_without_a_json_form_is_refused() -> None:
    with pytest.raises(UserError, match=r"dropout of 'ires' is .*; give a number\."):
        resolve("ires", dropout=object())


def test_resolved_options_build_the_network() -> None:
    assert isinstance(build(resolve("lenet5", num_classes=3)), nn.Module)


def test_registering_makes_a_network_like_any_other() -> None:
    register("tiny", description="A linear layer", aliases=["tiny-1"])(tiny)
    register_variant("tiny_ungated", of="tiny", gate=None)
    assert list_architectures("tiny*") == ["tiny", "tiny_ungated"]
    assert resolve("tiny-1").options == {
        "num_classes": 7, "in_channels": 1, "image_size": 48, "rate": 0.5, "gate": 4,
    }  # fmt: skip  # a table
    assert resolve("tiny_ungated").options["gate"] is None
    assert describe("tiny").description == "A linear layer"
    assert resolve("tiny").source is not None
    assert isinstance(create("tiny", in_channels=3), nn.Module)


def test_a_variant_of_a_built_in_network_may_be_the_users() -> None:
    register_variant("my_ires", of="ires", squeeze_excite=16)
    assert resolve("my_ires").options["squeeze_excite"] == 16


@pytest.mark.parametrize("name", ["", " ", "tiny ", "\ttiny", "ti\nny", "ti\x1b[2Jny", "\u202eynit"])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"^The architecture name .[^\x00-\x1f]*. is empty, begins or ends"):
        register(name)(tiny)
    with pytest.raises(UserError, match="choose another name"):
        register_variant(name, of="ires")


@pytest.mark.parametrize("taken", ["ires", "xception", "ires_no_se"])
def test_a_taken_name_is_refused(taken: str) -> None:
    with pytest.raises(UserError, match=f"'{taken}' is taken"):
        register(taken)(tiny)
    with pytest.raises(UserError, match=f"'{taken}' is taken"):
        register_variant(taken, of="ires")
    with pytest.raises(UserError, match=f"'{taken}' is taken"):
        register("tiny", aliases=[taken])(tiny)


def test_a_name_is_taken_after_it_was_registered() -> None:
    register("tiny")(tiny)
    with pytest.raises(UserError, match="'tiny' is taken"):
        register("tiny")(tiny)


def test_a_builder_must_name_its_options_with_defaults() -> None:
    def without_default(*, num_classes: int, in_channels: int = 1, image_size: int = 48) -> nn.Module:
        raise NotImplementedError

    def without_size(*, num_classes: int = 7, in_channels: int = 1) -> nn.Module:
        raise NotImplementedError

    def with_anything(**options: object) -> nn.Module:
        raise NotImplementedError

    for builder, message in (
        (without_default, "'num_classes' of 'broken' has no default"),
        (without_size, "lacks the option 'image_size'"),
        (with_anything, r"takes '\*\*options"),
    ):
        with pytest.raises(UserError, match=message):
            register("broken")(builder)


def test_a_variant_needs_a_builder_and_its_options() -> None:
    with pytest.raises(UserError, match="no architecture 'iress'"):
        register_variant("mine", of="iress")
    with pytest.raises(UserError, match="'ires_no_se', which is no builder"):
        register_variant("mine", of="ires_no_se")
    with pytest.raises(UserError, match="'ires' has no option 'kernel'"):
        register_variant("mine", of="ires", kernel=3)


def test_an_installed_package_is_listed_without_loading_and_loaded_when_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = {
        "packaged": EntryPoint("packaged", f"{__name__}:tiny", announced.ENTRY_POINT_GROUP),
        "missing": EntryPoint("missing", "no_such_module_anywhere", announced.ENTRY_POINT_GROUP),
    }
    monkeypatch.setattr(announced, "entry_points", lambda: points)
    assert set(list_architectures()) >= {"packaged", "missing"}
    assert "packaged" not in registry._REGISTRY.entries
    assert resolve("packaged").options["rate"] == 0.5
    with pytest.raises(UserError, match=r"'missing' .*no_such_module_anywhere"):
        resolve("missing")


def test_listing_imports_neither_torch_nor_pydantic_nor_pandas() -> None:
    heavy = "{'torch', 'pydantic', 'pandas', 'numpy'}"
    code = (
        "import sys; from fbench.architectures.registry import list_architectures; list_architectures(); "
        "import fbench.cli.architectures; "
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
