"""``fbench doctor``: what this machine can do, how fbench would use it, and what is missing."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fbench.core.capacity import in_brackets
from fbench.core.paths import expanded

if TYPE_CHECKING:
    from fbench.benchmark.machine.diagnosis import CompilerDiagnosis, DeviceDiagnosis, Diagnosis
    from fbench.benchmark.records.numerics import Numerics


def doctor_command(
    run: Annotated[
        Path | None,
        typer.Argument(help="A run's folder, to check and repair its files instead."),
    ] = None,
    try_compiler: Annotated[
        bool, typer.Option("--compile", help="Try the compiler: compile one training step, up to a minute.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what this machine can do, how a run would use it, and what is missing; or check the files of a run.

    Each file of RUN is held against its hash. What is damaged is moved to RUN/damaged, and what the same fbench run can
    make again, it makes again. Exit code 1: something is left that only you can mend.
    """
    if run is not None:
        _check_run(run, as_json=as_json)
        return
    from fbench.benchmark.machine.diagnosis import diagnose

    diagnosis = diagnose(try_compiler=try_compiler)
    if as_json:
        typer.echo(diagnosis.model_dump_json(indent=1))
    else:
        _print(diagnosis)


def _check_run(run: Path, *, as_json: bool) -> None:
    from fbench.benchmark.store.run_check import check_run
    from fbench.benchmark.store.run_folder import RunFolder

    found = check_run(RunFolder.open(expanded(run)))
    if as_json:
        typer.echo(json.dumps(asdict(found) | {"is_whole": found.is_whole}, indent=1))
    else:
        for one in found.found:
            typer.echo(f"{one.file} {one.wrong}: {one.done}")
        files = f"{found.whole} file{'' if found.whole == 1 else 's'} as written"
        typer.echo(
            f"{files}{f', {found.without_hash} without a hash to hold them against' * bool(found.without_hash)}."
        )
    if not found.is_whole:
        raise typer.Exit(1)


def _print(found: Diagnosis) -> None:
    machine = found.machine
    _title("Machine")
    cores = f"{machine.usable_cores} of {machine.logical_cores} cores usable"
    typer.echo(f"  {machine.processor}, {cores}{in_brackets(found.cores_because)}")
    memory = f"{machine.memory_gib:.1f} GiB of memory, {found.free_memory_gib:.1f} GiB free"
    typer.echo(f"  {memory}{in_brackets(found.memory_because)}")
    typer.echo(f"  {machine.accelerator or 'no accelerator'}; {machine.system}")
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    typer.echo(f"  Python {machine.python}, {versions}")
    for device in found.devices:
        _print_device(device)
    _title("torch.compile")
    typer.echo(f"  {_compiler_line(found.compiler)}")
    _title("Extras")
    for extra in found.extras:
        lacking = f"lacks {', '.join(extra.missing)}: pip install 'fbench[{extra.extra}]'"
        typer.echo(f"  {extra.extra}: {lacking if extra.missing else 'installed'}")
    _title(f"Cache, {found.cache_folder}")
    for part in found.cache:
        typer.echo(f"  {part.name}: {part.files} file{'' if part.files == 1 else 's'}, {part.size_mib:.1f} MiB")
    if not found.cache:
        typer.echo("  empty")


def _title(text: str) -> None:
    typer.secho(text, bold=True)


def _print_device(device: DeviceDiagnosis) -> None:
    _title(f"Device {device.device}")
    typer.echo(f"  a new run: {_numerics_line(device.numerics)}")
    for precision, sentence in device.refused.items():
        typer.echo(f"  {precision} is refused: {sentence}")
    typer.echo(
        f"  trials at a time: {device.jobs} (at most {device.jobs_limit}, as this machine {device.jobs_limit_reason})"
    )


def _numerics_line(numerics: Numerics) -> str:
    threads = numerics.threads_per_trial
    parts = [
        numerics.precision,
        numerics.memory_format,
        f"{threads} thread{'' if threads == 1 else 's'} per trial" if threads else "",
        "compiled" if numerics.compile else "eager",
        "the step recorded as a CUDA graph" if numerics.cuda_graph else "",
        f"evaluation in batches of {numerics.evaluation_batch_size:,}",
        f"numerics version {numerics.numerics_version}",
    ]
    return ", ".join(part for part in parts if part)


def _compiler_line(found: CompilerDiagnosis) -> str:
    if found.compiler is None:
        return "no C++ compiler was found (g++, clang++ or cl, or CXX), so --compile would train eagerly on a CPU"
    if found.failure:
        return f"{found.compiler} was found, and yet: {found.failure}; --compile would train eagerly"
    if found.seconds is None:
        return f"{found.compiler} was found; fbench doctor --compile tries it"
    return f"works with {found.compiler}: one step of ires was compiled and agrees with eager, in {found.seconds} s"
