"""How networks and their counts are printed: tables for people, JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from fbench.architectures.contract import ContractRow
    from fbench.architectures.tracing.hyperparameters import Hyperparameters
    from fbench.benchmark.records.network_description import DescribedModule, NetworkDescription, ParameterHolder
    from fbench.benchmark.records.trial_records import UncountedOperation
    from fbench.cli.network_questions import ShownArchitecture

PIPED_WIDTH = 160
"""Columns where the output is no terminal, so that tables in files and pipes are not cut at 80."""


def print_list(listed: Sequence[Mapping[str, Any]]) -> None:
    """One line for each network; an alias stands in brackets behind its name."""
    table = plain_table("name", "trainable >", "total (Keras) >", "MACs >", "paper", "description")
    for entry in listed:
        aliases = f" ({', '.join(entry['aliases'])})" if entry["aliases"] else ""
        counts = (_number(entry[key]) for key in ("trainable_params", "total_params_keras", "macs"))
        table.add_row(escape(entry["name"] + aliases), *counts, escape(entry["paper"]), escape(entry["description"]))
    console().print(table)


def print_counts(rows: Sequence[ContractRow], computed: Collection[str]) -> None:
    """The contract as a table, the printed figures beside ours; ``computed`` are networks that stand in none."""
    table = plain_table(
        "name",
        "trainable >",
        "BN running >",
        "total (Keras) >",
        "MACs >",
        "stated >",
        "difference >",
        "status",
    )
    for row in rows:
        counts = row.counts
        table.add_row(
            escape(row.name),
            _number(counts.trainable_params if counts else None),
            _number(counts.bn_running_stats if counts else None),
            _number(counts.total_params_keras if counts else None),
            _number(counts.macs if counts else None),
            _number(row.stated_total),
            _signed(row.difference_from_stated),
            "computed; not in a contract" if row.name in computed else escape(row.status) if counts else "not counted",
        )
    console().print(table)


def print_architecture(shown: ShownArchitecture) -> None:
    """Heading, layer table, totals, the paper's figure, open choices and options."""
    screen, resolved, about = console(), shown.resolved, shown.description
    heading = [escape(resolved.name), *(f"also {escape(alias)}" for alias in about.aliases)]
    if resolved.builder != resolved.name:
        heading.append(f"a variant of {escape(resolved.builder)}")
    screen.print(f"[bold]{', '.join(heading)}[/bold]")
    screen.print(escape(". ".join(text for text in (about.paper, about.description) if text)))
    screen.print(_layer_table(shown.network))
    for line in (*_totals(shown.network), *_stated(shown.row)):
        screen.print(escape(line))
    if shown.open_choices:
        screen.print("[bold]Choices that were open[/bold]")
        for choice in shown.open_choices:
            screen.print(escape(f"- {choice}"))
    screen.print("[bold]Options[/bold]")
    screen.print(escape(", ".join(f"{key}={_level(value)}" for key, value in resolved.options.items())))


def _layer_table(network: NetworkDescription) -> Table:
    table = plain_table("# >", "layer", "operation", "output", "parameters >", "MACs >", "elementwise >")
    for number, module in enumerate(network.modules):
        table.add_row(
            str(number),
            escape(module.path),
            operation_text(module),
            shape_text(module.output_shape),
            escape(_held(module)),
            _number(module.macs or None),
            _number(sum(module.elementwise_ops.values()) or None),
        )
    for holder in network.parameter_holders:
        table.add_row("", escape(holder.path), "holds parameters", "", escape(_held(holder)), "", "")
    return table


class _Operation(Protocol):
    """What an operation is, as a trace and a description of a network have it."""

    @property
    def kind(self) -> str: ...

    @property
    def hyperparameters(self) -> Hyperparameters: ...


def operation_text(operation: _Operation) -> str:
    """The kind of an operation, with kernel, stride and groups where its layer has them."""
    known = operation.hyperparameters
    parts = [" ".join([operation.kind, *(["x".join(map(str, known.kernel_size))] if known.kernel_size else [])])]
    if set(known.stride) - {1}:
        sides = known.stride[:1] if len(set(known.stride)) == 1 else known.stride
        parts.append(f"stride {'x'.join(map(str, sides))}")
    if known.groups != 1:
        parts.append(f"{known.groups} groups")
    if known.probability is not None:
        parts.append(str(known.probability))
    return ", ".join(parts)


def _totals(network: NetworkDescription) -> list[str]:
    counts = network.counts
    frozen = f" + frozen {counts.frozen_params:,}" if counts.frozen_params else ""
    lines = [
        f"Trainable {counts.trainable_params:,} (PyTorch convention){frozen} + BN running statistics "
        f"{counts.bn_running_stats:,} = total {counts.total_params_keras:,} (Keras convention).",
        f"MACs {counts.macs:,} (one image, without bias): {_by_kind(counts.macs_by_kind)}.",
    ]
    if counts.macs_per_call:
        lines.append(
            f"MACs {counts.macs_per_call:,} more for each call whatever the batch, on parameters alone: "
            f"{_by_kind(counts.macs_per_call_by_kind)}."
        )
    lines += [f"NOT COUNTED: {_missing(one)}." for one in network.not_counted]
    elementwise = _by_kind(counts.elementwise_ops_by_kind)
    return [*lines, f"Elementwise operations {counts.elementwise_ops:,} (not in the MACs): {elementwise}."]


def _by_kind(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {count:,}" for kind, count in counts.items()) or "none"


def _missing(one: UncountedOperation) -> str:
    calls = f"{one.calls} call{'' if one.calls == 1 else 's'}"
    what = "on parameters alone, so no MACs of an image are missing" if one.on_parameters else "its MACs are missing"
    return f"{one.operation} in {calls}, no formula is known for it; {what}"


def _stated(row: ContractRow) -> list[str]:
    if row.stated_total is None:
        return ["The paper prints no count for this network."] if row.counts else []
    precision = "" if row.stated_precision == 1 else f", to the nearest {row.stated_precision}"
    lines = [
        f"Stated in the paper ({row.paper_row}{precision}): total {row.stated_total:,}; "
        f"ours minus stated {_signed(row.difference_from_stated)}: {row.status}."
    ]
    if row.stated_trainable is not None:
        difference = _signed(row.trainable_difference_from_stated)
        lines.append(f"Stated trainable {row.stated_trainable:,}; ours minus stated {difference}.")
    return [*lines, *([row.reason] if row.reason else [])]


def _held(held: DescribedModule | ParameterHolder) -> str:
    """Trainable, and behind a plus sign the running statistics, as the layer tables of the papers have it; frozen
    ones by that word, and those that are counted in another row by its name."""
    parts = [f"{held.trainable_params:,}"] if held.trainable_params else []
    parts += [f"{held.frozen_params:,} frozen"] if held.frozen_params else []
    parts += [f"{held.bn_running_stats:,}"] if held.bn_running_stats else []
    own = " + ".join(parts)
    shared = ", ".join(f"{one.elements:,} in {one.counted_as}" for one in held.shared_params)
    return " ".join(filter(None, (own, f"({shared})" if shared else "")))


def shape_text(shape: Sequence[int]) -> str:
    """Height x width x channels, as both papers write it; other shapes as they are."""
    ordered = (*shape[1:], shape[0]) if len(shape) == 3 else shape
    return "x".join(map(str, ordered))


def _level(value: object) -> str:
    """A value as ``--option`` takes it."""
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _signed(value: int | None) -> str:
    return "" if value is None else f"{value:+,}"


def plain_table(*columns: str) -> Table:
    """A table; a column whose title ends in ``>`` holds numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        number = column.endswith(" >")
        table.add_column(column.removesuffix(" >"), justify="right" if number else "left", no_wrap=number)
    return table


def console() -> Console:
    """Standard output, wide enough for tables where it is no terminal."""
    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False, soft_wrap=False)
