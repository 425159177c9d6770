"""How ``fbench show --counters`` prints: every counter's figure, what it adds, and what it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from fbench.cli.architecture_views import console, plain_table

if TYPE_CHECKING:
    from fbench.architectures.tracing.graph import NetworkTrace
    from fbench.benchmark.cost.network_questions import AllCounts
    from fbench.benchmark.records.trial_records import CounterReading


def print_counters(name: str, found: AllCounts) -> None:
    """A table of the counters, then what each passes over."""
    screen, counted = console(), found.trace
    channels, height, width = counted.input_shape
    screen.print(f"[bold]{escape(name)}[/bold], one image of {height}x{width}x{channels}, evaluation mode")
    table = plain_table("counter", "its total >", "MACs >", "of these ours >", "adds")
    table.add_row("fbench", _number(counted.macs), _number(counted.macs), "", _ours(counted))
    for reading in found.readings:
        table.add_row(*map(escape, _row(reading, counted.macs)))
    screen.print(table)
    for reading in found.readings:
        screen.print(escape(_left_out(reading)), soft_wrap=True)


def counters_to_json(name: str, found: AllCounts) -> dict[str, Any]:
    """All of it as JSON values."""
    return {
        "name": name,
        "input_shape": list(found.trace.input_shape),
        "macs": found.trace.macs,
        "elementwise_ops_by_kind": found.trace.elementwise_ops_by_kind,
        "counters": [reading.model_dump(mode="json") for reading in found.readings],
    }


def _row(reading: CounterReading, ours: int) -> tuple[str, ...]:
    if reading.macs is None:
        return reading.counter, "", "", "", f"failed: {reading.error}"
    agrees = "all" if reading.macs == ours else f"{reading.macs - ours:+,}"
    adds = ", ".join(f"{kind.replace('_', ' ')} {count:,}" for kind, count in reading.beside.items())
    return reading.counter, _number(reading.total), _number(reading.macs), agrees, adds or "nothing"


def _ours(counted: NetworkTrace) -> str:
    return f"{counted.elementwise_ops:,} elementwise operations, counted apart"


def _left_out(reading: CounterReading) -> str:
    missed = ", ".join(
        f"{one.operation.replace('_', ' ')} {one.operations:,} in {one.calls} call{'' if one.calls == 1 else 's'}"
        for one in reading.left_out
    )
    return f"{reading.counter} leaves out: {missed or 'nothing'}."


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
