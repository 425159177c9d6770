"""What ``fbench data list`` prints."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from fbench.benchmark.data.known import KnownData
from fbench.benchmark.data.options import COPIES, DataOption

INDENT = (0, 0, 0, 4)


def print_catalogue(known: Sequence[KnownData]) -> None:
    """Print each data set as a paragraph: what, where from, licence, whether images may be shown, tree, options."""
    console = Console(highlight=False)
    for index, entry in enumerate(known):
        if index:
            console.print()
        console.print(Text.assemble((entry.name, "bold"), f"  {entry.summary}"))
        for label, text in _facts(entry):
            console.print(Padding(Text.assemble((f"{label}: ", "dim"), text), INDENT))
        for line in entry.tree:
            console.print(Padding(Text(line, no_wrap=True, overflow="ellipsis"), (0, 0, 0, 8)))
        for option in entry.own_options:
            _print_option(console, option)
    console.print(
        "\nOf every data set, as in --data fer2013:copies=removed=PATH (several options: name:one=1,other=2=PATH):"
    )
    _print_option(console, COPIES)


def _print_option(console: Console, option: DataOption) -> None:
    values = " | ".join(option.allowed) or option.form
    console.print(Padding(Text.assemble(("option ", "dim"), f"{option.name}={values}: {option.help}"), INDENT))


def _facts(entry: KnownData) -> list[tuple[str, str]]:
    facts = [
        ("get it", entry.obtain),
        ("licence", entry.licence),
        ("images in reports", "may be shown" if entry.may_show_images else "not shown, unless --show-images is given"),
    ]
    if entry.expects is None:
        return [*facts, ("use", f"--data {entry.name}")]
    return [*facts, ("use", f"--data {entry.name}=PATH, where PATH is {entry.expects}")]
