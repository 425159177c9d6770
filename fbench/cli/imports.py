"""``fbench import``: results of other people's training code, to hold against a run's."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fbench.core.errors import UserError
from fbench.core.files import require_writable_file
from fbench.core.paths import expanded

if TYPE_CHECKING:
    from fbench.benchmark.imports.evaluated import EvaluatedOn
    from fbench.benchmark.imports.tables import Trainings
    from fbench.benchmark.records.imported import ImportedResults

import_app = typer.Typer(
    name="import", help="Results of other people's training code, for fbench compare.", no_args_is_help=True
)


class Split(StrEnum):
    """What trainings were tested on."""

    TEST = "test"
    VALIDATION = "validation"


DataOption = Annotated[
    str,
    typer.Option(help="What they were tested on: NAME=PATH, which is read; or NAME, which is believed."),
]
SplitOption = Annotated[Split, typer.Option(help="Of the data.")]
OutputOption = Annotated[Path, typer.Option("--output", "--out", "-o", help="The file to write.")]


def csv_command(
    files: Annotated[
        list[Path],
        typer.Argument(help="Tables with network,seed,top1 or with network,seed,image,label,predicted."),
    ],
    data: DataOption,
    split: SplitOption = Split.TEST,
    output: OutputOption = Path("imported.json"),
) -> None:
    """Read accuracies of trainings, or their answers to each image, from CSV files."""
    from fbench.benchmark.imports.evaluated import evaluated_on
    from fbench.benchmark.imports.tables import read_tables

    _require_new(output)
    tested = evaluated_on(data, split.value)
    trainings = read_tables([expanded(file) for file in files], tested)
    _write(trainings, tested, ", ".join(file.name for file in files), output)


def mlflow_command(
    place: Annotated[str, typer.Argument(help="sqlite:///FILE, another database, or http://HOST:PORT.")],
    experiment: Annotated[str, typer.Option(help="Whose finished runs are read.")],
    data: DataOption,
    split: SplitOption = Split.TEST,
    network: Annotated[str, typer.Option(help="The parameter or tag that names the network.")] = "network",
    seed: Annotated[str, typer.Option(help="The parameter or tag that is the seed.")] = "seed",
    top1: Annotated[str, typer.Option(help="The metric that is the accuracy, a fraction.")] = "test_top1",
    output: OutputOption = Path("imported.json"),
) -> None:
    """Read accuracies of trainings from runs of MLflow; copies of fbench's own trials are left out."""
    from fbench.benchmark.imports.evaluated import evaluated_on
    from fbench.benchmark.imports.mlflow_runs import MlflowQuestion, read_runs

    _require_new(output)
    tested = evaluated_on(data, split.value)
    answer = read_runs(MlflowQuestion(place, experiment, network, seed, top1))
    for amount, what in ((answer.unfinished, "did not finish"), (answer.own, "are copies of trials of fbench")):
        if amount:
            typer.echo(f"Runs that {what}: {amount}, left out.", err=True)
    _write(answer.trainings, tested, f"the experiment {experiment} of MLflow", output)


import_app.command("csv")(csv_command)
import_app.command("mlflow")(mlflow_command)


def _require_new(output: Path) -> None:
    if os.path.lexists(output):
        raise UserError(f"{output} exists and is not overwritten; name another file with --output.")
    require_writable_file(output, "What is imported", "--output")


def _write(trainings: Trainings, tested: EvaluatedOn, source: str, output: Path) -> None:
    from fbench.benchmark.imports.importing import imported
    from fbench.benchmark.store.imported_files import write_imported

    results = imported(trainings, tested, source)
    write_imported(output, results)
    for name in results.networks:
        typer.echo(f"{name}: {_line(results, name)}")
    how = "as its files say" if results.data.fingerprint else "as you say, of which nothing was read"
    typer.echo(f"Wrote {output}: {results.kind}; {results.data.split} split of {results.data.name}, {how}.")
    typer.echo(f"Next: fbench compare RUN:NETWORK {output}:{next(iter(results.networks))}")


def _line(results: ImportedResults, name: str) -> str:
    trainings = results.networks[name]
    mean = sum(one.top1 for one in trainings) / len(trainings)
    kept = "with predictions" if results.has_predictions(name) else "accuracies alone"
    return f"{len(trainings)} seed{'' if len(trainings) == 1 else 's'}, mean top-1 {100 * mean:.2f} %, {kept}"
