"""What the argument parser finds wrong, in one sentence like every other error."""

from __future__ import annotations

from typing import Any, Final

import typer

# The parser's own class for what a user typed wrong; typer exports only this one, which is derived from it.
PARSER_ERROR: Final[type[Any]] = typer.BadParameter.__mro__[1]


def is_help(error: Any) -> bool:
    """Whether the parser raised because a command was given nothing, which it answers with its help."""
    return type(error).__name__ == "NoArgsIsHelpError"


def usage_sentence(error: Any) -> str:
    """What was given, what is allowed, and where all options are listed."""
    message = str(error.format_message()).replace(": Value error, ", ": ").rstrip(". ")
    command = error.ctx.command_path if error.ctx else "fbench"
    return f"{message}; '{command} --help' lists what there is."
