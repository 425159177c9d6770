"""Texts that no bundle may hold: places on a disk, addresses of people and machines, and files in the guise of text."""

from __future__ import annotations

import getpass
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from fbench.core.bounded import json_in

_END: Final = r"""[^\s"'`<>|,;()\[\]{}]*"""
_BEGINNINGS: Final = (
    r"~[\w.-]*/(?=\w)",
    r"/(?!(?:sys|proc|dev)/)(?=[\w.~-]+/|[\w~-]+\.\w)",  # places of the system are the same everywhere
    r"[A-Za-z]:[\\/](?![\\/])(?=[\w.~-])",
    r"\\\\(?=[\w.-]+\\)",
)
_PATH: Final = re.compile(rf"file:/+{_END}|(?<![\w.:/\\~)}}-])(?:{'|'.join(_BEGINNINGS)}){_END}")
_ADDRESS: Final = re.compile(r"(?<![\w.+-])[\w.+-]++@[A-Za-z][\w-]*(?:\.[\w-]+)*")
_MAIL_ADDRESS: Final = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|[a-z]{2})\b")
"""In a program ``a@b`` is a product of matrices. A word is looked through once, from where it begins."""
_MACHINE: Final = re.compile(
    r"(?<![\w.])(?:(?:10|127)\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}(?![\w.])"
)
_ENCODED: Final = re.compile(r"data:[a-z]+/[\w.+-]+;|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{400,}")

_OF_EVERYBODY: Final = frozenset(
    ("admin", "docker", "jovyan", "linux", "localhost", "nobody", "root", "runner", "ubuntu", "user")
)
_SHORTEST_NAME: Final = 3


@dataclass(frozen=True)
class PrivateText:
    """What was found in a text: its kind, such as ``an absolute path``, and the words themselves."""

    kind: str
    words: str


@dataclass(frozen=True)
class _Kind:
    name: str
    pattern: re.Pattern[str]
    in_its_place: Callable[[str], str] | None


def _last_part(path: str) -> str:
    parts = [part for part in re.split(r"[\\/]+", path) if part and part != "file:" and not part.startswith("~")]
    return parts[-1] if parts else _NOTHING


_NOTHING: Final = "…"
_KINDS: Final = (
    _Kind("an absolute path", _PATH, _last_part),
    _Kind("an address of a person or machine", _ADDRESS, lambda _: _NOTHING),
    _Kind("an address of a machine", _MACHINE, lambda _: _NOTHING),
    _Kind("a file in the guise of text", _ENCODED, None),
)
_KINDS_OF_PROGRAMS: Final = (_KINDS[0], _Kind(_KINDS[1].name, _MAIL_ADDRESS, None), *_KINDS[2:])


def private_texts(text: str, *, is_program: bool = False) -> Iterator[PrivateText]:
    """What a text holds that no bundle may have, kind by kind; ``is_program`` for the source of one."""
    for kind in _KINDS_OF_PROGRAMS if is_program else _KINDS:
        for match in kind.pattern.finditer(text):
            yield PrivateText(kind.name, match[0])


def private_in(name: str, content: bytes) -> Iterator[PrivateText]:
    """What a file holds that no bundle may have; nothing of one that is no text, or cannot be read as what it is."""
    with suppress(ValueError):
        for text in _texts(name, content):
            yield from private_texts(text, is_program=name.endswith(".py"))


def _texts(name: str, content: bytes) -> Iterator[str]:
    if name.endswith(".json"):
        yield from _strings(json_in(content))
    elif name.endswith(".jsonl"):
        for line in content.splitlines():
            yield from _strings(json_in(line))
    elif not name.endswith(".npz"):
        yield content.decode()


def _strings(value: Any) -> Iterator[str]:
    """All texts in a value of JSON, those of names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, entry in value.items():
            yield name
            yield from _strings(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _strings(entry)


def without_private(text: str, names: Iterable[str] = ()) -> str:
    """The text with the last part of a path in its place, and nothing in the place of addresses and of ``names``.

    Names are looked for as whole words of texts of several words, as a single word is what a user calls a network.
    """
    for kind in _KINDS:
        if kind.in_its_place is not None:
            replacement = kind.in_its_place
            text = kind.pattern.sub(lambda match: replacement(match[0]), text)  # noqa: B023 - used at once
    for name in names if " " in text else ():
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", _NOTHING, text)
    return text


def own_names() -> tuple[str, ...]:
    """What this machine and its user are called, but for names that say nothing."""
    names = [socket.gethostname(), socket.gethostname().partition(".")[0]]
    with suppress(OSError, KeyError, ImportError):  # a process may have no name of a user
        names.append(getpass.getuser())
    told = (name for name in dict.fromkeys(names) if len(name) >= _SHORTEST_NAME and name.lower() not in _OF_EVERYBODY)
    return tuple(told)
