"""``fbench doctor``: what this machine can do, how fbench would use it, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fbench.core.capacity import in_brackets

if TYPE_CHECKING:
    from rich.table import Table

    from fbench.benchmark.machine.diagnosis import CompilerDiagnosis, DeviceDiagnosis, Diagnosis
    from fbench.benchmark.machine.machine_plan import MachinePlan
    from fbench.benchmark.records.numerics import Numerics

BUSY_PERCENT = 15.0
"""Above this share of all cores, taken by other work, a plan is shown with a warning."""


def doctor_command(
    measure: Annotated[
        bool,
        typer.Option("--measure", help="Measure how many trials at a time serve each device best, and keep the plan."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what this machine can do, how a run would use it, and what is missing."""
    from rich.console import Console

    from fbench.benchmark.machine.diagnosis import device_names, diagnose

    if measure:
        with Console(stderr=True).status("training on one trial after another, and several at a time"):
            for name in device_names():
                _measure(name)
    diagnosis = diagnose(try_compiler=measure)
    if as_json:
        typer.echo(diagnosis.model_dump_json(indent=1))
    else:
        _print(diagnosis)


def _measure(name: str) -> None:
    from fbench.benchmark.data.cache import cache_directory
    from fbench.benchmark.machine.device import pick_device
    from fbench.benchmark.machine.machine_plan import keep_plan
    from fbench.benchmark.machine.machine_rates import measure_plan
    from fbench.core.errors import UserError

    try:
        (cache_directory() / "plans").mkdir(parents=True, exist_ok=True)
        keep_plan(measure_plan(pick_device(name)))
    except OSError as error:
        where = f"{cache_directory()} ({error.strerror or error})"
        raise UserError(f"A plan cannot be kept in {where}; name another folder in FBENCH_CACHE_DIR.") from error


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
    if device.plan is None:
        typer.echo(f"  no plan: {device.no_plan_reason}; fbench doctor --measure makes one")
    else:
        _print_plan(device.plan)


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


def _print_plan(plan: MachinePlan) -> None:
    from rich.console import Console
    from rich.padding import Padding

    typer.echo(f"  plan measured {plan.measured_at} with {plan.network}, batches of {plan.batch_size}:")
    Console().print(Padding(_rates(plan), (0, 0, 0, 2)))
    if plan.busy_percent is not None and plan.busy_percent > BUSY_PERCENT:
        typer.echo(
            f"  other work took {plan.busy_percent:.0f} % of the cores before this was measured; "
            "measure again when the machine is idle"
        )


def _rates(plan: MachinePlan) -> Table:
    from rich.table import Table

    table = Table()
    for column in ("trials at a time", "images/s together", "MiB each", "chosen"):
        table.add_column(column, justify="left" if column == "chosen" else "right")
    for rate in plan.jobs_rates:
        chosen = "yes" if rate.jobs == plan.jobs else ""
        table.add_row(str(rate.jobs), f"{rate.images_per_s:,.0f}", f"{rate.memory_per_trial_mib:,.0f}", chosen)
    for chunk in plan.chunk_rates:
        chosen = "yes" if chunk.images_at_once == plan.images_augmented_at_once else ""
        table.add_row(f"augment {chunk.images_at_once:,} at once", f"{chunk.images_per_s:,.0f}", "", chosen)
    return table


def _compiler_line(found: CompilerDiagnosis) -> str:
    if found.compiler is None:
        return "no C++ compiler was found (g++, clang++ or cl, or CXX), so --compile would train eagerly on a CPU"
    if found.failure:
        return f"{found.compiler} was found, and yet: {found.failure}; --compile would train eagerly"
    if found.seconds is None:
        return f"{found.compiler} was found; fbench doctor --measure tries it"
    return f"works with {found.compiler}: one step of ires was compiled and agrees with eager, in {found.seconds} s"
