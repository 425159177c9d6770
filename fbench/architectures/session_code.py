"""The code of networks that are defined in a session: in a cell of a notebook, or at a prompt."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

from fbench.architectures.plugin_sources import sources_of_text


def is_of_session(function: Callable[..., Any]) -> bool:
    """Whether a function (or class) is defined in no file, so that no other process can import it."""
    files = [code.co_filename for code in _codes(function)]
    written = [file for file in files if file != "<string>"] or files  # a dataclass has some of no file
    return bool(written) and not _is_file(written[0])


def session_identity(function: Callable[..., Any]) -> str:
    """SHA-256 (hex) of the cells that a function of a session is made of: its own, those of the functions and classes
    of the session that it uses, and what their texts import, as of
    :attr:`fbench.architectures.plugin_sources.PluginSources.identity`.

    Where a prompt keeps no text, that of what it was compiled to. A function of no session counts alone.

    Raises:
        UserError: a module of the user's own that a cell imports cannot be read.
    """
    used = list(_used_by(function))
    texts = dict.fromkeys(_text_of(code) for one in used for code in _codes(one))
    return sources_of_text("\n".join(texts).encode(), Path.cwd()).identity


def _used_by(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """The function, and the functions and classes of the session that it uses by name, each once."""
    waiting, known = [function], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in known or not (one is function or is_of_session(one)):
            continue
        known.add(id(one))
        yield one
        names = sorted({name for code in _codes(one) for name in _names_in(code)})
        around: dict[str, Any] = next((found.__globals__ for found in _functions(one)), {})
        waiting += [around[name] for name in names if callable(around.get(name))]
        waiting += [base for base in getattr(one, "__bases__", ()) if base is not object]


def _functions(function: Callable[..., Any]) -> Iterator[Any]:
    """The function, or those in the body of a class."""
    if inspect.isclass(function):
        for member in vars(function).values():
            inner = getattr(member, "__func__", member)
            if inspect.isfunction(inner):
                yield inner
    elif inspect.isfunction(function):
        yield inspect.unwrap(function)


def _codes(function: Callable[..., Any]) -> Iterator[CodeType]:
    yield from (one.__code__ for one in _functions(function))


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


def _text_of(code: CodeType) -> str:
    """The text of the cell that a code comes from; where there is none, what it was compiled to."""
    return "".join(linecache.getlines(code.co_filename)) or repr(_compiled(code))


def _compiled(code: CodeType) -> tuple[Any, ...]:
    constants = [_compiled(one) if isinstance(one, CodeType) else repr(one) for one in code.co_consts]
    return code.co_name, code.co_code.hex(), code.co_names, code.co_varnames, constants


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):
        return False
