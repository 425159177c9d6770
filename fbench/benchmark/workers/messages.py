"""What passes between a process and its workers: JSON on a line, and nothing that could run.

A worker runs code of users, so what it says is data: bytes, text, numbers and lists of these, never a pickle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MOST_BYTES: Final = 64 * 2**20
"""The longest line that is read: a trial's have kilobytes, a measurement of cost or what all networks are megabytes."""


class NoMessageError(Exception):
    """What came from the other side is no message."""


@dataclass(frozen=True)
class Task:
    """A call of a function in a worker.

    Attributes:
        name: what it is known by while it runs; no two at a time have one name.
        function: module and name, as ``package.module:function``. It is called with the
            :class:`fbench.benchmark.workers.inside.Parent` and ``arguments``, and returns what JSON can hold.
        arguments: what JSON can hold.
        code: a digest of the user's code that it runs, none for fbench's own. A worker that ran a user's code runs no
            other afterwards, as that may have changed anything in the process.
        limit_s: the seconds that it may take.
        limit_from_last_told: whether these count anew from each thing that it tells.
    """

    name: str
    function: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    code: str | None = None
    limit_s: float | None = None
    limit_from_last_told: bool = False


def to_line(message: Mapping[str, Any]) -> bytes:
    """A message as it travels."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def from_line(line: bytes) -> dict[str, Any]:
    """A message that has travelled.

    Raises:
        NoMessageError: the line is none.
    """
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise NoMessageError(f"{line[:80]!r} is no JSON") from error
    if not isinstance(message, dict) or not line.endswith(b"\n"):
        raise NoMessageError(f"{line[:80]!r} is no message")
    return message
