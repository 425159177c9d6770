"""Results of another program on the images of a fabricated run."""

from __future__ import annotations

import numpy as np

from fbench.benchmark.records.imported import ImportedData, ImportedResults, ImportedTraining
from fbench.benchmark.store.run_table import RunTable


def imported_results(run: RunTable, *, seeds: int = 3, predictions: bool = True, **data: object) -> ImportedResults:
    """Trainings with a tenth fewer right than the run's first, on the same images."""
    record = run.records("ires", "fer2013")[0]
    part = run.predictions(record)["test"]
    trainings = []
    for seed in range(seeds):
        predicted = part.predicted.astype(int).copy()
        changed = np.random.default_rng(seed).choice(predicted.size, predicted.size // 10, replace=False)
        predicted[changed] = (part.labels[changed] + 1) % 7
        top1 = float(np.mean(predicted == part.labels))
        trainings.append(
            ImportedTraining(seed=seed, top1=top1, predicted=tuple(predicted.tolist()) if predictions else ())
        )
    tested = ImportedData(
        name="fer2013",
        split="test",
        fingerprint=record.spec.data.fingerprint,
        class_names=record.spec.data.class_names,
        images=part.labels.size,
        labels=tuple(part.labels.tolist()) if predictions else (),
    ).model_copy(update=data)
    return ImportedResults(
        source="table.csv",
        imported_at="2026-01-01T00:00:00+00:00",
        data=tested,
        networks={"their_net": tuple(trainings)},
    )
