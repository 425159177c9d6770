"""What is given to a function from Python, held against its annotations: a wrong type is a sentence, as elsewhere."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, ParamSpec, TypeVar, get_type_hints

from fbench.core.errors import UserError

Given = ParamSpec("Given")
Gives = TypeVar("Gives")

_PLAIN: Final[dict[str, type]] = {"str": str, "bool": bool, "int": int}


def typed_arguments(function: Callable[Given, Gives]) -> Callable[Given, Gives]:
    """Refuse arguments that are not of the types that a function's annotations name; True is no number.

    Raises:
        UserError: naming the argument, what was given, and the types that may be.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def checked(*args: Given.args, **kwargs: Given.kwargs) -> Gives:
        refuse_wrong_types(function, signature.bind(*args, **kwargs).arguments)
        return function(*args, **kwargs)

    return checked


def refuse_wrong_types(called: Callable[..., object], given: Mapping[str, object]) -> None:
    """What :func:`typed_arguments` does, for a function or a class that checks its own arguments, by name.

    Raises:
        UserError: as there.
    """
    annotated = inspect.signature(called).parameters
    unclear = {name: value for name, value in given.items() if not _is_plainly(annotated[name].annotation, value)}
    if not unclear:
        return  # without pydantic, whose import a list of names does not wait for
    from pydantic import ValidationError

    adapters = _adapters(called)
    for name, value in unclear.items():
        if name in adapters:
            adapter, hint = adapters[name]
            try:
                adapter.validate_python(value)
            except ValidationError:
                raise UserError(
                    f"{_public_name(called)}({name}={_shown(value)}) was called; {name} takes {_words(hint)}."
                ) from None


def _is_plainly(annotation: object, value: object) -> bool:
    """Whether a value has just the one plain type that is annotated."""
    return type(value) is _PLAIN.get(str(annotation))


@functools.cache
def _adapters(called: Callable[..., object]) -> dict[str, tuple[Any, object]]:
    """By parameter: what validates it, and its annotation. Those annotated as arrays are left to the function."""
    from pydantic import ConfigDict, TypeAdapter
    from pydantic.errors import PydanticUserError

    named = {name: one.annotation for name, one in inspect.signature(called).parameters.items()}
    annotated = {name: hint for name, hint in named.items() if hint is not inspect.Parameter.empty}
    holder = type("Holder", (), {"__annotations__": annotated})
    namespace = vars(sys.modules[called.__module__])
    strict = ConfigDict(arbitrary_types_allowed=True, strict=True, allow_inf_nan=False)
    adapters: dict[str, tuple[Any, object]] = {}
    for name, hint in get_type_hints(holder, globalns=namespace, include_extras=True).items():
        if "SupportsArray" in str(hint):
            continue
        try:
            adapters[name] = TypeAdapter(hint, config=strict), hint
        except PydanticUserError:  # of a type that has settings of its own, such as a model
            adapters[name] = TypeAdapter(hint), hint
    return adapters


def _public_name(called: Callable[..., object]) -> str:
    """As a person writes it: ``fbench.run``, ``fbench.plots.seeds``."""
    parts = called.__module__.split(".")
    module = parts[:2] if len(parts) == 2 else parts[:1]
    return ".".join((*module, getattr(called, "__qualname__", "").rpartition("<locals>.")[2]))


def _shown(value: object) -> str:
    plain = isinstance(value, str | int | float | tuple | list | None)
    return f"{value!r:.80}" if plain else f"<{type(value).__name__}>"


def _words(hint: object) -> str:
    """Types without the modules that they are in."""
    text = hint.__name__ if isinstance(hint, type) else str(hint)
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", text)
