"""Bundles of made-up runs whose networks have names that no contract has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fbench.benchmark.bundles.making import make_bundle, write_bundle
from fbench.benchmark.bundles.recording import record_repetition
from fbench.benchmark.records.predictions import answers_sha256
from fbench.benchmark.runs.repeated_trial import RepeatedTrial
from fbench.benchmark.store.files import history_text, write_text
from fbench.benchmark.store.run_table import RunTable, load_run
from tests.kept_hashes import keep_hashes
from tests.reports.fabricated_run import Recipe, fabricate_run

THREE = {"alpha": 0.73, "beta": 0.7, "gamma": 0.45}


def recipe_of(accuracy: Mapping[str, float] = THREE, **changes: Any) -> Recipe:
    """A run of these networks, the first against the others."""
    first, *others = accuracy
    study = {"name": "all", "title": "All", "question": "?", "baseline": first, "levels": (first, *others)}
    base = Recipe(accuracy=accuracy, studies=(study,), seeds=range(5), images=300, with_cost=False)
    return replace(base, **changes)


def fabricate_bundle(folder: Path, recipe: Recipe | None = None, by: str = "") -> Path:
    """A bundle in ``folder``, of a run that lies beside it."""
    run = fabricate_whole_run(folder.with_name(f"{folder.name}-run"), recipe or recipe_of())
    write_bundle(make_bundle(run), folder, by)
    return folder


def fabricate_whole_run(folder: Path, recipe: Recipe) -> RunTable:
    """A run whose histories have the evaluation that was chosen, with the accuracy of its record."""
    run = fabricate_run(folder, recipe)
    for record in run.trials.values():
        if record.validation is not None and record.chosen_step is not None:
            *others, last = run.folder.history(record.trial_id)
            chosen = last.model_copy(update={"step": record.chosen_step, "validation_top1": record.validation.top1})
            kept = [row for row in others if row.step != record.chosen_step]
            trial = run.folder.trial_files(record.trial_id)
            write_text(trial / "history.csv", history_text([*kept, chosen]))
            keep_hashes(trial)
    return load_run(folder)


def repeat(bundle: Path, network: str, seed: int, *, same: bool = True) -> None:
    """Record that a trial was repeated, on the machine of the run."""
    table = load_run(bundle)
    (record,) = (one for one in table.trials.values() if (one.spec.network.name, one.spec.seed) == (network, seed))
    answers = answers_sha256(table.folder.predictions(record.trial_id))
    found = RepeatedTrial(record, record, same, None, None, answers if same else {"test": "0" * 64})
    record_repetition(bundle, found)
