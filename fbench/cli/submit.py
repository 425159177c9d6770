"""``fbench submit``: a run as a small bundle for others, and the check of theirs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fbench.core.errors import UserError, readable

if TYPE_CHECKING:
    from fbench.benchmark.bundles.findings import BundleCheck


def submit_command(
    run: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="The run's folder; with --check bundles, or folders that hold them."),
    ],
    to: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="The new folder of the bundle.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Check bundles instead, as a stranger's.")] = False,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Who submits; without it the bundle names nobody.")
    ] = None,
    with_sources: Annotated[
        bool,
        typer.Option(
            "--with-sources", help="Take the code of your own networks too, without which nobody can repeat them."
        ),
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Take a run that lacks trials; its bundle says which.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a run as a bundle for others: small, whole and checked, without weights, images, paths or names.

    With --check everything in a bundle is computed anew: hashes, ids of trials, accuracies from predictions, counts by
    the contract, the audit's data. Exit code 1: a bundle does not pass.
    """
    if check:
        if to is not None or by is not None or with_sources or partial:
            raise UserError("--check goes with none of --to, --by, --with-sources and --partial; leave these out.")
        _check(run, as_json=as_json)
        return
    if len(run) != 1 or to is None:
        raise UserError("fbench submit takes one run and --to DIR, or --check and the bundles; give one of these.")
    _submit(run[0], to, by or "", with_sources=with_sources, partial=partial, as_json=as_json)


def _submit(run: Path, to: Path, by: str, *, with_sources: bool, partial: bool, as_json: bool) -> None:
    from fbench.benchmark.bundles.making import make_bundle, write_bundle
    from fbench.benchmark.store.run_table import load_run
    from fbench.reports.findings.leaderboard.checked import require_usable

    table = load_run(run)
    require_usable(table)
    bundle = make_bundle(table, partial=partial, with_sources=with_sources)
    _tell([write_bundle(bundle, to, by)], as_json=as_json)


def _check(paths: list[Path], *, as_json: bool) -> None:
    from fbench.reports.findings.leaderboard.checked import check_bundles

    checks = check_bundles(paths)
    _tell(checks, as_json=as_json)
    if not all(one.passes for one in checks):
        raise typer.Exit(1)


def _tell(checks: list[BundleCheck], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_values(one) for one in checks], indent=1))
        return
    for one in checks:
        for found in one.findings:
            typer.echo(readable(f"{one.path}: {'' if found.is_problem else 'note: '}{found.sentence}"))
        typer.echo(readable(f"{one.path}: {_verdict(one)}"))


def _verdict(check: BundleCheck) -> str:
    from fbench.reports.formatting import plural

    if not check.passes:
        return f"fails with {plural(len(check.problems), 'problem')}."
    facts = check.submission.facts if check.submission else None
    trials = facts.trials if facts else 0
    of_networks = f"{plural(trials, 'trial')} of {plural(len(facts.networks) if facts else 0, 'network')}"
    repeated = len(check.repeated_trials)
    return f"passes: {of_networks}; repeated: {f'yes, {repeated} of {trials}' if repeated else 'no'}."


def _values(check: BundleCheck) -> dict[str, Any]:
    submission = check.submission
    return {
        "bundle": str(check.path),
        "passes": check.passes,
        "findings": [
            {"file": found.file, "text": found.text, "is_problem": found.is_problem} for found in check.findings
        ],
        "by": submission.by if submission else None,
        "facts": submission.facts.model_dump(mode="json") if submission else None,
        "missing": [one.model_dump() for one in submission.missing] if submission else [],
        "repeated": bool(check.repeated_trials),
        "repetitions": [one.model_dump(mode="json") | {"is_same": one.is_same} for one in check.repetitions],
    }
