"""``fbench compare``: two networks, runs or measurements held against each other, and a gate for CI."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fbench.architectures.errors import UserError

if TYPE_CHECKING:
    from fbench.reports.gate.change import Change
    from fbench.reports.gate.judge import Gate, Judged
    from fbench.reports.gate.metrics import Condition


def compare_command(
    base: Annotated[str, typer.Argument(help="A run's folder or a file of `fbench speed`; PATH:NETWORK names one.")],
    new: Annotated[str, typer.Argument(help="As BASE. Without names, every network that both hold is compared.")],
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            help="Exit with 1 where NEW is worse than BASE by more than this: latency_p50:+5%, latency_p99@64:+10%, "
            "macs:+0%, accuracy:-0.5pt; may be repeated."
        ),
    ] = None,
    other_machine: Annotated[
        bool,
        typer.Option(help="Compare measurements of different machines, each against the reference load of its own."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Hold NEW against BASE; a condition fails only where its interval excludes "no worse than allowed"."""
    from fbench.reports.gate.judge import changes_without_gate, judge_gate
    from fbench.reports.gate.metrics import parse_condition
    from fbench.reports.gate.subjects import load_side, pairs

    conditions = [parse_condition(text) for text in fail_on or ()]
    compared = pairs(load_side(base), load_side(new))
    gate = (
        judge_gate(compared, conditions, other_machine=other_machine)
        if conditions
        else changes_without_gate(compared, other_machine=other_machine)
    )
    if not conditions and not any(one.change for one in gate.judged):
        raise UserError(f"{base} and {new} have nothing measured in common; `fbench speed` or `fbench run` makes it.")
    if as_json:
        typer.echo(json.dumps(_to_json(gate), indent=1))
    else:
        _print(gate, held=bool(conditions))
    if conditions and gate.failed:
        raise typer.Exit(1)


def _print(gate: Gate, *, held: bool) -> None:
    from rich.markup import escape

    from fbench.cli.architecture_views import console, plain_table

    screen = console()
    titles = ["network", "metric", "change >", f"{100 * gate.confidence:.4g} % interval >"]
    table = plain_table(*titles, *(["allowed >", "verdict"] if held else []), "rests on")
    for one in gate.judged:
        if one.change is None and not held:
            continue
        cells = [one.pair.label, _metric(one), *_cells(one.condition, one.change)]
        if held:
            cells += [one.condition.text.rpartition(":")[2], one.verdict]
        table.add_row(*map(escape, cells), escape(one.change.how if one.change else ""))
    screen.print(table)
    for line in _undecided(gate) if held else ():
        screen.print(escape(line), soft_wrap=True)
    if held:
        screen.print(escape(_summary(gate)), soft_wrap=True)


def _metric(one: Judged) -> str:
    return f"{one.condition.text.rpartition(':')[0]}{f' on {one.data}' if one.data else ''}"


def _cells(condition: Condition, change: Change | None) -> tuple[str, str]:
    if change is None:
        return "", ""
    if change.exact:
        return _written(change.estimate, condition), "exact"
    if not change.bounded:
        return _written(change.estimate, condition), "too few samples"
    return _written(
        change.estimate, condition
    ), f"{_written(change.low, condition)} to {_written(change.high, condition)}"


def _written(share: float, condition: Condition) -> str:
    return f"{100 * share:+.2f} {condition.metric.unit}"


def _undecided(gate: Gate) -> Iterator[str]:
    for one in gate.judged:
        if one.verdict == "undecided":
            yield f"Undecided: {one.pair.label}, {_metric(one)}: {one.why}."


def _summary(gate: Gate) -> str:
    numbers = {
        verdict: sum(one.verdict == verdict for one in gate.judged) for verdict in ("held", "undecided", "failed")
    }
    return (
        f"{numbers['held']} held, {numbers['undecided']} undecided, {numbers['failed']} failed; only what failed is "
        "beyond what is allowed by more than chance (5 % for all conditions together)."
    )


def _to_json(gate: Gate) -> dict[str, Any]:
    return {
        "confidence": gate.confidence,
        "failed": gate.failed,
        "conditions": [
            {
                "network": one.pair.new_network,
                "base_network": one.pair.base_network,
                "data": one.data or None,
                "condition": one.condition.text,
                "verdict": one.verdict,
                "why": one.why or None,
                "change": None
                if one.change is None
                else {
                    "estimate": one.change.estimate,
                    "low": _finite(one.change.low),
                    "high": _finite(one.change.high),
                    "unit": "fraction of 1" if one.condition.metric.unit == "pt" else "share of base",
                    "rests_on": one.change.how,
                },
            }
            for one in gate.judged
        ],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
