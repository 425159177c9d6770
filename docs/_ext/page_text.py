"""Pieces of Markdown that the generated pages share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def code(text: object) -> str:
    """Text in the type of a program, safe inside a cell of a table."""
    return f"`{cell(str(text))}`"


def cell(text: str) -> str:
    """A text on one line that ends no cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def prose(docstring: str) -> str:
    """A docstring's words as Markdown: literals in single backquotes, roles as what they name."""
    named = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", docstring)
    return re.sub(r"``([^`]+)``", r"`\1`", named).replace("*args", r"\*args")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
