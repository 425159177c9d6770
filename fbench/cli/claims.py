"""``fbench claims``: what the papers claim, and what runs say of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fbench.cli.architectures import JsonOption, PluginOption, listing_of
from fbench.core.paths import expanded

if TYPE_CHECKING:
    from rich.table import Table

    from fbench.reports.findings.claims.judge import JudgedClaim, JudgedPaper

WIDE = 120
"""Columns from which the sentences of the papers have room beside their verdicts."""


def claims_command(
    run: Annotated[
        list[Path] | None,
        typer.Argument(help="Run folders, of as many data sets as wanted. Without any: what arithmetic decides."),
    ] = None,
    claims: Annotated[
        list[Path] | None,
        typer.Option("--claims", help="TOML file of claims in place of the papers'; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
    plugin: PluginOption = None,
) -> None:
    """Judge the papers' claims, or your own: supported, contradicted, or undecided and what is missing."""
    from fbench.ablations.claim import load_claims, shipped_claims
    from fbench.benchmark.records.budget import load_presets
    from fbench.benchmark.store.run_table import load_run
    from fbench.reports.findings.claims.judge import judge_papers
    from fbench.reports.findings.claims.pool import gather_claim_inputs

    networks = listing_of(plugin).names
    papers = [load_claims(expanded(path), load_presets()) for path in claims] if claims else shipped_claims()
    inputs = gather_claim_inputs([load_run(path) for path in run or ()])
    judged = judge_papers(papers, inputs, networks)
    if as_json:
        typer.echo(json.dumps(_to_json(judged), indent=1, ensure_ascii=False))
    else:
        _print(judged)


def _print(judged: list[JudgedPaper]) -> None:
    from rich.markup import escape

    from fbench.cli.architecture_views import console
    from fbench.reports.findings.claims.judge import count_words

    screen = console()
    for paper in judged:
        screen.print(f"[bold]{escape(paper.paper)}[/bold]")
        screen.print(_table(paper, wide=screen.width >= WIDE))
        for remark in dict.fromkeys(remark for one in paper.claims for remark in one.remarks):
            screen.print(escape(f"Rests on: {remark}."), soft_wrap=True)
    screen.print(escape(count_words([one for paper in judged for one in paper.claims])), soft_wrap=True)


def _table(paper: JudgedPaper, *, wide: bool) -> Table:
    from rich.markup import escape

    from fbench.cli.architecture_views import plain_table

    table = plain_table("claim", *(["what is claimed"] if wide else []), "verdict", "why")
    if wide:
        table.columns[1].ratio = 2
    table.columns[-1].ratio = 3
    table.columns[-1].no_wrap = False
    table.expand = True
    for one in paper.claims:
        says = [f"{one.claim.sentence} [{one.claim.section}]"] if wide else []
        table.add_row(*map(escape, (one.claim.id, *says, one.verdict_words, one.line)))
    return table


def _to_json(judged: list[JudgedPaper]) -> dict[str, Any]:
    from fbench.reports.findings.claims.judge import count_verdicts

    return {
        "papers": [{"paper": paper.paper, "claims": [_claim_to_json(one) for one in paper.claims]} for paper in judged],
        "verdicts": count_verdicts([one for paper in judged for one in paper.claims]),
    }


def _claim_to_json(one: JudgedClaim) -> dict[str, Any]:
    claim = one.claim
    return {
        "id": claim.id,
        "sentence": claim.sentence,
        "section": claim.section,
        "note": claim.note,
        "verdict": one.verdict,
        "by_arithmetic": one.by_arithmetic,
        "never_decided": bool(claim.never),
        "p_corrected": one.p_value,
        "family": one.family,
        "why": one.why,
        "missing": one.missing,
        "rests_on": list(one.remarks),
        "needs": {
            "networks": list(claim.networks),
            "data": list(claim.data),
            "seeds": claim.seeds if claim.needs_training else None,
            "preset": claim.preset if claim.needs_training else None,
            "image_passes": dict(claim.image_passes) if claim.needs_training else {},
            "cost": claim.needs_cost,
        },
        "parts": [
            {
                "text": part.text,
                "verdict": part.outcome,
                "by_arithmetic": part.by_arithmetic,
                "missing": part.missing,
            }
            for part in one.parts
        ],
    }
