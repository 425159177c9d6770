"""Values of a builder's options, held against what the builder says it takes: its annotations, else its defaults."""

from __future__ import annotations

from numbers import Integral, Real
from types import NoneType
from typing import Any

from pydantic import ConfigDict, PydanticSchemaGenerationError, TypeAdapter, ValidationError

from fbench.core.errors import UserError
from fbench.core.type_words import FILES, alternatives, shown, words_of


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
    kinds = set(alternatives(wanted))
    spelled = ("none",) if str in kinds else ("none", "None", "null")
    if isinstance(value, str) and value in spelled and NoneType in kinds:
        return None
    if isinstance(value, bool) and not kinds & {bool, Any}:  # pydantic counts it as a number
        raise _wrong(option, value, wanted)
    try:
        found = _adapter(wanted).validate_python(value)
    except PydanticSchemaGenerationError:  # a type of the builder's own
        return value
    except ValidationError:
        raise _wrong(option, value, wanted) from None
    if not _is_same_kind(value, found):
        raise _wrong(option, value, wanted)
    return found


def _type_of(default: Any) -> Any:
    """What a default tells: a number may be any, as 1 is often meant as 1.0."""
    if isinstance(default, bool):
        return bool
    if isinstance(default, int | float):
        return int | float
    return str if isinstance(default, str) else Any


def _adapter(hint: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(hint, config=ConfigDict(allow_inf_nan=False))
    except PydanticSchemaGenerationError:
        raise
    except Exception:  # of any type: an annotation is a user's, and may be anything
        return TypeAdapter(Any)


def _wrong(option: str, value: Any, hint: Any) -> UserError:
    return UserError(f"{option} is {shown(value)}; give {words_of(hint, FILES)}.")


def _is_same_kind(given: Any, found: Any) -> bool:
    """Whether no number became one of another kind: pydantic takes 7.0 for a whole number, and True for 1."""
    if isinstance(given, list | tuple) and isinstance(found, list | tuple):
        return all(_is_same_kind(*pair) for pair in zip(given, found, strict=False))
    if isinstance(found, int) and not isinstance(found, bool):
        return not isinstance(given, bool) and (isinstance(given, Integral) or not isinstance(given, Real))
    return not (isinstance(found, float) and isinstance(given, bool))
