"""Annotations in plain words, and values as they stand in sentences: for what is of another type."""

from __future__ import annotations

import collections.abc
import pathlib
import re
import typing
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union

_PYTHON: Final[dict[Any, str]] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "a text",
    bytes: "bytes",
    NoneType: "None",
    Any: "anything",
    pathlib.Path: "a path",
}
FILES: Final[dict[Any, str]] = _PYTHON | {bool: "true or false", NoneType: "none"}
"""As they are written in TOML, JSON and on command lines."""

_COLLECTIONS: Final[tuple[tuple[Any, str], ...]] = (
    (str, "a text"),
    (collections.abc.Mapping, "a mapping"),
    (collections.abc.Iterable, "a list"),
    (collections.abc.Callable, "a function"),
)


def words_of(hint: Any, plain: dict[Any, str] = _PYTHON) -> str:
    """What a value of an annotated type is called: ``a whole number or None`` for ``int | None``.

    Args:
        hint: the annotation, evaluated.
        plain: the words of plain types.
    """
    parts = list(dict.fromkeys(_words_of_one(part, plain) for part in alternatives(hint)))
    return " or ".join(parts)


def shown(value: object, most: int = 80) -> str:
    """A value as Python writes it, cut to so many characters; Python refuses to write numbers of over 4,300 digits."""
    try:
        text = repr(value)
    except ValueError:
        return "<a number of thousands of digits>"
    return text if len(text) <= most else f"{text[: most - 1]}…"


def alternatives(hint: Any) -> typing.Iterator[Any]:
    """The types of a union, one by one, of whatever else the annotation itself; notes of pydantic are left out."""
    if typing.get_origin(hint) in (Union, UnionType):
        for part in typing.get_args(hint):
            yield from alternatives(part)
    elif typing.get_origin(hint) is typing.Annotated:
        yield from alternatives(typing.get_args(hint)[0])
    else:
        yield hint


def _words_of_one(hint: Any, plain: dict[Any, str]) -> str:
    if hint in plain:
        return plain[hint]
    origin, inner = typing.get_origin(hint), [part for part in typing.get_args(hint) if part is not Ellipsis]
    if origin is Literal:
        return " or ".join(repr(value) for value in inner)
    kind = origin if isinstance(origin, type) else hint
    if not isinstance(kind, type):
        return re.sub(r"\b(?:\w+\.)+(?=\w)", "", str(hint))
    if kind.__module__.partition(".")[0] == "numpy":
        return "a NumPy array" if kind.__name__ == "ndarray" else "a number"
    word = next((word for base, word in _COLLECTIONS if issubclass(kind, base) and _is_general(kind)), "")
    if word == "a list" and inner:
        return f"a list of which each is {words_of(inner[0], plain)}"
    return word or _with_article(kind.__name__)


def _is_general(kind: type) -> bool:
    """Whether a collection is one of Python's own: a frame can be gone through too, but is called a frame."""
    return kind.__module__ in ("builtins", "collections.abc", "collections", "typing")


def _with_article(name: str) -> str:
    return f"{'an' if name[:1] in 'AEIOU' else 'a'} {name}"
