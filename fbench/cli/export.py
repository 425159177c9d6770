"""``fbench export``: a trained network as one file that carries what it needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fbench.cli.architectures import PluginOption, TrustOption
from fbench.core.errors import UserError, did_you_mean
from fbench.core.paths import expanded

if TYPE_CHECKING:
    from fbench.benchmark.export.formats import ExportReport
    from fbench.benchmark.export.metadata import ExportFormat
    from fbench.benchmark.store.run_folder import RunFolder

FORMATS = ("onnx", "onnx-int8", "safetensors", "torch-export")


def export_command(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    trial: Annotated[
        str, typer.Argument(help="NETWORK:SEED, or a trial's id or its first digits; see `fbench status RUN`.")
    ],
    to: Annotated[str, typer.Option("--to", help=f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")],
    output: Annotated[
        Path | None, typer.Option("--output", "--out", "-o", help="Default: RUN/exports/NETWORK-TRIAL.SUFFIX.")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="NAME=PATH of the trial's images, for onnx-int8, and for records without their normalisation."
        ),
    ] = None,
    plugin: PluginOption = None,
    trust: TrustOption = None,
    calibration_images: Annotated[
        int, typer.Option(min=1, help="Training images that onnx-int8 learns its ranges from.")
    ] = 512,
) -> None:
    """Write a trained network to a file, read it back, and see that it computes the same."""
    if to not in FORMATS:
        raise UserError(f"--to {to} is no format.{did_you_mean(to, FORMATS)} Allowed: {', '.join(FORMATS)}.")
    from fbench.benchmark.data.references import parse_reference
    from fbench.benchmark.export.exporting import export_trial
    from fbench.benchmark.export.metadata import ExportFormat
    from fbench.benchmark.export.trained import find_trial
    from fbench.benchmark.store.run_folder import RunFolder
    from fbench.core.files import require_writable_file

    folder = RunFolder.open(expanded(run))
    trial_id = find_trial(folder, trial)
    export_format = ExportFormat(to)
    path = _target(folder, f"{folder.trial(trial_id).spec.network.name}-{trial_id}", export_format, output)
    given = parse_reference(data) if data else None
    require_writable_file(path, "The network", "--output")
    report = export_trial(
        folder,
        trial_id,
        export_format,
        path,
        data=given,
        trust=trust,
        plugins=plugin or (),
        calibration_images=calibration_images,
    )
    _print(report)


def _target(run: RunFolder, stem: str, export_format: ExportFormat, output: Path | None) -> Path:
    """The file that is written.

    Raises:
        UserError: a name that does not fit the format, one that is no file's, or a link within the run.
    """
    from fbench.benchmark.export.metadata import SUFFIXES, ExportFormat
    from fbench.core.contained import refuse_links_below
    from fbench.core.opened_folders import OutsideError

    suffix = SUFFIXES[export_format]
    if output is None:
        kind = ".int8" if export_format is ExportFormat.ONNX_INT8 else ""
        try:
            path = (run.files / "exports" / f"{stem}{kind}{suffix}").path
        except OutsideError as error:
            raise UserError(f"The network is called '{stem}', which names no file; name one with --output.") from error
        refuse_links_below(path, [run.path])
        return path
    path = expanded(output)
    refuse_links_below(path, [run.path])
    if path.suffix.lower() != suffix or path.is_dir():
        raise UserError(f"--output {output} does not fit --to {export_format}; give a file name that ends in {suffix}.")
    return path


def _print(report: ExportReport) -> None:
    found = report.metadata
    shape = "x".join(str(side) for side in found.input_shape)
    typer.echo(f"{found.network}, trial {found.trial_id}: {report.size_bytes:,} bytes as {found.format}")
    typer.echo(f"input {shape}: {found.input}; output: {found.output}")
    if report.agreement is None:
        typer.echo(f"checked: logits within {report.deviation:.1e} of the trained network's, relative to the largest")
    else:
        typer.echo(
            f"int8 gives {100 * report.agreement:.2f} % of {report.calibration_images} training images the class that "
            f"fp32 gives; its logits deviate by up to {report.deviation:.1e} of the largest. Accuracy on other images "
            "is not measured here."
        )
    typer.echo(str(report.path))
