"""``fbench doctor``: what this machine can do, how fbench would use it, and what is missing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from fbench.cli.architectures import PluginOption
from fbench.core.capacity import in_brackets
from fbench.core.errors import UserError
from fbench.core.paths import expanded

if TYPE_CHECKING:
    from fbench.benchmark.machine.diagnosis import CompilerDiagnosis, DeviceDiagnosis, Diagnosis
    from fbench.benchmark.records.numerics import Numerics
    from fbench.benchmark.training.repetition import Repetition


def doctor_command(
    run: Annotated[
        Path | None,
        typer.Argument(help="A run's folder, to check and repair its files instead."),
    ] = None,
    try_compiler: Annotated[
        bool, typer.Option("--compile", help="Try the compiler: compile one training step, up to a minute.")
    ] = False,
    determinism: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Train this network twice from one seed instead, and compare all bits; wildcards too, repeatable.",
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="With --determinism: train a trial of this run again as it was, NETWORK:SEED or an id, and compare.",
        ),
    ] = None,
    data: Annotated[
        list[str] | None, typer.Option(help="Where the data of --against lie here: NAME=PATH; repeatable.")
    ] = None,
    record: Annotated[
        bool,
        typer.Option("--record", help="Keep in the bundle of --against whether its trials were repeated, and where."),
    ] = False,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Who repeated them, with --record; without it nobody.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps, with --determinism.")] = "auto",
    plugin: PluginOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what this machine can do, how a run would use it, and what is missing; or check the files of a run.

    Each file of RUN is held against its hash. What is damaged is moved to RUN/damaged, and what the same fbench run can
    make again, it makes again. Exit code 1: something is left that only you can mend.

    With --determinism, networks are trained for a few steps on rendered faces, each twice from one seed. Exit code 1:
    one of them does not give the same bits again. With --against RUN too, trials of that run are trained again, whole,
    with its settings, and held against what it has: results of others are checked by repeating a few. Where RUN is a
    bundle of fbench submit, --record keeps in it what came of that.
    """
    if by is not None and not record:
        raise UserError("--by names who repeated a trial, and goes with --record; add it, or leave --by out.")
    if against is not None or data or record:
        asked = _Repetitions(tuple(determinism or ()), against, tuple(data or ()), tuple(plugin or ()), device)
        _repeat(run, asked, by or "", record=record, as_json=as_json)
        return
    if determinism:
        if run is not None:
            raise UserError(f"{run} and --determinism were both given; give one of them.")
        _check_determinism(determinism, plugin or [], device, as_json=as_json)
        return
    if run is not None:
        _check_run(run, as_json=as_json)
        return
    from fbench.benchmark.machine.diagnosis import diagnose

    diagnosis = diagnose(try_compiler=try_compiler)
    if as_json:
        typer.echo(diagnosis.model_dump_json(indent=1))
    else:
        _print(diagnosis)


@dataclass(frozen=True)
class _Repetitions:
    """Which trials of which run are to be repeated, and where what they need lies here."""

    trials: tuple[str, ...]
    against: Path | None
    data: tuple[str, ...]
    plugins: tuple[Path, ...]
    device: str


def _repeat(run: Path | None, asked: _Repetitions, by: str, *, record: bool, as_json: bool) -> None:
    from fbench.benchmark.bundles.checking import open_bundle
    from fbench.benchmark.bundles.recording import record_repetition
    from fbench.benchmark.data.references import parse_reference
    from fbench.benchmark.runs.repeated_trial import chosen_trial, repeat_trial
    from fbench.benchmark.store.run_folder import RunFolder
    from fbench.cli.repeated_view import repeated_line, repeated_values

    if asked.against is None or not asked.trials or run is not None:
        raise UserError(
            "--against RUN, and --data and --record for it, want trials to repeat; name them with --determinism NAME."
        )
    folder = RunFolder.open(expanded(asked.against))
    if record:
        open_bundle(folder.path)
    references = [parse_reference(one) for one in asked.data]
    trials = [chosen_trial(folder, name) for name in asked.trials]
    found = []
    for trial_id in trials:
        repeated = repeat_trial(folder, trial_id, asked.device, references, asked.plugins)
        found.append(repeated)
        if not as_json:
            typer.echo(repeated_line(repeated))
        if record and repeated.ours.status == "finished":  # a failure here says nothing of the trial there
            typer.echo(f"{folder.path / record_repetition(folder.path, repeated, by)}", err=True)
    if as_json:
        typer.echo(json.dumps([repeated_values(one) for one in found], indent=1))
    if not all(one.is_repeated for one in found):
        raise typer.Exit(1)


def _check_determinism(names: list[str], plugins: list[Path], device: str, *, as_json: bool) -> None:
    from fbench.benchmark.runs.repetitions import repetitions

    found: list[Repetition] = []
    failures: dict[str, UserError] = {}
    for name, answer in repetitions(names, plugins, device):
        if isinstance(answer, UserError):
            failures[name] = answer
            continue
        found.append(answer)
        if not as_json:
            typer.echo(f"{name}: {_repetition_line(answer)}")
    if as_json:
        rows: list[dict[str, Any]] = [one.model_dump(mode="json") for one in found]
        rows += [{"network": name, "failure": str(error)} for name, error in failures.items()]
        typer.echo(json.dumps(rows, indent=1))
    if failures:
        name, error = next(iter(failures.items()))
        if not found and len(failures) == 1:
            raise error
        others = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        raise UserError(f"'{name}'{others} could not be tried, all others were: {error}") from error
    if any(one.difference is not None for one in found):
        raise typer.Exit(1)


def _repetition_line(found: Repetition) -> str:
    """What came of training a network twice, in words."""
    differs, operations = found.difference, ", ".join(found.without_deterministic_algorithm)
    if differs is None:
        rest = f"; no deterministic algorithm is known for {operations}, which may tell elsewhere" if operations else ""
        return f"same bits ({found.steps} steps on {found.device}){rest}"
    if differs.what == "logits":
        place = f"in the logits after step {differs.step}, of the same weights"
    else:
        layer = f"layer '{differs.layer}' ({differs.layer_class})" if differs.layer else "the network itself"
        place = f"in {layer} after step {differs.step}, {_WHAT[differs.what]}"
    rest = f"; no deterministic algorithm is known for {operations}" if operations else ""
    return f"differs: first {place}{rest}"


_WHAT: Final = {"output": "in what it gives", "gradient": "in a gradient", "weights": "in a weight or buffer"}


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
