"""Try what ``candidates.toml`` lists: ``python -m tests.calibration.recipe --data fer2013=PATH [--stage NAME]``.

Trials of the named stages and networks (all of them, unless said) that neither the table nor ``--records`` answers are
run, ``--jobs`` at a time. No trial reads the test split. At the end their lines join the table,
``results/recipe/trials.csv``; without that file everything is tried anew.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.references import parse_reference
from fbench.benchmark.records.events import Ended, Event
from fbench.benchmark.records.specs import DataSpec, data_spec
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.runs.driver import run_trials
from fbench.benchmark.runs.executors import WorkerContext
from fbench.benchmark.runs.local_executor import LocalExecutor
from fbench.benchmark.store.run_folder import RunFolder
from fbench.core.files import unfinished_beside
from tests.calibration.recipe.ladder import Ladder, answers, missing, question, read_ladder, stage_trials
from tests.calibration.recipe.page import TABLE, Place, known_lines
from tests.csv_tables import write_rows

LAST_EVALUATIONS: Final = 3


def print_end(event: Event) -> None:
    """Print a line for each trial that ends."""
    if isinstance(event, Ended):
        record = event.record
        top1 = f"{100 * record.validation.top1:.2f}" if record.validation else record.failure_reason
        print(record.finished_at, record.spec.network.name, record.trial_id, top1, flush=True)  # noqa: T201 - a script reports by printing


def row(stage: str, candidate: str, folder: RunFolder, record: TrialRecord) -> dict[str, object]:
    """What a trial gave on the validation split. ``last`` is the mean over its last three evaluations."""
    spec, history = record.spec, folder.history(record.trial_id)
    last = history[-LAST_EVALUATIONS:]
    if record.validation is None or record.chosen_epoch is None or record.times is None:
        raise ValueError(f"trial {record.trial_id} is not finished")
    return {
        "stage": stage,
        "network": spec.network.name,
        "candidate": candidate,
        "precision": spec.numerics.precision,
        "numerics_version": spec.numerics.numerics_version,
        "image_passes": record.images_seen,
        "seed": spec.seed,
        "last_validation_top1": f"{np.mean([point.validation_top1 for point in last]):.4f}",
        "best_validation_top1": f"{record.validation.top1:.4f}",
        "best_epoch": f"{record.chosen_epoch:.0f}",
        "last_validation_loss": f"{np.mean([point.validation_loss for point in last]):.4f}",
        "last_train_top1": f"{np.mean([point.train_top1 for point in last]):.4f}",
        "train_time_s": f"{record.times.train_time_s:.0f}",
        "trial_id": record.trial_id,
    }


def write_table(ladder: Ladder, data: DataSpec, folder: RunFolder, table: Path) -> None:
    """One line for each trial of the ladder that has a record, or else had a line before."""
    answered, before = answers(folder.trials().values()), known_lines(table)
    rows: list[Mapping[str, object]] = []
    for stage in ladder.stages:
        for candidate, spec in stage_trials(ladder, stage, data):
            place = Place(stage.name, spec.network.name, candidate)
            if question(spec) in answered:
                rows.append(row(stage.name, candidate, folder, answered[question(spec)]))
            elif place in before:
                rows.append(before[place])
    write_rows(table, rows)


def main() -> None:
    """Run what is missing and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="fer2013=PATH")
    parser.add_argument("--stage", action="append")
    parser.add_argument("--network", action="append")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--records", type=Path, default=Path("results/recipe-records"))
    parser.add_argument("--table", type=Path, default=TABLE)
    given = parser.parse_args()
    ladder, reference, folder = read_ladder(), parse_reference(given.data), RunFolder(given.records)
    data = data_spec(reference, load_dataset(reference))
    known = known_lines(given.table)
    wanted = [
        spec
        for stage in ladder.stages
        if given.stage is None or stage.name in given.stage
        for candidate, spec in stage_trials(ladder, stage, data)
        if given.network is None or spec.network.name in given.network
        if Place(stage.name, spec.network.name, candidate) not in known
    ]
    answered = answers(folder.trials().values())
    with LocalExecutor(WorkerContext(unfinished_beside(folder.path / "scratch"), "cpu", given.jobs)) as executor:
        run_trials(executor, missing(wanted, answered), folder, print_end)
    write_table(ladder, data, folder, given.table)


if __name__ == "__main__":
    main()
