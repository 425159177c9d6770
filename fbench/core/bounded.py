"""Input from anybody, within bounds: regular files of a bounded size, JSON and TOML of a bounded depth.

Whatever is wrong with it is an :class:`OSError` or a :class:`ValueError`, never a stack or a memory that is used up.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
import tomllib
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from fbench.core.contained import ContainedPath
from fbench.core.errors import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_JSON_BYTES: Final = 64 * 2**20
"""The largest record that fbench writes, a measurement of cost of 16 networks, has 2 MiB."""
MOST_TOML_BYTES: Final = 2**20
"""tomllib reads about 1 MiB a second."""
MOST_DEPTH: Final = 128

_MAY_CONTROL: Final = re.compile(r"\\u(?!00[2-6a-f])|\\[bfr]|[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", re.I)
"""What a JSON text has where one of its strings holds what a terminal obeys, and sometimes where none does."""
_LARGE: Final = re.compile(r"[eE]\+?0*[1-9][0-9]{2}|[0-9]{19}")
_TOKENS: Final = re.compile(r'"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|[\[{]|[\]}]|\.|[^\s.\[\]{}"\']+|["\']')


@contextmanager
def reading(file: Path | ContainedPath, most_bytes: int | None = None) -> Iterator[IO[bytes]]:
    """Open a file for reading that is a regular one, of at most so many bytes.

    Raises:
        OSError: there is none, or it cannot be read.
        ValueError: it is a folder, pipe or device, or larger.
        UserError: it lies below a folder that may be somebody else's, and a link leads there.
    """
    # Without O_NONBLOCK opening a pipe waits for one who writes to it.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = file.descriptor(flags) if isinstance(file, ContainedPath) else os.open(file, flags)
    try:
        _refuse(os.fstat(descriptor), most_bytes)
        stream = open(descriptor, "rb")  # noqa: PTH123, SIM115 - it is open already, and closed below
    except BaseException:
        os.close(descriptor)
        raise
    with stream:
        yield stream


def _refuse(found: os.stat_result, most_bytes: int | None) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(f"it is {'a folder' if stat.S_ISDIR(found.st_mode) else 'a pipe or device'}, no file")
    if most_bytes is not None and found.st_size > most_bytes:
        raise ValueError(f"it has {found.st_size:,} bytes, and {most_bytes:,} are the most that are read")


def read_bytes(file: Path | ContainedPath, most_bytes: int) -> bytes:
    """The content of a file, as :func:`reading` opens it; also one that has no size, as those of ``/proc``.

    Raises:
        OSError: there is none, or it cannot be read.
        ValueError: it is no regular file, or larger.
        UserError: as of :func:`reading`.
    """
    with reading(file, most_bytes) as stream:
        content = stream.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError(f"it has more than the {most_bytes:,} bytes that are read at most")
    return content


def read_text(file: Path | ContainedPath, most_bytes: int = MOST_JSON_BYTES) -> str:
    """The content of a file of UTF-8 text.

    Raises:
        OSError: there is none, or it cannot be read.
        ValueError: it is no regular file, larger, or no UTF-8.
        UserError: as of :func:`reading`.
    """
    return read_bytes(file, most_bytes).decode("utf-8")


def read_json(file: Path | ContainedPath) -> Any:
    """The value in a JSON file.

    Raises:
        OSError: there is none, or it cannot be read.
        ValueError: it is no regular file, too large, no UTF-8, no JSON, or nested too deeply.
        UserError: as of :func:`reading`.
    """
    return json_in(read_bytes(file, MOST_JSON_BYTES))


def json_in(content: bytes) -> Any:
    """The value in the content of a JSON file.

    Raises:
        ValueError: it is no UTF-8, no JSON, or nested too deeply.
    """
    text = content.decode()
    value = parse_json(text)
    return plain_texts(value) if _may_control(text) else value


def _may_control(text: str) -> bool:
    if text.isascii() and "\\" not in text and "\x7f" not in text:  # as nearly all that fbench writes
        return False
    return _MAY_CONTROL.search(text) is not None


def plain_text(text: str) -> str:
    """One text of :func:`plain_texts`."""
    return "\n".join("\t".join(map(readable, line.split("\t"))) for line in text.split("\n"))


def plain_texts(value: Any) -> Any:
    """A value of JSON or TOML whose texts, those of names included, hold nothing that a terminal obeys: control
    characters but tabs and line breaks, and what turns the direction of writing, are written as escapes."""
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, list):
        return [plain_texts(entry) for entry in value]
    if isinstance(value, dict):
        return {plain_texts(name): plain_texts(entry) for name, entry in value.items()}
    return value


def parse_json(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is no JSON, nested too deeply, or has a number that is none (NaN), infinite, or
            whole and of more than 64 bits.
    """
    may_be_large = _LARGE.search(text) is not None
    may_be_deep = text.count("[") + text.count("{") > MOST_DEPTH
    if "\\" not in text:  # pydantic's parser takes half the time of json's, and refuses some escapes that json reads
        with suppress(ValueError):  # more than 200 levels too; what follows has the words for what is wrong
            value = from_json(text, allow_inf_nan=False)
            if not (may_be_large or may_be_deep) or _is_bounded(value):
                return value
    if may_be_deep:
        _refuse_depth(text)
    if not may_be_large:
        return json.loads(text, parse_constant=_finite)
    return json.loads(text, parse_constant=_finite, parse_float=_finite, parse_int=_of_64_bits)


def _is_bounded(value: Any) -> bool:
    """Whether all numbers are finite and the whole ones of 64 bits, in no more levels than are read."""
    level = [value]
    for _ in range(MOST_DEPTH + 1):
        inner: list[Any] = []
        for one in level:
            kind = type(one)
            if kind is dict:
                inner.extend(one.values())
            elif kind is list:
                inner.extend(one)
            elif (kind is int and abs(one) >= 2**63) or (kind is float and not math.isfinite(one)):
                return False
        level = inner
    return not level


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"it has the number {number[:40]}, which is none or too large")
    return value


def _of_64_bits(number: str) -> int:
    value = int(number)
    if abs(value) >= 2**63:
        raise ValueError(f"it has the number {number[:40]}, which is too large")
    return value


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises:
        ValueError: it is no TOML, or nested too deeply.
    """
    if len(text) > MOST_TOML_BYTES:
        raise ValueError(f"it has more than the {MOST_TOML_BYTES:,} characters that are read at most")
    _refuse_depth(text, keys=True)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except (ValueError, RecursionError, OverflowError) as error:  # of numbers and dates that Python does not have
        raise ValueError(str(error) or type(error).__name__) from error


def _refuse_depth(text: str, *, keys: bool = False) -> None:
    """Refuse brackets, and with ``keys`` dotted names, that are nested more deeply than anybody means.

    Text in TOML's longest strings is looked at as if it were none, which refuses nothing that a person writes.
    """
    depth = dots = 0
    after_name = False
    for token in _TOKENS.finditer(text):
        first = text[token.start()]
        if first in "[{":
            depth += 1
        elif first in "]}":
            depth -= 1
        if keys:
            dots = dots + 1 if first == "." else 0 if after_name and first != "." else dots
            after_name = first != "."
        if depth > MOST_DEPTH or dots > MOST_DEPTH:
            raise ValueError(f"it is nested in more than {MOST_DEPTH} levels")
