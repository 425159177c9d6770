"""Accuracies of other people's trainings that MLflow has kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fbench.benchmark.imports.tables import Key, Trainings, fraction, network_name, seed_number
from fbench.benchmark.records.imported import ImportedTraining
from fbench.benchmark.trackers.choice import TrackerPlace, parse_trackers
from fbench.benchmark.trackers.mlflow import TRIAL, check_place, database_file, open_client
from fbench.benchmark.trackers.quiet import quiet
from fbench.core.errors import UserError, reason_on_a_line


@dataclass(frozen=True)
class MlflowQuestion:
    """Where runs lie, and what of them says which training it was: ``network`` and ``seed`` are parameters or tags,
    ``top1`` is a metric."""

    place: str
    experiment: str
    network: str = "network"
    seed: str = "seed"
    top1: str = "test_top1"


@dataclass(frozen=True)
class MlflowAnswer:
    """Trainings, and how many runs were left out: unfinished ones, and copies of fbench's own trials."""

    trainings: Trainings
    unfinished: int
    own: int


def read_runs(asked: MlflowQuestion) -> MlflowAnswer:
    """Read the finished runs of an experiment; nothing is written.

    Raises:
        UserError: MLflow is not installed or cannot be reached, there is no such experiment, or a run that does not
            say its network, seed and accuracy.
    """
    check_place(asked.place, before="", start="")
    (place,) = parse_trackers([f"mlflow={asked.place}"])
    file = database_file(asked.place)
    if file is not None and not Path(file).is_file():
        raise UserError(f"There is no {file}; give the address of a database or server that MLflow keeps runs in.")
    runs = _runs(place, asked)
    finished = [run for run in runs if run.info.status == "FINISHED"]
    theirs = [run for run in finished if TRIAL not in run.data.tags]
    found: Trainings = {}
    for run in theirs:
        key, top1 = _said(run, asked)
        if key in found:
            raise UserError(
                f"The experiment '{asked.experiment}' has {key[0]} with seed {key[1]} twice; delete one of the runs."
            )
        found[key] = ImportedTraining(seed=key[1], top1=top1)
    return MlflowAnswer(found, len(runs) - len(finished), len(finished) - len(theirs))


def _runs(place: TrackerPlace, asked: MlflowQuestion) -> list[Any]:
    try:
        with quiet():
            client = open_client(asked.place)
            experiment = client.get_experiment_by_name(asked.experiment)
            known = [one.name for one in client.search_experiments()]
            found = [] if experiment is None else list(_pages(client, experiment.experiment_id))
    except Exception as error:  # of any type: it comes from MLflow
        raise UserError(f"{place.label} cannot be read ({reason_on_a_line(error, 300)}); start or mend it.") from error
    if experiment is None:
        raise UserError(f"There is no experiment '{asked.experiment}'; there are {', '.join(known)}.")
    return found


def _pages(client: Any, experiment: str) -> Iterator[Any]:
    token = None
    while True:
        page = client.search_runs([experiment], page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _said(run: Any, asked: MlflowQuestion) -> tuple[Key, float]:
    where = f"The run '{run.info.run_name}' of MLflow"
    texts = {**run.data.tags, **run.data.params}
    for key, option in ((asked.network, "--network"), (asked.seed, "--seed")):
        if not texts.get(key):
            raise UserError(f"{where} has no parameter or tag '{key}'; name another with {option}.")
    if asked.top1 not in run.data.metrics:
        raise UserError(f"{where} has no metric '{asked.top1}'; name another with --top1.")
    training = network_name(texts[asked.network], where), seed_number(texts[asked.seed], where)
    return training, fraction(str(run.data.metrics[asked.top1]), where)
