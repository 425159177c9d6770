"""What the argument parser finds wrong, in one sentence like every other error."""

from __future__ import annotations

from typing import Any, Final

import typer

from fbench.core.errors import readable

# The parser's own class for what a user typed wrong; typer exports only this one, which is derived from it.
PARSER_ERROR: Final[type[Any]] = typer.BadParameter.__mro__[1]


def is_help(error: Any) -> bool:
    """Whether the parser raised because a command was given nothing, which it answers with its help."""
    return type(error).__name__ == "NoArgsIsHelpError"


def usage_sentence(error: Any) -> str:
    """What was given, what is allowed, and where all options are listed."""
    message = (_wrong_value(error) or str(error.format_message()).replace(": Value error, ", ": ")).rstrip(". ")
    command = error.ctx.command_path if error.ctx else "fbench"
    return f"{message}; '{command} --help' lists what there is."


def _wrong_value(error: Any) -> str:
    """An option, the value that it was given and what it takes; empty where the parser says as much itself."""
    found, names = error.__cause__ or error.__context__, getattr(getattr(error, "param", None), "opts", ())
    problem = found.errors()[0] if hasattr(found, "errors") else None
    if problem is None or problem["type"] == "value_error" or not names:
        return ""
    from fbench.core.problems import wanted

    said = wanted(problem["type"], problem["msg"], problem.get("ctx", {}))
    return f"{names[0]} {readable(str(problem['input']))[:80]} was given: {said}"
