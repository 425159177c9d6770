"""What is given from Python: a wrong type is one sentence, and nothing is taken for something else."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fbench
from fbench.core.arguments import typed_arguments
from fbench.core.errors import UserError


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"seeds": "3"}, "seeds='3') was called; seeds takes a whole number or None."),
        ({"seeds": [0, 1]}, "seeds takes a whole number or None."),
        ({"seeds": 1.5}, "seeds takes a whole number or None."),
        ({"epochs": True}, "epochs=True) was called; epochs takes a whole number or None."),
        ({"jobs": "2"}, "jobs takes a whole number or None."),
        ({"preset": None}, "preset=None) was called; preset takes a text."),
        ({"arch": 3}, "arch takes a text or a list of which each is a text or None."),
        ({"arch": [["ires"]]}, "arch takes a text or a list of which each is a text or None."),
        ({"out": 3}, "out takes a text or a path or None."),
        ({"data": 7}, "data takes a text or a path or a list of which each is a text or a path."),
        ({"device": 0}, "device takes a text."),
    ],
)
def test_a_wrong_type_is_one_sentence(tmp_path: Path, wrong: dict[str, Any], sentence: str) -> None:
    given: dict[str, Any] = {"arch": "lenet5", "preset": "smoke", "out": tmp_path / "run"} | wrong
    with pytest.raises(UserError) as refused:
        fbench.run(**given)
    assert str(refused.value).endswith(sentence)
    assert str(refused.value).startswith("fbench.run(")
    assert not (tmp_path / "run").exists()


def test_a_run_is_loaded_from_a_path_alone() -> None:
    with pytest.raises(UserError, match=r"fbench\.load_run\(path=None\) was called; path takes a text or a path\."):
        fbench.load_run(None)  # type: ignore[arg-type] # as a person may


class Odd:
    """What no function takes."""


def public_functions() -> dict[str, Callable[..., object]]:
    names = [name for name in fbench.__all__ if name != "Run"]
    found = {name: getattr(fbench, name) for name in names}
    found |= {f"plots.{name}": getattr(fbench.plots, name) for name in fbench.plots.__all__}
    return found | {f"data.{name}": getattr(fbench.data, name) for name in fbench.data.__all__}


def public_parameters() -> list[tuple[str, str]]:
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [
        (function, name)
        for function, called in public_functions().items()
        for name, parameter in inspect.signature(called).parameters.items()
        if parameter.kind not in kinds
    ]


HUGE = 10**5000
"""Python refuses to write it in decimal."""


@pytest.mark.parametrize(("function", "name"), public_parameters())
def test_no_public_function_takes_what_it_cannot_use(function: str, name: str) -> None:
    """Every parameter of every public function, all others given as they may be."""
    called = public_functions()[function]
    parameters = inspect.signature(called).parameters
    annotation = str(parameters[name].annotation)
    needed = {one for one, parameter in parameters.items() if parameter.default is inspect.Parameter.empty}
    fitting: dict[str, Any] = {
        "labels": [0, 1] * 10,
        "request": fbench.SpeedRequest(("lenet5",)),
        "names": ("lenet5",),
        **dict.fromkeys(("trials", "history", "summary", "comparisons", "predictions"), pd.DataFrame()),
    }
    if function == "data.from_arrays":
        fitting["images"] = np.zeros((20, 8, 8), np.uint8)
    given = {
        one: fitting.get(one, "lenet5") for one in needed if parameters[one].kind is not parameters[one].VAR_KEYWORD
    }
    for wrong in (Odd(),) if "Array" in annotation else (Odd(), b"x", {3: 4}, HUGE):
        if isinstance(wrong, dict) and "Mapping" in annotation:
            continue
        given[name] = wrong
        rest = dict(given)
        first = [rest.pop(one) for one in given if parameters[one].kind is parameters[one].POSITIONAL_ONLY]
        assert_refused(functools.partial(called, *first, **rest), name)


def assert_refused(call: Callable[[], object], name: str) -> None:
    """One sentence that names the parameter, in words that no type of Python's is written in."""
    with pytest.raises(UserError) as refused:
        call()
    sentence = str(refused.value)
    assert len(sentence.splitlines()) == 1
    assert len(sentence) < 1000
    assert name in sentence
    assert not re.search(r"\b(int|str|float|ndarray|NoneType|Sequence)\b|\.\.\.", sentence)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (function, name)
        for function, name in public_parameters()
        if "int" in re.findall(r"\w+", str(inspect.signature(public_functions()[function]).parameters[name].annotation))
    ],
)
def test_a_whole_number_is_no_fraction_text_or_truth_value(function: str, name: str) -> None:
    given = {"names": ["lenet5"]} if function == "SpeedRequest" else {}
    for wrong in (7.0, np.float32(7), "7", True, HUGE, [7.0]):
        assert_refused(functools.partial(public_functions()[function], **given, **{name: wrong}), name)


class ReachedError(Exception):
    """The function began."""


@pytest.mark.parametrize("many", [list, tuple])
def test_lists_and_tuples_of_names_are_alike(monkeypatch: pytest.MonkeyPatch, many: Callable[[Any], Any]) -> None:
    request = fbench.SpeedRequest(many(["lenet5"]), many([1, 2]), many(["training"]), many(["eager"]), plugins=many([]))
    assert request == fbench.SpeedRequest(("lenet5",), (1, 2), ("training",), ("eager",))

    def reached(asked: Any, *rest: object) -> None:
        raise ReachedError(asked.only, asked.plugins, asked.data)

    monkeypatch.setattr("fbench.api.running.run_request", reached)
    given = {"arch": ["lenet5"], "only": ["a"], "plugins": ["a.py"], "data": ["synthetic"]}
    with pytest.raises(ReachedError) as begun:
        fbench.run(**{name: many(value) for name, value in given.items()})
    assert begun.value.args == (("a",), (Path("a.py"),), ("synthetic",))


def test_a_number_that_numpy_made_is_one_as_pythons_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def reached(asked: Any, *rest: object) -> None:
        raise ReachedError(asked.epochs, type(asked.epochs))

    monkeypatch.setattr("fbench.api.running.run_request", reached)
    with pytest.raises(ReachedError, match="3, <class 'int'>"):
        fbench.run(arch="lenet5", epochs=np.int64(3))  # type: ignore[arg-type] # as the largest label is


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"sed": 3}, "fbench.run has no argument 'sed'. Did you mean 'seeds'? It takes suite, arch, "),
        ({"suite": "x" * 5000}, "is no path (File name too long); suite takes "),
        ({"out": "a\0b"}, "is no path (ValueError: embedded null byte); out takes "),
        ({"preset": "\ud800"}, "with what has characters that no text file can hold; preset takes a text."),
        ({"preset": "x" * 5000}, "with what has 5,000 characters, and at most 4,096 may be; preset takes a text."),
    ],
)
def test_an_odd_text_and_a_name_that_is_no_argument_are_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as refused:
        fbench.run(**given)
    assert sentence in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_what_a_function_says_stands_on_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^a\\nb is not a run folder \(it has no run.json\)"):
        fbench.load_run("a\nb")


def test_an_argument_that_is_missing_is_a_sentence_too() -> None:
    with pytest.raises(
        UserError, match=r"fbench\.load_run was called with missing a required argument: 'path'; it takes"
    ):
        fbench.load_run()  # type: ignore[call-arg] # as a person may


def test_right_types_pass_as_they_are() -> None:
    @typed_arguments
    def kept(one: int | None, *, many: list[str] | None = None) -> tuple[object, object]:
        return one, many

    names = ["a"]
    assert kept(None) == (None, None)
    assert kept(3, many=names)[1] is names
    assert kept.__name__ == "kept"
