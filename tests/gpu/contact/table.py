"""What a call found, as a short table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.gpu.contact.lines import Line

WIDTH: Final = 150


def table(lines: list[Line]) -> str:
    """A line for each result, those of a stage below it: how it ended, seconds, and its numbers as far as they fit."""
    stages = list(dict.fromkeys(line.stage for line in lines))
    return "\n".join(row for stage in stages for row in _stage([line for line in lines if line.stage == stage]))


def _stage(lines: list[Line]) -> Iterator[str]:
    whole = [line for line in lines if line.is_of_whole_stage]
    yield _row(whole[-1], whole[-1].stage) if whole else lines[0].stage
    for line in lines:
        if not line.is_of_whole_stage:
            yield _row(line, f"  {line.result}")


def _row(line: Line, name: str) -> str:
    told = line.reason or "  ".join(f"{key} {value}" for key, value in _numbers(line.found))
    text = f"{name:34} {line.status:14} {line.took_s:6.1f} s  {told}".rstrip()
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _numbers(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is a single number, word or truth value; lists and what is nested stay in the file."""
    for key, value in found.items():
        if isinstance(value, float):
            yield key, f"{value:.4g}"
        elif isinstance(value, str | int | bool):
            yield key, str(value)
