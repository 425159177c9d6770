"""``fbench data audit``: what is wrong with a data set, before a number on it is published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fbench.architectures.errors import UserError

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
    from fbench.benchmark.data.audit.clean import check_rules
    from fbench.benchmark.data.load import load_dataset
    from fbench.benchmark.data.source import DataReference

    if rule and clean is None:
        raise UserError(f"--rule {rule[0]} was given without --clean; name the folder of the cleaned index with it.")
    rules = check_rules(tuple(rule or ()))
    reference = DataReference.parse(data)
    dataset = load_dataset(reference)
    audit = _audit(dataset, _non_faces(reference, dataset, ferplus), quick=quick)
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
    from fbench.benchmark.data.layouts.ferplus import VOTES_FILE, non_faces_of_rows, read_votes

    if votes_file is None and reference.path is not None:
        beside = (reference.path if reference.path.is_dir() else reference.path.parent) / VOTES_FILE
        by_row = reference.name == "fer2013" and str(dataset.sample_ids[0]).startswith("row:")
        votes_file = beside if by_row and beside.is_file() else None
    return None if votes_file is None else non_faces_of_rows(dataset, read_votes(votes_file), votes_file)


@contextmanager
def _progress(images: int) -> Iterator[Callable[[float], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("comparing every pair of {task.fields[images]:,} images"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("comparing", total=1.0, images=images)
        yield lambda share: bar.update(task, completed=share)


def _clean(folder: Path, reference: DataReference, dataset: ImageDataset, audit: Audit, rules: tuple[str, ...]) -> None:
    from fbench.benchmark.data.audit.clean import RULES, rows_to_leave_out
    from fbench.benchmark.data.cleaned import write_cleaned

    if reference.name == "cleaned":
        raise UserError("A cleaned index cannot be cleaned again; audit its source with other --rule options instead.")
    rows = rows_to_leave_out(dataset, audit, rules)
    index = write_cleaned(folder, reference, dataset, rules, rows)
    typer.echo(f"\nCleaned index: {folder} leaves out {len(rows):,} of {len(dataset.labels):,} images.", err=True)
    for name in rules:
        typer.echo(f"  {index.rows_by_rule.get(name, 0):>6,}  {name}: {RULES[name]}", err=True)
    typer.echo(f"Train on it with --data cleaned={folder}", err=True)
