"""What is given to a function from Python, held against its annotations: a wrong type is a sentence, as elsewhere."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from fbench.core.errors import UserError

Given = ParamSpec("Given")
Gives = TypeVar("Gives")


def typed_arguments(function: Callable[Given, Gives]) -> Callable[Given, Gives]:
    """Refuse arguments that are not of the types that a function's annotations name; True is no number.

    Raises:
        UserError: naming the argument, what was given, and the types that may be.
    """
    signature = inspect.signature(function)

    @functools.cache
    def adapters() -> dict[str, TypeAdapter[Any]]:
        settings = ConfigDict(arbitrary_types_allowed=True, strict=True)
        hints = get_type_hints(function)
        return {name: _adapter(hints[name], settings) for name in signature.parameters if name in hints}

    @functools.wraps(function)
    def checked(*args: Given.args, **kwargs: Given.kwargs) -> Gives:
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            try:
                if name in adapters():
                    adapters()[name].validate_python(value)
            except ValidationError:
                wanted = _words(get_type_hints(function)[name])
                raise UserError(
                    f"{function.__module__.partition('.')[0]}.{function.__name__}({name}={value!r:.80}) was called; "
                    f"{name} takes {wanted}."
                ) from None
        return function(*args, **kwargs)

    return checked


def _words(hint: object) -> str:
    """Types without the modules that they are in."""
    text = hint.__name__ if isinstance(hint, type) else str(hint)
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", text)


def _adapter(hint: Any, settings: ConfigDict) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(hint, config=settings)
    except Exception as error:  # of a type that has settings of its own, such as a model
        if "config" not in str(error):
            raise
        return TypeAdapter(hint)
