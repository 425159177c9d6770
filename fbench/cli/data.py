"""``fbench data``: what data sets there are, what is wrong with one, raw photos to faces, and augmented samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from fbench.cli.data_audit import audit_command
from fbench.cli.data_prepare import prepare_command
from fbench.core.errors import UserError

data_app = typer.Typer(name="data", help="Data sets: list, audit, prepare from photos, preview.", no_args_is_help=True)


def list_command(
    name: Annotated[str | None, typer.Argument(help="Only this data set, with its tree and options.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Say of each data set what it is, where people get it, its licence, and what it looks like on disk."""
    from fbench.benchmark.data.catalogue import DATA_SETS, known_data

    known = [known_data(each) for each in (DATA_SETS if name is None else [name])]
    if as_json:
        typer.echo(json.dumps([entry.model_dump() for entry in known], indent=1))
        return
    from fbench.cli.data_view import print_catalogue

    print_catalogue(known)


def preview_command(
    data: Annotated[str, typer.Argument(help="NAME or NAME=PATH, as for fbench run --data.")],
    protocol: Annotated[str, typer.Option(help="Whose augmentation: a protocol's name, or a TOML file.")] = "fbench",
    output: Annotated[Path, typer.Option("--output", "--out", "-o", help="The picture.")] = Path("preview.png"),
    per_class: Annotated[int, typer.Option(help="Images of each class.")] = 8,
    seed: Annotated[int, typer.Option(help="Which images, and which draw of the augmentation.")] = 0,
    show_images: Annotated[
        bool, typer.Option("--show-images", help="Also for data whose images may not be published.")
    ] = False,
) -> None:
    """Write a contact sheet: training images of each class above what a protocol's augmentation makes of them."""
    from fbench.benchmark.data.load import load_dataset
    from fbench.benchmark.data.references import parse_reference
    from fbench.benchmark.records.protocol_library import load_protocol
    from fbench.core.files import replacing, require_writable_file

    if not 1 <= per_class <= MOST_PER_CLASS:
        raise UserError(f"--per-class {per_class} was given; give 1 to {MOST_PER_CLASS}.")
    if output.suffix.lower() not in PICTURES:
        raise UserError(f"--output {output} is no picture by its name; end it in {' or '.join(PICTURES)}.")
    require_writable_file(output, "The picture", "--output")
    settings = load_protocol(protocol)
    dataset = load_dataset(parse_reference(data))
    if not (dataset.may_show_images or show_images):
        raise UserError(
            f"The images of {dataset.name} may not be published; add --show-images to write them for your own eyes."
        )
    from fbench.benchmark.training.contact_sheet import contact_sheet

    sheet = contact_sheet(dataset, settings, per_class=per_class, seed=seed)
    try:
        with replacing(output) as stream:
            sheet.save(stream, PICTURES[output.suffix.lower()])
    except OSError as error:
        raise UserError(f"The picture cannot be written to {output} ({error.strerror}); name another file.") from error
    typer.echo(f"Contact sheet: {output}")


MOST_PER_CLASS = 40
PICTURES = {".png": "PNG", ".jpg": "JPEG"}

data_app.command("list")(list_command)
data_app.command("audit")(audit_command)
data_app.command("prepare")(prepare_command)
data_app.command("preview")(preview_command)
