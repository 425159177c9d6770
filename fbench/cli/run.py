"""``fbench run``: train, measure, resume."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fbench.core.errors import UserError

if TYPE_CHECKING:
    from fbench.ablations.suite import Suite
    from fbench.benchmark.runs.request import RunRequest
    from fbench.benchmark.store.run_table import RunTable


DEFAULT_MAX_SEEDS = 20


class PrecisionChoice(StrEnum):
    """Arithmetic of a new run."""

    FP32 = "fp32"
    TF32 = "tf32"
    BF16 = "bf16"


def run_command(
    suite: Annotated[str | None, typer.Option(help="A suite's name, or a TOML file. Default: ablations.")] = None,
    arch: Annotated[list[str] | None, typer.Option(help="Compare these networks without a suite; repeatable.")] = None,
    against: Annotated[str | None, typer.Option(help="The baseline of --arch. Default: the first --arch.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Only this study of the suite; repeatable.")] = None,
    protocol: Annotated[str, typer.Option(help="How to train: a protocol's name, or a TOML file.")] = "fbench",
    preset: Annotated[str, typer.Option(help="How much: smoke, quick, standard or full.")] = "quick",
    data: Annotated[
        list[str] | None,
        typer.Option(help="NAME or NAME=PATH; repeatable. Default: the embedded synthetic faces."),
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="Seeds per network. Default: the preset's.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    precision: Annotated[PrecisionChoice, typer.Option(help="Arithmetic of a new run.")] = PrecisionChoice.FP32,
    compiled: Annotated[
        bool, typer.Option("--compile", help="Train with torch.compile; eager for all where one network fails.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(help="Trials at a time; never changes a result. Default: all cores of a CPU, 1 on a GPU."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder. Default: results/SUITE-DATA-PRESET.")] = None,
    take_from: Annotated[
        list[Path] | None, typer.Option("--from", help="Take finished trials from this run; repeatable.")
    ] = None,
    plugin: Annotated[
        list[Path] | None, typer.Option(help="A Python file that registers networks; repeatable.")
    ] = None,
    numerics: Annotated[
        Path | None, typer.Option(help="Repeat the numerics of this run (its folder) instead of choosing them.")
    ] = None,
    until_decided: Annotated[
        bool,
        typer.Option(
            "--until-decided",
            help="Add seeds to the networks of undecided comparisons, one interim analysis after another.",
        ),
    ] = False,
    max_seeds: Annotated[
        int | None, typer.Option(help="Seeds per network at most, with --until-decided. Default: 20.")
    ] = None,
    keep_failed: Annotated[bool, typer.Option("--keep-failed", help="Do not try failed trials again.")] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print what would run, how long, and what it could decide; run nothing."),
    ] = False,
    assume: Annotated[
        str | None,
        typer.Option(
            "--assume-sd",
            help="For --dry-run: standard deviations of a difference in points, SEED,IMAGE,REST. "
            "Default: of earlier records, else typical ones.",
        ),
    ] = None,
) -> None:
    """Train and measure the networks of a suite; the same command again goes on where it stopped."""
    from fbench.benchmark.runs.request import RunRequest

    request = RunRequest(
        suite=_suite(suite, arch or [], against),
        only=tuple(only or ()),
        protocol=protocol,
        preset=preset,
        data=tuple(data or ("synthetic",)),
        seeds=seeds,
        device=device,
        precision=precision.value,
        compile=compiled,
        jobs=jobs,
        out=out,
        take_from=tuple(take_from or ()),
        plugins=tuple(plugin or ()),
        numerics_of=numerics,
        keep_failed=keep_failed,
        max_seeds=_max_seeds(max_seeds, until_decided=until_decided),
    )
    if dry_run:
        _print_plan(request, assume)
    elif assume is not None:
        raise UserError(f"--assume-sd {assume} was given without --dry-run, which is what it serves; leave it out.")
    else:
        _run(request)


def _max_seeds(given: int | None, *, until_decided: bool) -> int | None:
    if until_decided:
        return DEFAULT_MAX_SEEDS if given is None else given
    if given is not None:
        raise UserError(f"--max-seeds {given} was given without --until-decided; add it, or give --seeds {given}.")
    return None


def _suite(suite: str | None, architectures: list[str], against: str | None) -> str | Suite:
    from fbench.ablations.suite import adhoc_suite

    if architectures:
        if suite is not None:
            raise UserError(f"--suite {suite} and --arch {architectures[0]} were both given; give one of them.")
        return adhoc_suite(architectures, against)
    if against is not None:
        raise UserError(f"--against {against} was given without --arch; name the networks to compare with --arch.")
    return suite or "ablations"


def _print_plan(request: RunRequest, assume: str | None) -> None:
    from rich.console import Console

    from fbench.benchmark.runs.planning import plan_run
    from fbench.benchmark.runs.power_analysis import analyse_power, stated_components
    from fbench.benchmark.runs.session import estimate_run_s
    from fbench.cli.plan_view import print_plan

    stated = stated_components(assume) if assume is not None else None
    with Console().status("planning, and timing a few steps"):
        plan = plan_run(request)
        _, estimate_s = estimate_run_s(plan)
        analyses = analyse_power(plan, request.max_seeds, stated)
    print_plan(plan, estimate_s, analyses, request.max_seeds)


def _run(request: RunRequest) -> None:
    from rich.console import Console

    from fbench.benchmark.runs.planning import plan_run
    from fbench.benchmark.runs.session import carry_out
    from fbench.cli.plan_view import print_notes
    from fbench.cli.progress import RunProgress

    with Console().status("planning"):
        plan = plan_run(request)
    print_notes(plan)
    if request.max_seeds is not None and plan.folder.path.exists() and plan.folder.interim_analyses() is None:
        typer.echo(
            f"{plan.folder.path} has trials already. If you have seen their results, that was an "
            "interim analysis that no interval takes account of; a new folder (--out) has none.",
            err=True,
        )
    try:
        with RunProgress() as progress:
            table = carry_out(plan, request.max_seeds, progress)
    except KeyboardInterrupt:
        typer.echo(
            f"\nStopped. {len(plan.folder.trials())} trials are kept in {plan.folder.path}; "
            "run the same command again to go on from there.",
            err=True,
        )
        raise typer.Exit(130) from None
    _finish(table)


def _finish(table: RunTable) -> None:
    """Write the report, print the summary, and exit with 3 when trials failed."""
    from fbench.reports.render.csv.runs import write_tables
    from fbench.reports.render.html.build import gather_report, write_page
    from fbench.reports.render.terminal.summary import print_summary

    print_summary(table)
    failed = table.failed()
    for row, record in failed:
        typer.echo(f"failed: {row.network} on {row.data}, seed {row.seed}: {record.failure_reason}", err=True)
    report = gather_report([table])
    write_tables(report, table.folder.path)
    typer.echo(f"Report: {write_page(report, table.folder.path / 'report.html')}")
    if failed:
        raise typer.Exit(3)
