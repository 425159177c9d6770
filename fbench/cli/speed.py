"""``fbench speed``: how fast networks are, and which differences are real."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fbench.cli.architectures import parse_options
from fbench.cli.duration import seconds_of
from fbench.cli.run_options import PrecisionChoice
from fbench.cli.stop_signals import StopSignals
from fbench.core.errors import UserError
from fbench.core.paths import expanded

if TYPE_CHECKING:
    from fbench.benchmark.cost.speed import SpeedRequest


def speed_command(
    names: Annotated[
        list[str] | None, typer.Argument(help="Networks, as `fbench list` prints them; wildcards such as 'ires*' too.")
    ] = None,
    batch_sizes: Annotated[
        str, typer.Option("--batch-sizes", "--batch-size", help="Batch sizes, separated by commas.")
    ] = "1,8,64,256",
    mode: Annotated[str, typer.Option(help="inference, train, or both separated by a comma.")] = "inference",
    backend: Annotated[
        str, typer.Option(help="eager, compile, cuda_graph, onnxruntime, onnxruntime_int8; separated by commas.")
    ] = "eager",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    precision: Annotated[PrecisionChoice, typer.Option(help="Arithmetic of PyTorch.")] = PrecisionChoice.FP32,
    threads: Annotated[int | None, typer.Option(help="Threads on a CPU. Default: 1, as trials have.")] = None,
    seconds: Annotated[
        float | None,
        typer.Option(help="About how long to time, after warm-up. Default: 1.5 s for each network in each setting."),
    ] = None,
    blocks: Annotated[int, typer.Option(help="Blocks; differences are judged over so many.")] = 20,
    prepare_within: Annotated[
        str | None,
        typer.Option(
            help="The time that building, compiling and warming up may take, such as 10m; what is not ready then is "
            "left out. Default: as long as it takes."
        ),
    ] = None,
    energy: Annotated[bool, typer.Option(help="Read energy where it can be read: 2 s a network and setting.")] = True,
    against: Annotated[str | None, typer.Option(help="Hold the others against this one. Default: the first.")] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="A switch of every network as KEY=VALUE; repeatable.")
    ] = None,
    plugin: Annotated[
        list[Path] | None, typer.Option(help="A Python file that registers networks; repeatable.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "--output", "-o", help="Where the record goes. Default: results/speed/TIME.json."),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(help="A run whose cost is measured again, as it was before; takes the place of NAMES."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
) -> None:
    """Time networks interleaved on this machine, hold each against one, and keep every sample."""
    from fbench.benchmark.cost.speed import SpeedRequest

    if into is not None:
        if names or out is not None:
            raise UserError(
                f"--into {into} measures the networks of that run again and keeps the record in it; leave NAMES and "
                "--out away."
            )
        _measure_again(into, device, tuple(plugin or ()), as_json=as_json)
        return
    request = SpeedRequest(
        names=tuple(names or ()),
        batch_sizes=_whole_numbers(batch_sizes),
        modes=_parts(mode),
        backends=_parts(backend),
        device=device,
        precision=precision.value,
        threads=threads,
        seconds=seconds,
        blocks=blocks,
        against=against,
        options=parse_options(option or []),
        plugins=tuple(plugin or ()),
        energy=energy,
        preparation_s=None if prepare_within is None else seconds_of(prepare_within, "--prepare-within"),
    )
    _measure(request, out or Path("results/speed") / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json", as_json=as_json)


def _measure(request: SpeedRequest, file: Path, *, as_json: bool) -> None:
    """Measure, keep every sample, and print."""
    from rich.console import Console

    from fbench.benchmark.cost.speed import cost_spec, measure_spec
    from fbench.benchmark.runs.stopping import Stopping
    from fbench.benchmark.store.files import write_cost_file
    from fbench.cli.speed_view import print_speed
    from fbench.core.files import require_writable_file

    with Console(stderr=True).status("measuring") as status:
        spec = cost_spec(request, status.update)
        require_writable_file(file, "The record", "--out")  # nothing is measured that cannot be written
        stopping = Stopping()
        signals = StopSignals(stopping)
        with signals.heard():
            record = measure_spec(spec, request.device, status.update, stopping, preparation_s=request.preparation_s)
    try:
        write_cost_file(file, record)
    except OSError as error:
        typer.echo(record.model_dump_json())
        raise UserError(
            f"--out {file} could not be written ({error.strerror}); the record was printed in its place, so keep that."
        ) from error
    if as_json:
        typer.echo(record.model_dump_json())
    else:
        print_speed(record)
        typer.echo(f"Every sample: {file}")
    if record.interrupted:
        raise typer.Exit(signals.exit_code)


def _measure_again(run: Path, device: str, plugins: tuple[Path, ...], *, as_json: bool) -> None:
    """Measure a run's cost again, keep it there where it is better, and print."""
    from rich.console import Console

    from fbench.benchmark.cost.again import measure_again
    from fbench.benchmark.runs.stopping import Stopping
    from fbench.cli.speed_view import print_speed

    stopping = Stopping()
    signals = StopSignals(stopping)
    with Console(stderr=True).status("measuring") as status, signals.heard():
        record, is_kept = measure_again(expanded(run), device, plugins, status.update, stopping)
    if as_json:
        typer.echo(record.model_dump_json())
    else:
        print_speed(record)
        why = "was interrupted" if record.interrupted else "bore more of other work than the one in the run"
        typer.echo(f"Kept in {run}; fbench report {run} has it." if is_kept else f"Not kept, as it {why}, which stays.")
    if record.interrupted:
        raise typer.Exit(signals.exit_code)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _whole_numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in _parts(text))
    except ValueError:
        raise UserError(
            f"--batch-sizes {text} was given; give whole numbers separated by commas, such as 1,64."
        ) from None
