"""What is given to a function from Python, held against its annotations: a wrong type is a sentence, as elsewhere."""

from __future__ import annotations

import functools
import inspect
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, get_type_hints

from fbench.core.argument_values import is_unremarkable, problem_of
from fbench.core.errors import UserError, did_you_mean, readable

Given = ParamSpec("Given")
Gives = TypeVar("Gives")
ClassT = TypeVar("ClassT", bound=type)

_PLAIN: Final[dict[str, type]] = {"str": str, "bool": bool, "int": int}


def typed_arguments(function: Callable[Given, Gives]) -> Callable[Given, Gives]:
    """Refuse arguments that are not of the types that a function's annotations name; True is no number.

    Raises:
        UserError: naming the argument, what was given, and what may be; an argument that the function does not have, or
            that it lacks.
    """
    return _checked(function, _public_name(function))


def typed_methods(decorated: ClassT) -> ClassT:
    """What :func:`typed_arguments` does, for every public method of a class, those that it inherits from fbench too."""
    for name in dir(decorated):
        held = inspect.getattr_static(decorated, name)
        method = held.__func__ if isinstance(held, classmethod) else held
        if name.startswith("_") or not inspect.isfunction(method) or not method.__module__.startswith("fbench."):
            continue
        checked = _checked(method, f"fbench.{decorated.__name__}.{name}")
        setattr(decorated, name, classmethod(checked) if isinstance(held, classmethod) else checked)
    return decorated


def _checked(function: Callable[Given, Gives], public_name: str) -> Callable[Given, Gives]:
    signature = inspect.signature(function)

    @functools.wraps(function)
    def checked(*args: Given.args, **kwargs: Given.kwargs) -> Gives:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise _misfit(signature, public_name, error, kwargs) from None
        bound.arguments |= _in_python(bound.arguments)
        refuse_wrong_types(function, bound.arguments, public_name)
        try:
            return function(*bound.args, **bound.kwargs)
        except UserError as error:
            if readable(str(error)) == str(error):
                raise
            raise UserError(readable(str(error))) from error

    return checked


def refuse_wrong_types(called: Callable[..., object], given: Mapping[str, object], public_name: str = "") -> None:
    """What :func:`typed_arguments` does, for a function or a class that checks its own arguments, by name.

    Raises:
        UserError: as there.
    """
    annotated = inspect.signature(called).parameters
    unclear = {name: value for name, value in given.items() if not _is_plainly(annotated[name].annotation, value)}
    if not unclear:
        return  # without pydantic, whose import a list of names does not wait for
    from pydantic import ValidationError

    from fbench.core.type_words import shown, words_of

    adapters = _adapters(called)
    for name, value in unclear.items():
        if name in adapters:
            adapter, hint = adapters[name]
            try:
                found = adapter.validate_python(value, strict=True)
                if isinstance(found, Iterator) and not isinstance(value, Iterator):
                    deque(found, maxlen=0)  # what may be gone through twice; pydantic looks when it is gone through
            except ValidationError:
                problem = ""
            else:
                problem = problem_of(name, value, hint)
                if not problem:
                    continue
            plain = isinstance(value, str | Path | int | float | tuple | list | None)
            text = shown(value) if plain else f"<{type(value).__name__}>"
            what = f"{public_name or _public_name(called)}({name}={text}) was called"
            raise UserError(f"{what}{f' with what {problem}' if problem else ''}; {name} takes {words_of(hint)}.")


def _misfit(signature: inspect.Signature, name: str, error: TypeError, given: Mapping[str, object]) -> UserError:
    """What to say where arguments do not fit a signature."""
    allowed = [one for one in signature.parameters if one not in ("self", "cls")]
    unknown = next((one for one in given if one not in allowed), None)
    names = ", ".join(allowed) or "nothing"
    if unknown is not None:
        return UserError(f"{name} has no argument '{unknown}'.{did_you_mean(unknown, allowed)} It takes {names}.")
    return UserError(f"{name} was called with {error}; it takes {names}.")


def _in_python(given: Mapping[str, object]) -> dict[str, object]:
    """The numbers among the arguments that NumPy made, as Python's: the largest label is one as often as not."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return {}
    return {name: value.item() for name, value in given.items() if isinstance(value, numpy.generic)}


def _is_plainly(annotation: object, value: object) -> bool:
    """Whether a value has just the one plain type that is annotated, and nothing odd about it."""
    return type(value) is _PLAIN.get(str(annotation)) and is_unremarkable(value)


@functools.cache
def _adapters(called: Callable[..., object]) -> dict[str, tuple[Any, object]]:
    """By parameter: what validates it, and its annotation. Those annotated as arrays are left to the function."""
    from pydantic import ConfigDict, InstanceOf, TypeAdapter
    from pydantic.errors import PydanticUserError

    named = {name: one.annotation for name, one in inspect.signature(called).parameters.items()}
    annotated = {name: hint for name, hint in named.items() if hint is not inspect.Parameter.empty}
    holder = type("Holder", (), {"__annotations__": annotated})
    namespace = vars(sys.modules[called.__module__])
    strict = ConfigDict(arbitrary_types_allowed=True, strict=True, allow_inf_nan=False)
    instance_of: Any = InstanceOf
    adapters: dict[str, tuple[Any, object]] = {}
    for name, hint in get_type_hints(holder, globalns=namespace, include_extras=True).items():
        if "SupportsArray" in str(hint):
            continue
        try:
            adapters[name] = TypeAdapter(hint, config=strict), hint
        except PydanticUserError:  # of a class with settings of its own: a model or a dataclass
            adapters[name] = TypeAdapter(instance_of[hint]), hint
    return adapters


def _public_name(called: Callable[..., object]) -> str:
    """As a person writes it: ``fbench.run``, ``fbench.plots.seeds``."""
    parts = called.__module__.split(".")
    module = parts[:2] if len(parts) == 2 else parts[:1]
    return ".".join((*module, getattr(called, "__qualname__", "").rpartition("<locals>.")[2]))
