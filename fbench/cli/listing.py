"""``fbench list suites``, ``protocols``, ``presets`` and ``data``: what else has a name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table

Row = Mapping[str, str | int]


def print_kind(kind: str, *, as_json: bool) -> None:
    """Print what there is of a kind, a line each."""
    rows = KINDS[kind]()
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    table = Table(box=box.SIMPLE_HEAD)
    for column in rows[0]:
        table.add_column(
            column, justify="right" if isinstance(rows[0][column], int) else "left", no_wrap=column == "name"
        )
    for row in rows:
        table.add_row(*(str(cell) for cell in row.values()))
    Console(highlight=False).print(table)


def _suites() -> list[Row]:
    from fbench.ablations.library import list_suites, load_suite

    suites = [load_suite(name) for name in list_suites()]
    return [
        {
            "name": one.name,
            "networks": len(one.architectures),
            "studies": len(one.studies),
            "what": one.description or one.title,
        }
        for one in suites
    ]


def _protocols() -> list[Row]:
    from fbench.benchmark.records.protocol_library import list_protocols, load_protocol

    protocols = [load_protocol(name) for name in list_protocols()]
    return [
        {"name": f"{one.name}@{one.version}", "epochs": one.epochs, "batch": one.batch_size, "what": one.description}
        for one in protocols
    ]


def _presets() -> list[Row]:
    from fbench.benchmark.records.budget import load_presets

    return [{"name": name, "seeds": one.seeds, "what": one.description} for name, one in load_presets().items()]


def _data() -> list[Row]:
    from fbench.benchmark.data.catalogue import DATA_SETS, known_data

    known = [known_data(name) for name in DATA_SETS]
    return [
        {"name": one.name, "use": f"--data {one.name}{'' if one.expects is None else '=PATH'}", "what": one.summary}
        for one in known
    ]


KINDS: Final[Mapping[str, Callable[[], list[Row]]]] = {
    "suites": _suites,
    "protocols": _protocols,
    "presets": _presets,
    "data": _data,
}
