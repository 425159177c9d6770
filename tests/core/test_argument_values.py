"""Texts, paths and numbers that have the right type, and that nothing can use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fbench.core.argument_values import is_unremarkable, problem_of


@pytest.mark.parametrize(
    ("value", "hint", "problem"),
    [
        (10**18, int, "has more than 18 digits"),
        ([1, -(10**18)], Sequence[int], "has more than 18 digits"),
        ("a\0b", str, "has characters that no text file can hold"),
        (["a", "\udc80"], Sequence[str], "has characters that no text file can hold"),
        ("x" * 4097, str | None, "has 4,097 characters, and at most 4,096 may be"),
        ("x" * 300, str | Path, "is no path (File name too long)"),
        ("", str | Path | None, "is empty, which stands for no path"),
        (Path("a\0b"), str | Path, "is no path (ValueError: embedded null byte)"),
    ],
)
def test_it_is_said_why(value: object, hint: Any, problem: str) -> None:
    assert problem_of("given", value, hint) == problem


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (10**18 - 1, int),
        ("", str),
        ("Gesichter, größer", str),
        ("no/such/file", str | Path),
        ("\udc80", str | Path),
        (None, str),
    ],
)
def test_what_can_be_used_passes(value: object, hint: Any) -> None:
    assert problem_of("given", value, hint) == ""


def test_a_path_below_a_file_is_left_to_what_opens_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert problem_of("out", tmp_path / "file" / "below", str | Path) == ""


def test_a_description_may_be_long() -> None:
    assert problem_of("description", "x" * 5000, str) == ""


def test_short_ascii_and_short_numbers_are_unremarkable() -> None:
    assert is_unremarkable("ires")
    assert is_unremarkable(7)
    assert not is_unremarkable("a\nb")
    assert not is_unremarkable(10**18)
    assert not is_unremarkable(7.0)
