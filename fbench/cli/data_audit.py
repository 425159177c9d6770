"""``fbench data audit``: what is wrong with a data set, before a number on it is published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fbench.core.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from fbench.benchmark.data.audit.findings import Audit
    from fbench.benchmark.data.dataset import ImageDataset
    from fbench.benchmark.data.source import DataReference


def audit_command(
    data: Annotated[str, typer.Argument(help="NAME or NAME=PATH, as for fbench run --data.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Do not look for near copies.")] = False,
    ferplus: Annotated[
        Path | None,
        typer.Option(help="fer2013new.csv, to find images that are no face. Default: the one beside the data."),
    ] = None,
    clean: Annotated[
        Path | None, typer.Option(help="Write a cleaned index into this folder, for --data cleaned=FOLDER.")
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(help="A cleaning rule; repeatable. Default: all but non_faces, which may touch the test split."),
    ] = None,
) -> None:
    """Look for copies, conflicting labels, blank images, non-faces, imbalance and subjects on two sides."""
    from fbench.benchmark.data.audit.clean import check_rules, require_findings
    from fbench.benchmark.data.cleaned import require_target
    from fbench.benchmark.data.load import load_dataset
    from fbench.benchmark.data.references import parse_reference

    if rule and clean is None:
        raise UserError(f"--rule {rule[0]} was given without --clean; name the folder of the cleaned index with it.")
    rules = check_rules(tuple(rule or ()))
    reference = parse_reference(data)
    if clean is not None:
        require_target(clean, reference)
    dataset = load_dataset(reference)
    non_faces = _non_faces(reference, dataset, ferplus)
    if clean is not None:
        require_findings(rules, near=not quick, non_faces=non_faces is not None)
    audit = _audit(dataset, non_faces, quick=quick)
    if as_json:
        typer.echo(audit.model_dump_json(indent=1))
    else:
        from fbench.cli.audit_view import print_audit

        print_audit(audit, dataset)
    if clean is not None:
        _clean(clean, reference, dataset, audit, rules)


def _audit(dataset: ImageDataset, non_faces: npt.NDArray[np.bool_] | None, *, quick: bool) -> Audit:
    """The audit, its near copies from the cache where they were looked for before."""
    from fbench.benchmark.data.audit.audit import audit_dataset
    from fbench.benchmark.data.audit.kept import cached_audit, keep_audit

    audit = audit_dataset(dataset, near=False, non_faces=non_faces)
    if quick:
        return audit
    before = cached_audit(dataset.fingerprint)
    if before is None or before.near is None:
        with _progress(len(dataset.labels)) as progress:
            before = audit_dataset(dataset, near=True, progress=progress)
    audit = audit.model_copy(update={"near": before.near})
    keep_audit(audit)
    return audit


def _non_faces(
    reference: DataReference, dataset: ImageDataset, votes_file: Path | None
) -> npt.NDArray[np.bool_] | None:
    from fbench.benchmark.data.layouts.ferplus_votes import VOTES_FILE, non_faces_of_rows, read_votes

    if votes_file is not None:
        return non_faces_of_rows(dataset, read_votes(votes_file), votes_file)
    if reference.name != "fer2013" or reference.path is None or not str(dataset.sample_ids[0]).startswith("row:"):
        return None
    beside = (reference.path if reference.path.is_dir() else reference.path.parent) / VOTES_FILE
    if not beside.is_file():
        return None
    try:
        return non_faces_of_rows(dataset, read_votes(beside), beside)
    except UserError as error:  # nobody asked for this file, and train.csv has fewer rows than it
        typer.echo(f"Non-faces are not looked for: {error}", err=True)
        return None


@contextmanager
def _progress(images: int) -> Iterator[Callable[[float], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("comparing every pair of {task.fields[images]:,} images"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("comparing", total=1.0, images=images)
        yield lambda share: bar.update(task, completed=share)


def _clean(folder: Path, reference: DataReference, dataset: ImageDataset, audit: Audit, rules: tuple[str, ...]) -> None:
    from fbench.benchmark.data.audit.clean import RULES, rows_to_leave_out
    from fbench.benchmark.data.cleaned import write_cleaned

    rows = rows_to_leave_out(dataset, audit, rules)
    index = write_cleaned(folder, reference, dataset, rules, rows)
    typer.echo(f"\nCleaned index: {folder} leaves out {len(rows):,} of {len(dataset.labels):,} images.", err=True)
    for name in rules:
        typer.echo(f"  {index.rows_by_rule.get(name, 0):>6,}  {name}: {RULES[name].takes}", err=True)
    typer.echo(f"Train on it with --data cleaned={folder}", err=True)
