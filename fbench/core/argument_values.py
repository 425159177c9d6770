"""What is refused of texts, paths and whole numbers that are given from Python, whatever they are given for."""

from __future__ import annotations

import os
import pathlib
import typing
from collections.abc import Iterator
from typing import Any, Final

from fbench.core.errors import reason_on_a_line

MOST_DIGITS: Final = 18
"""Of a whole number: more has no place in files, arrays and sentences."""
MOST_CHARACTERS: Final = 4096
"""Of a text; Linux allows so many of a path."""
_PROSE: Final = ("description", "paper", "role", "title")


def problem_of(name: str, value: object, hint: Any) -> str:
    """Why a value of the right type cannot be used, as a phrase; empty where it can.

    Args:
        name: of the parameter: descriptions may be long and have several lines.
        value: as it was given.
        hint: the parameter's annotation; a text that may be a path is one that the system can look up.
    """
    is_path = _names_a_path(hint)
    found = (_problem(one, is_path, name in _PROSE) for one in _single(value))
    return next(filter(None, found), "")


def is_unremarkable(value: object) -> bool:
    """Whether a value is a short text of printable ASCII, or a short number."""
    if isinstance(value, str):
        return 0 < len(value) < 256 and value.isascii() and value.isprintable()
    return isinstance(value, int) and abs(value) < 10**MOST_DIGITS


def _problem(value: object, is_path: bool, is_prose: bool) -> str:
    if isinstance(value, int) and abs(value) >= 10**MOST_DIGITS:
        return f"has more than {MOST_DIGITS} digits"
    if not isinstance(value, str | pathlib.Path) or is_unremarkable(value):
        return ""
    if is_path:
        if not str(value):
            return "is empty, which stands for no path"
        try:
            os.lstat(value)
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            if isinstance(error, PermissionError | NotADirectoryError):
                return ""  # whoever opens it says so
            return f"is no path ({getattr(error, 'strerror', None) or reason_on_a_line(error, 100)})"
        return ""
    text = str(value)
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        return "has characters that no text file can hold"
    if len(text) > MOST_CHARACTERS and not is_prose:
        return f"has {len(text):,} characters, and at most {MOST_CHARACTERS:,} may be"
    return ""


def _single(value: object) -> Iterator[object]:
    if isinstance(value, list | tuple):
        for one in value:
            yield from _single(one)
    else:
        yield value


def _names_a_path(hint: Any) -> bool:
    return hint is pathlib.Path or any(map(_names_a_path, typing.get_args(hint)))
