"""What is given from Python: a wrong type is one sentence, and nothing is taken for something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import fbench
from fbench.api.arguments import typed_arguments
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
        ({"arch": 3}, "arch takes str | Sequence[str]."),
        ({"arch": [["ires"]]}, "arch takes str | Sequence[str]."),
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


def test_right_types_pass_as_they_are() -> None:
    @typed_arguments
    def kept(one: int | None, *, many: list[str] | None = None) -> tuple[object, object]:
        return one, many

    names = ["a"]
    assert kept(None) == (None, None)
    assert kept(3, many=names)[1] is names
    assert kept.__name__ == "kept"
