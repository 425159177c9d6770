"""``fbench predict``: image files through a trained or exported network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fbench.cli.architectures import PluginOption, TrustOption

if TYPE_CHECKING:
    from fbench.benchmark.export.predict import PredictedImages

SHOWN_CLASSES = 3


def predict_command(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    trial: Annotated[
        str, typer.Argument(help="NETWORK:SEED, or a trial's id or its first digits; see `fbench status RUN`.")
    ],
    images: Annotated[
        list[Path],
        typer.Argument(help="Images, or folders of them; photos of more than a face go through `fbench data prepare`."),
    ],
    model: Annotated[
        Path | None, typer.Option(help="A file that `fbench export` wrote of this trial, in place of its weights.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="NAME=PATH of the trial's images, for records without their normalisation.")
    ] = None,
    plugin: PluginOption = None,
    trust: TrustOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with the probability of every class.")] = False,
) -> None:
    """Print the class of each image and its three most probable classes; unreadable images are named and skipped."""
    from fbench.benchmark.export.predict import predict

    found = predict(run, trial, images, model=model, data=data, trust=trust, plugins=plugin or ())
    if as_json:
        typer.echo(found.model_dump_json(indent=1))
        return
    _print(found)


def _print(found: PredictedImages) -> None:
    typer.echo(f"{found.network}, trial {found.trial_id}, {found.model}")
    typer.echo(f"images read by {found.conversion}")
    for image in found.images:
        best = list(image.probabilities.items())[:SHOWN_CLASSES]
        typer.echo(f"{image.image}: {image.predicted} ({', '.join(f'{name} {100 * p:.1f} %' for name, p in best)})")
    for skipped in found.skipped:
        typer.echo(f"skipped: {skipped.image} {skipped.reason}", err=True)
