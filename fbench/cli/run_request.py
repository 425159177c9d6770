"""What the options of ``fbench run`` ask for, for commands that take the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from fbench.cli.asked import Asked

if TYPE_CHECKING:
    from fbench.benchmark.runs.request import RunRequest


def request_of(arguments: Sequence[str]) -> RunRequest:
    """The request of these options of ``fbench run``.

    Raises:
        UserError: what :func:`fbench.cli.run.run_command` refuses before it plans.
        typer.Exit: help was asked for.
    """
    from fbench.cli.run import run_command

    one = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    one.command()(run_command)
    asked = Asked()
    code = typer.main.get_command(one).main(
        args=list(arguments), prog_name="fbench run", standalone_mode=False, obj=asked
    )
    if asked.request is None:
        raise typer.Exit(int(code or 0))
    return asked.request
