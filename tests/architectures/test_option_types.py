"""Values of options are of the types that a builder says it takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from fbench.architectures.builders import builder_from
from fbench.architectures.option_types import typed_value
from fbench.core.errors import UserError


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        *((text, True) for text in ("true", "True", "yes", "on", "1", 1)),
        *((text, False) for text in ("false", "False", "no", "off", "0", 0)),
    ],
)
@pytest.mark.parametrize("hint", [bool, None])
def test_a_truth_value_may_be_spelled(value: Any, meant: bool, hint: Any) -> None:
    assert typed_value("attention", value, hint, default=True) is meant


@pytest.mark.parametrize("value", ["maybe", "", 2, 0.5, [True], "none"])
@pytest.mark.parametrize("hint", [bool, None])
def test_what_is_no_truth_value_is_refused(value: Any, hint: Any) -> None:
    with pytest.raises(UserError, match=r"^attention is .*; give true or false\.$"):
        typed_value("attention", value, hint, default=False)


@pytest.mark.parametrize(
    ("value", "hint", "meant"),
    [
        ("8", int, 8),
        (3, float, 3.0),
        ("0.25", float, 0.25),
        ("gap", Literal["gap", "dense"], "gap"),
        ("none", int | None, None),
        ("None", int | None, None),
        ("null", int | None, None),
        ("None", str | None, "None"),
        (None, int | None, None),
        ([1, 2], tuple[int, ...], (1, 2)),
        (["3"], Sequence[int], [3]),
        ("no", bool | str, "no"),
        (True, bool | int, True),
    ],
)
def test_a_value_gets_the_annotated_type(value: Any, hint: Any, meant: Any) -> None:
    found = typed_value("width", value, hint, default=object())
    assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize(
    ("value", "hint", "words"),
    [
        ("eight", int, "a whole number"),
        (8.5, int, "a whole number"),
        (8.0, int, "a whole number"),
        ([8.0], Sequence[int], "a list of which each is a whole number"),
        (True, int, "a whole number"),
        (float("nan"), float, "a number"),
        ("gapp", Literal["gap", "dense"], "'gap' or 'dense'"),
        (4, str, "a text"),
        ("x", int | None, "a whole number or none"),
        ([1, "x"], tuple[int, ...], "a list of which each is a whole number"),
    ],
)
def test_a_value_of_another_type_is_a_sentence(value: Any, hint: Any, words: str) -> None:
    with pytest.raises(UserError) as told:
        typed_value("width", value, hint, default=object())
    assert str(told.value) == f"width is {value!r}; give {words}."


@pytest.mark.parametrize(("default", "value"), [(16, 0.5), (1.0, 2), ("a", "b"), (None, "x"), ((1, 2), [3])])
def test_without_an_annotation_the_default_tells(default: Any, value: Any) -> None:
    assert typed_value("width", value, None, default) == value


@pytest.mark.parametrize(("default", "value"), [(16, "x"), (1.0, True), ("a", 3)])
def test_without_an_annotation_another_type_than_the_defaults_is_refused(default: Any, value: Any) -> None:
    with pytest.raises(UserError, match=r"^width is"):
        typed_value("width", value, None, default)


def test_an_annotation_of_the_builders_own_passes_values_on() -> None:
    class Own:
        pass

    assert typed_value("width", "x", Own, default=None) == "x"
    assert typed_value("width", "x", "no type at all", default=None) == "x"


def test_a_default_is_allowed_whatever_the_annotation() -> None:
    assert typed_value("width", None, int, default=None) is None


def test_a_builder_says_whose_option_it_is() -> None:
    def build(num_classes: int = 7, in_channels: int = 1, image_size: int = 48, attention: bool = True) -> Any:
        return None

    builder = builder_from("my_net", build)
    assert builder.checked({"attention": "no", "num_classes": "3"}) == {"attention": False, "num_classes": 3}
    with pytest.raises(UserError, match=r"^attention of 'my_net' is 'perhaps'; give true or false\.$"):
        builder.checked({"attention": "perhaps"})


def test_a_file_path_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="give a text"):
        typed_value("weights", tmp_path, str, default="")
