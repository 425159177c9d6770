"""What is given from Python: a wrong type is one sentence, and nothing is taken for something else."""

from __future__ import annotations

import inspect
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
        ({"seeds": "3"}, "seeds='3') was called; seeds takes int | None."),
        ({"seeds": [0, 1]}, "seeds takes int | None."),
        ({"seeds": 1.5}, "seeds takes int | None."),
        ({"epochs": True}, "epochs=True) was called; epochs takes int | None."),
        ({"jobs": "2"}, "jobs takes int | None."),
        ({"preset": None}, "preset=None) was called; preset takes str."),
        ({"arch": 3}, "arch takes str | Sequence[str] | None."),
        ({"arch": [["ires"]]}, "arch takes str | Sequence[str] | None."),
        ({"out": 3}, "out takes str | Path | None."),
        ({"data": 7}, "data takes str | Path | Sequence[str | Path]."),
        ({"device": 0}, "device takes str."),
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
    with pytest.raises(UserError, match=r"fbench\.load_run\(path=None\) was called; path takes str \| Path\."):
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


@pytest.mark.parametrize(("function", "name"), public_parameters())
def test_no_public_function_takes_what_it_cannot_use(function: str, name: str) -> None:
    """Every parameter of every public function, all others given as they may be."""
    called = public_functions()[function]
    parameters = inspect.signature(called).parameters
    needed = {one for one, parameter in parameters.items() if parameter.default is inspect.Parameter.empty}
    fitting: dict[str, Any] = {
        "images": np.zeros((20, 8, 8), np.uint8),
        "labels": [0, 1] * 10,
        "request": fbench.SpeedRequest(("lenet5",)),
        "names": ("lenet5",),
        **dict.fromkeys(("trials", "history", "summary", "comparisons", "predictions"), pd.DataFrame()),
    }
    given = {
        one: fitting.get(one, "lenet5") for one in needed if parameters[one].kind is not parameters[one].VAR_KEYWORD
    }
    given[name] = Odd()
    first = [given.pop(one) for one in list(given) if parameters[one].kind is parameters[one].POSITIONAL_ONLY]
    with pytest.raises(UserError) as refused:
        called(*first, **given)
    assert len(str(refused.value).splitlines()) == 1
    assert name in str(refused.value)


@pytest.mark.parametrize("method", ["compare", "report", "predictions_frame"])
def test_methods_of_a_run_refuse_too(method: str) -> None:
    called = getattr(fbench.Run, method)
    for name in list(inspect.signature(called).parameters)[1:]:
        given = {"network": "a", "baseline": "b"} if method == "compare" else {}
        with pytest.raises(UserError, match=rf"fbench\.Run\.{method}\({name}=<Odd>\) was called; {name} takes "):
            called(object(), **(given | {name: Odd()}))


def test_right_types_pass_as_they_are() -> None:
    @typed_arguments
    def kept(one: int | None, *, many: list[str] | None = None) -> tuple[object, object]:
        return one, many

    names = ["a"]
    assert kept(None) == (None, None)
    assert kept(3, many=names)[1] is names
    assert kept.__name__ == "kept"
