"""Every command of the command line with its arguments and options, from the typer application itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from page_text import cell, code, prose, table


def commands(app: typer.Typer) -> Iterator[tuple[str, Any]]:
    """The name of each command as it is typed, and the command; groups stand for their commands."""
    yield from _below(typer.main.get_command(app), "fbench")


def commands_page(app: typer.Typer) -> str:
    """A section for each command, in the order of the help."""
    return "\n\n".join(_section(name, command) for name, command in commands(app))


def _below(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    members = getattr(command, "commands", None)
    if members is None:
        yield name, command
        return
    for word, member in members.items():
        yield from _below(member, f"{name} {word}")


def _section(name: str, command: Any) -> str:
    context = command.make_context(name, [], resilient_parsing=True)
    usage = " ".join(command.get_usage(context).removeprefix("Usage: ").split())
    parts = [f"## {name}", prose(command.help or ""), f"    {usage}"]
    records = [(one.param_type_name, one.get_help_record(context)) for one in command.get_params(context)]
    for kind, head in (("argument", "argument"), ("option", "option")):
        rows = [
            [code(record[0]), cell(prose(record[1].replace("\\[", "[")))]
            for found, record in records
            if found == kind and record
        ]
        if rows:
            parts.append(table([head, "what it does"], rows))
    return "\n\n".join(parts)
