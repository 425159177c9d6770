"""The lines that a call leaves: one JSON object a result, on disk as soon as it is known."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

FILE: Final = "results.jsonl"
Status = Literal["done", "failed", "over its limit", "died", "not here"]
"""``not here``: the stage needs a device, or a part of fbench, that is not there."""


@dataclass(frozen=True)
class Line:
    """One result of a stage; that of the whole stage has no name of its own.

    ``found`` is what was measured, units in its keys. ``reason`` says in a sentence why there is nothing, ``traceback``
    where.
    """

    stage: str
    result: str
    status: Status
    took_s: float
    found: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    traceback: str = ""
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def is_of_whole_stage(self) -> bool:
        """Whether it says how a stage ended."""
        return self.result == ""


def append(folder: Path, line: Line) -> None:
    """Write a line, and wait until it is on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {key: value for key, value in asdict(line).items() if value or key in ("stage", "result", "took_s")}
    with (folder / FILE).open("ab+") as stream:
        if stream.tell() and (stream.seek(-1, os.SEEK_END), stream.read(1))[1] != b"\n":
            stream.write(b"\n")  # after a line that was cut off
        stream.write(json.dumps(_plain(values)).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())


def read(folder: Path) -> list[Line]:
    """All lines so far, in the order in which they came; a last one that was cut off is left out."""
    file = folder / FILE
    lines: list[Line] = []
    for text in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        try:
            lines.append(Line(**json.loads(text)))
        except ValueError:
            continue
    return lines


def done(lines: list[Line], stage: str) -> tuple[str, ...]:
    """The results of a stage that need not be measured again; the empty name where all of it is done."""
    return tuple(dict.fromkeys(line.result for line in lines if line.stage == stage and line.status == "done"))


def latest(lines: list[Line]) -> list[Line]:
    """The last line of each result, in the order in which results first came."""
    return list({(line.stage, line.result): line for line in lines}.values())


def _plain(value: Any) -> Any:
    """Values as JSON has them: a number that is none, or infinite, as a word."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if isinstance(value, str | int | bool | None) else str(value)
