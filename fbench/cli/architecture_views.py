"""How networks and their counts are printed: tables for people, JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fbench.architectures.tracing.parameters import HeldParameters

if TYPE_CHECKING:
    from fbench.architectures.contract import ContractRow
    from fbench.architectures.registry import Description, ResolvedArchitecture
    from fbench.architectures.tracing.counts import NotCounted
    from fbench.architectures.tracing.graph import NetworkTrace, Node

PIPED_WIDTH = 160
"""Columns where the output is no terminal, so that tables in files and pipes are not cut at 80."""


@dataclass(frozen=True)
class ShownArchitecture:
    """What ``fbench show`` shows; ``row`` is empty where options differ from the registered ones."""

    resolved: ResolvedArchitecture
    description: Description
    open_choices: tuple[str, ...]
    row: ContractRow
    trace: NetworkTrace

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values; ``network`` is the content of ``network.json``."""
        resolved, about = self.resolved, self.description
        return {
            "name": resolved.name,
            "aliases": list(about.aliases),
            "builder": resolved.builder,
            "options": resolved.options,
            "source_sha256": resolved.source,
            "paper": about.paper,
            "role": about.role,
            "description": about.description,
            "contract": row_to_json(self.row),
            "open_choices": list(self.open_choices),
            "network": self.trace.to_json(),
        }


def row_to_json(row: ContractRow) -> dict[str, Any]:
    """A contract row with what is derived from it."""
    counts = row.counts
    return {
        "name": row.name,
        "trainable_params": counts.trainable_params if counts else None,
        "bn_running_stats": counts.bn_running_stats if counts else None,
        "total_params_keras": counts.total_params_keras if counts else None,
        "macs": counts.macs if counts else None,
        "stated_total": row.stated_total,
        "stated_trainable": row.stated_trainable,
        "stated_precision": row.stated_precision if row.stated_total is not None else None,
        "difference_from_stated": row.difference_from_stated,
        "trainable_difference_from_stated": row.trainable_difference_from_stated,
        "status": row.status,
        "reason": row.reason,
    }


def print_list(listed: Sequence[Mapping[str, Any]]) -> None:
    """One line for each network; an alias stands in brackets behind its name."""
    table = plain_table("name", "trainable >", "total (Keras) >", "MACs >", "paper", "description")
    for entry in listed:
        aliases = f" ({', '.join(entry['aliases'])})" if entry["aliases"] else ""
        counts = (_number(entry[key]) for key in ("trainable_params", "total_params_keras", "macs"))
        table.add_row(escape(entry["name"] + aliases), *counts, escape(entry["paper"]), escape(entry["description"]))
    console().print(table)


def print_counts(rows: Sequence[ContractRow]) -> None:
    """The contract as a table, the printed figures beside ours."""
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
            escape(row.status) if counts else "not in a contract",
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
    screen.print(_layer_table(shown.trace))
    for line in (*_totals(shown.trace), *_stated(shown.row)):
        screen.print(escape(line))
    if shown.open_choices:
        screen.print("[bold]Choices that were open[/bold]")
        for choice in shown.open_choices:
            screen.print(escape(f"- {choice}"))
    screen.print("[bold]Options[/bold]")
    screen.print(escape(", ".join(f"{key}={_level(value)}" for key, value in resolved.options.items())))


def _layer_table(trace: NetworkTrace) -> Table:
    table = plain_table("# >", "layer", "operation", "output", "parameters >", "MACs >", "elementwise >")
    for number, node in enumerate(trace.nodes):
        table.add_row(
            str(number),
            escape(node.path),
            operation_text(node),
            shape_text(node.output_shape),
            _parameters(node),
            _number(node.macs or None),
            _number(sum(node.elementwise_ops.values()) or None),
        )
    for holder in trace.holders:
        table.add_row("", escape(holder.path), "holds parameters", "", escape(_held(holder.held)), "", "")
    return table


def operation_text(node: Node) -> str:
    """The kind of a node, with kernel, stride and groups where its layer has them."""
    known = node.hyperparameters
    parts = [" ".join([node.kind, *(["x".join(map(str, known.kernel_size))] if known.kernel_size else [])])]
    if set(known.stride) - {1}:
        sides = known.stride[:1] if len(set(known.stride)) == 1 else known.stride
        parts.append(f"stride {'x'.join(map(str, sides))}")
    if known.groups != 1:
        parts.append(f"{known.groups} groups")
    if known.probability is not None:
        parts.append(str(known.probability))
    return ", ".join(parts)


def _totals(trace: NetworkTrace) -> list[str]:
    frozen = f" + frozen {trace.frozen_params:,}" if trace.frozen_params else ""
    lines = [
        f"Trainable {trace.trainable_params:,} (PyTorch convention){frozen} + BN running statistics "
        f"{trace.bn_running_stats:,} = total {trace.total_params_keras:,} (Keras convention).",
        f"MACs {trace.macs:,} (one image, without bias): {_by_kind(trace.per_image.macs)}.",
    ]
    if trace.per_call.total_macs:
        lines.append(
            f"MACs {trace.per_call.total_macs:,} more for each call whatever the batch, on parameters alone: "
            f"{_by_kind(trace.per_call.macs)}."
        )
    lines += [f"NOT COUNTED: {_missing(one)}." for one in trace.not_counted]
    elementwise = _by_kind(trace.elementwise_ops_by_kind)
    return [*lines, f"Elementwise operations {trace.elementwise_ops:,} (not in the MACs): {elementwise}."]


def _by_kind(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{kind} {count:,}" for kind, count in counts.items()) or "none"


def _missing(one: NotCounted) -> str:
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


def _parameters(node: Node) -> str:
    return escape(
        _held(HeldParameters(node.trainable_params, node.frozen_params, node.bn_running_stats, node.shared_params))
    )


def _held(held: HeldParameters) -> str:
    """Trainable, and behind a plus sign the running statistics, as the layer tables of the papers have it; frozen
    ones by that word, and those that are counted in another row by its name."""
    parts = [f"{held.trainable:,}"] if held.trainable else []
    parts += [f"{held.frozen:,} frozen"] if held.frozen else []
    parts += [f"{held.bn_running_stats:,}"] if held.bn_running_stats else []
    own = " + ".join(parts)
    shared = ", ".join(f"{one.elements:,} in {one.counted_as}" for one in held.shared)
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
