"""From trainings to one file of imported results."""

from __future__ import annotations

from datetime import UTC, datetime

from fbench.benchmark.imports.evaluated import EvaluatedOn
from fbench.benchmark.imports.tables import Trainings
from fbench.benchmark.records.imported import ImportedResults, ImportedTraining
from fbench.core.errors import UserError


def imported(trainings: Trainings, tested: EvaluatedOn, source: str) -> ImportedResults:
    """Results by network, seeds ascending.

    Raises:
        UserError: there is no training.
    """
    if not trainings:
        raise UserError(f"{source} has no training; give one a row.")
    networks: dict[str, tuple[ImportedTraining, ...]] = {}
    for (name, _), training in sorted(trainings.items()):
        networks[name] = (*networks.get(name, ()), training)
    data = tested.data
    if not any(one.predicted for one in trainings.values()):
        data = data.model_copy(update={"labels": (), "clusters": (), "unit": None})
    return ImportedResults(
        source=source,
        imported_at=datetime.now(UTC).isoformat(timespec="seconds"),
        data=data,
        networks=networks,
    )
