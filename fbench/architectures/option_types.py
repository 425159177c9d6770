"""Values of a builder's options, held against what the builder says it takes: its annotations, else its defaults."""

from __future__ import annotations

import typing
from types import NoneType, UnionType
from typing import Any, Literal, Union

from pydantic import ConfigDict, PydanticSchemaGenerationError, TypeAdapter, ValidationError

from fbench.core.errors import UserError

_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    NoneType: "none",
}


def typed_value(option: str, value: Any, hint: Any, default: Any) -> Any:
    """The value as the type that an option has: ``"no"`` as False where it is true or false, ``"8"`` as 8 where it is a
    number.

    Args:
        option: its name, for the sentence.
        value: of it, as TOML, JSON, a command line or Python gave it.
        hint: the annotated type; none where there is no annotation, or one that means nothing at run time.
        default: the builder's own value, which is always allowed, and whose type counts where there is no annotation.

    Raises:
        UserError: a value of another type.
    """
    if value is default or (type(value) is type(default) and value == default):
        return value
    wanted = _type_of(default) if hint is None else hint
    kinds = set(_alternatives(wanted))
    spelled = ("none",) if str in kinds else ("none", "None", "null")
    if isinstance(value, str) and value in spelled and NoneType in kinds:
        return None
    if isinstance(value, bool) and not kinds & {bool, Any}:  # pydantic counts it as a number
        raise _wrong(option, value, wanted)
    try:
        return _adapter(wanted).validate_python(value)
    except PydanticSchemaGenerationError:  # a type of the builder's own
        return value
    except ValidationError:
        raise _wrong(option, value, wanted) from None


def _type_of(default: Any) -> Any:
    """What a default tells: a number may be any, as 1 is often meant as 1.0."""
    if isinstance(default, bool):
        return bool
    if isinstance(default, int | float):
        return int | float
    return str if isinstance(default, str) else Any


def _alternatives(hint: Any) -> typing.Iterator[Any]:
    if typing.get_origin(hint) in (Union, UnionType):
        for part in typing.get_args(hint):
            yield from _alternatives(part)
    elif typing.get_origin(hint) is typing.Annotated:
        yield from _alternatives(typing.get_args(hint)[0])
    else:
        yield hint


def _adapter(hint: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(hint, config=ConfigDict(allow_inf_nan=False))
    except PydanticSchemaGenerationError:
        raise
    except Exception:  # of any type: an annotation is a user's, and may be anything
        return TypeAdapter(Any)


def _wrong(option: str, value: Any, hint: Any) -> UserError:
    return UserError(f"{option} is {value!r}; give {_words(hint)}.")


def _words(hint: Any) -> str:
    parts = [_words_of_one(part) for part in _alternatives(hint)]
    return " or ".join(dict.fromkeys(parts))


def _words_of_one(hint: Any) -> str:
    if hint in _WORDS:
        return _WORDS[hint]
    origin, inner = typing.get_origin(hint), [part for part in typing.get_args(hint) if part is not Ellipsis]
    if origin is Literal:
        return " or ".join(repr(value) for value in inner)
    if isinstance(origin, type) and issubclass(origin, typing.Sequence):
        return f"a list of which each is {_words(inner[0])}" if inner else "a list"
    return getattr(hint, "__name__", str(hint))
