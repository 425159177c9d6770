"""``fbench leaderboard``: networks of many bundles beside each other, on one page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fbench.core.errors import readable
from fbench.core.files import require_writable_file

if TYPE_CHECKING:
    from fbench.reports.findings.leaderboard.model import Board, BoardRow, Leaderboard


def leaderboard_command(
    bundles: Annotated[list[Path], typer.Argument(help="What fbench submit wrote, or folders that hold such bundles.")],
    output: Annotated[
        Path | None, typer.Option("--output", "--out", "-o", help="The HTML file; without it boards are printed.")
    ] = None,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Leaderboard",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Rank the networks of bundles by data set, protocol and budget: who leads, who ties, whose trials were repeated.

    Every bundle is checked first, as by fbench submit --check; nothing of one is executed. One that does not pass is
    refused by name, and so are two bundles with other results of one trial.
    """
    from fbench.reports.findings.leaderboard.gather import gather_leaderboard

    target = None if output is None else _checked(output)
    found = gather_leaderboard(bundles, readable(title))
    if target is not None:
        from fbench.reports.render.leaderboard.page import write_leaderboard

        typer.echo(str(write_leaderboard(found, target)), err=as_json)
    if as_json:
        typer.echo(json.dumps(_values(found), indent=1))
    elif target is None:
        _print(found)


def _checked(output: Path) -> Path:
    from fbench.reports.render.diff.page import check_page_name

    target = check_page_name(output)
    require_writable_file(target, "The page", "--output")
    return target


def _print(found: Leaderboard) -> None:
    from rich.markup import escape

    from fbench.cli.architecture_views import console, plain_table
    from fbench.reports.formatting import percent, percent_range

    screen = console()
    for board, answer in zip(found.boards, found.answers, strict=True):
        screen.print(f"[bold]{escape(board.heading)}[/bold]")
        table = plain_table("network", "top-1 >", "new images >", "seeds >", "best", "repeated", "bundle")
        for row in board.rows:
            top1 = row.accuracy.new_images
            cells = (
                row.label,
                percent(top1.estimate),
                percent_range(top1.low, top1.high),
                str(row.seeds),
                _may_be_best(row),
                row.repeated.words,
                ", ".join(row.bundles),
            )
            table.add_row(*map(escape, cells))
        screen.print(table)
        screen.print(escape(answer), soft_wrap=True)


def _may_be_best(row: BoardRow) -> str:
    return "" if row.bound is None else "may be" if row.bound.may_be_best else "no"


def _values(found: Leaderboard) -> dict[str, Any]:
    return {
        "boards": [_board(board) for board in found.boards],
        "bundles": [
            {
                "name": one.name,
                "by": one.by or None,
                "created_on": one.created_on,
                "networks": one.networks,
                "trials": one.trials,
                "missing": [trial.model_dump() for trial in one.missing],
                "machines": [machine.model_dump() for machine in one.machines],
                "code": one.code,
                "repeated": {"same": one.repeated.same, "other": one.repeated.other},
            }
            for one in found.bundles
        ],
        "answers": list(found.answers),
        "remarks": list(found.remarks),
    }


def _board(board: Board) -> dict[str, Any]:
    return {
        "heading": board.heading,
        "data": board.data.name,
        "data_fingerprint": board.data.fingerprint,
        "trained": board.trained,
        "images": board.images,
        "untested": board.untested or None,
        "networks": [_row(row) for row in board.rows],
    }


def _row(row: BoardRow) -> dict[str, Any]:
    new, against = row.accuracy.new_images, row.against_leader
    return {
        "place": row.place,
        "network": row.name,
        "label": row.label,
        "digest": row.digest,
        "seeds": list(row.trained.seeds),
        "top1": new.estimate,
        "top1_new_images": [new.low, new.high],
        "may_be_best": None if row.bound is None else row.bound.may_be_best,
        "minus_leader": None
        if against is None
        else {
            "estimate": against.difference.new_images.estimate,
            "new_images": [against.difference.new_images.low, against.difference.new_images.high],
            "pairing": against.difference.pairing,
            "p_corrected": against.decision.p_adjusted,
            "verdict": against.decision.verdict,
        },
        "trainable_params": row.trainable_params,
        "total_params_keras": row.total_params_keras,
        "macs": row.macs,
        "code": row.code,
        "repeated": {"trials": row.repeated.trials, "same": row.repeated.same, "other": row.repeated.other},
        "bundles": list(row.bundles),
    }
