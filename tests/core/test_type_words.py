"""Annotations are said in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy.typing as npt
import pandas as pd
import pytest

from fbench.core.type_words import FILES, shown, words_of


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (int | None, "a whole number or None"),
        (str | Path, "a text or a path"),
        (Annotated[Literal["a", "b"], "a note"] | None, "'a' or 'b' or None"),
        (Sequence[str] | npt.NDArray[Any] | None, "a list of which each is a text or a NumPy array or None"),
        (Iterable[int], "a list of which each is a whole number"),
        (tuple[float, ...], "a list of which each is a number"),
        (Mapping[str, Any], "a mapping"),
        (Callable[[str], None], "a function"),
        (pd.DataFrame, "a DataFrame"),
        (pytest.ExitCode, "an ExitCode"),
        (Any, "anything"),
        (bool, "True or False"),
    ],
)
def test_a_type_is_said_in_words(hint: Any, words: str) -> None:
    assert words_of(hint) == words


def test_in_files_truth_and_none_are_written_small() -> None:
    assert words_of(bool | None, FILES) == "true or false or none"


def test_a_value_is_cut_and_a_number_of_any_size_can_be_shown() -> None:
    assert shown("x" * 500) == f"'{'x' * 78}…"
    assert shown(7.0) == "7.0"
    assert shown(10**5000) == shown([-(10**5000)]) == "<a number of thousands of digits>"
