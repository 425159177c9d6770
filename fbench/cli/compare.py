"""``fbench compare``: two networks, runs or measurements held against each other, and a gate for CI."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fbench.core.errors import UserError
from fbench.core.files import require_writable_file

if TYPE_CHECKING:
    from fbench.reports.findings.diff.model import Choice, Difference
    from fbench.reports.findings.gate.change import MeasuredChange
    from fbench.reports.findings.gate.conditions import Condition
    from fbench.reports.findings.gate.judge import Gate, Judged


def compare_command(
    base: Annotated[
        str,
        typer.Argument(
            help="A run's folder, or a file of `fbench speed` or `fbench import`; PATH:NETWORK names a network."
        ),
    ],
    new: Annotated[str, typer.Argument(help="As BASE. Without names, every network that both hold is compared.")],
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            help="Exit with 1 where NEW is worse than BASE by more than this: latency_p50:+5%, latency_p99@64:+10%, "
            "macs:+0%, accuracy:-0.5pt; may be repeated."
        ),
    ] = None,
    fail_on_undecided: Annotated[
        bool,
        typer.Option("--fail-on-undecided", help="Exit with 1 where a condition of --fail-on is undecided, too."),
    ] = False,
    other_machine: Annotated[
        bool,
        typer.Option(help="Compare measurements of different machines, each against the reference load of its own."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "--out", "-o", help="Write both side by side to this HTML file: A is BASE, B is NEW."),
    ] = None,
) -> None:
    """Hold NEW against BASE; a condition fails only where its interval excludes "no worse than allowed". Exit code 1
    says that one failed, or with --fail-on-undecided that one is open."""
    from fbench.reports.findings.diff.gather import gather_difference
    from fbench.reports.findings.gate.conditions import parse_condition
    from fbench.reports.findings.gate.judge import changes_without_gate, judge_gate
    from fbench.reports.findings.gate.subjects import load_side, pairs

    conditions = [parse_condition(text) for text in fail_on or ()]
    if fail_on_undecided and not conditions:
        raise UserError("--fail-on-undecided was given without a condition; add one, such as --fail-on macs:+0%.")
    target = _checked(output)
    sides = load_side(base), load_side(new)
    compared = pairs(*sides)
    gate = judge_gate(compared, conditions, other_machine=other_machine) if conditions else None
    difference = None
    if target is not None:
        difference = gather_difference(*sides, gate=gate, other_machine=other_machine)
        _write_page(difference, target, to_stderr=as_json)
        if gate is None and not as_json:
            typer.echo(difference.choice.words, err=True)  # the path stands alone on the output
            return
    if gate is None:
        gate = changes_without_gate(compared, other_machine=other_machine)
        if not any(one.change for one in gate.judged):
            raise UserError(
                f"{base} and {new} have nothing measured in common; `fbench speed` or `fbench run` makes it."
            )
    choice = (difference or gather_difference(*sides, other_machine=other_machine)).choice
    if as_json:
        typer.echo(json.dumps(_to_json(gate, choice), indent=1))
    else:
        _print(gate, choice, held=bool(conditions))
    if conditions and (gate.failed or (fail_on_undecided and gate.undecided)):
        raise typer.Exit(1)


def _checked(output: Path | None) -> Path | None:
    if output is None:
        return None
    from fbench.reports.render.diff.page import check_page_name

    target = check_page_name(output)
    require_writable_file(target, "The page", "--output")
    return target


def _write_page(difference: Difference, target: Path, *, to_stderr: bool) -> None:
    """Without conditions nothing is judged, and other settings are told on the page instead of refused."""
    from fbench.reports.render.diff.page import write_difference

    typer.echo(str(write_difference(difference, target)), err=to_stderr)


def _print(gate: Gate, choice: Choice, *, held: bool) -> None:
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
        screen.print(escape(gate.summary), soft_wrap=True)
    screen.print(escape(choice.words), soft_wrap=True)


def _metric(one: Judged) -> str:
    return f"{one.condition.text.rpartition(':')[0]}{f' on {one.data}' if one.data else ''}"


def _cells(condition: Condition, change: MeasuredChange | None) -> tuple[str, str]:
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


def _to_json(gate: Gate, choice: Choice) -> dict[str, Any]:
    return {
        "confidence": gate.confidence,
        "failed": gate.failed,
        "undecided": gate.undecided,
        "choice": {"outcome": choice.outcome, "sentence": choice.words},
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
