"""Whether trials were made alike, so that their accuracies may stand in one comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fbench.benchmark.records.protocol import JUDGING
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.core.errors import UserError


def first_difference(ours: Mapping[str, Any], theirs: Mapping[str, Any], labels: tuple[str, str]) -> str:
    """The first field in which two settings differ, in words with these labels; empty where they agree."""
    for name in dict.fromkeys([*ours, *theirs]):
        if ours.get(name) != theirs.get(name):
            return f"{name} is {ours.get(name)} in {labels[0]} and {theirs.get(name)} in {labels[1]}"
    return ""


def training_settings(record: TrialRecord) -> dict[str, Any]:
    """What two trials have to share: data, protocol, budget, numerics and the minor version of PyTorch, by field.

    Of tuned trials that is the protocol before the search and the search itself (its candidates, image passes and
    seeds), not what it chose.
    """
    spec = record.spec
    found: dict[str, Any] = {"data fingerprint": spec.data.fingerprint[:16], "PyTorch": record.machine.pytorch}
    protocol = spec.default_protocol or spec.protocol
    for name, settings in (("protocol", protocol), ("budget", spec.budget), ("numerics", spec.numerics)):
        found |= {f"{name}.{field}": value for field, value in settings.model_dump().items()}
    tuning = found.pop("protocol.tuning")
    found |= {f"protocol.tuning.{field}": value for field, value in (tuning or {"mode": "none"}).items()}
    # What a protocol asks of a network is the network's own affair here, and in its identity already.
    found.pop("protocol.architecture_options", None)
    for name in JUDGING:  # the rule of the run that is reported holds for all its trials
        found.pop(f"protocol.{name}", None)
    return found


def require_one_making(records: Iterable[TrialRecord], where: str) -> None:
    """Hold that all trials on one data set were made alike.

    What is done about copies of test images may differ, as studies compare it: the data set is then held against those
    of the same treatment.

    Raises:
        UserError: they were not; the first field that differs is named, with the trials.
    """
    first: dict[str, TrialRecord] = {}
    for record in records:
        treatment = str(record.spec.data.reference.options.get("copies", "keep"))
        base = first.setdefault(treatment, record)
        others = [base, next(iter(first.values()))]
        for other in others:
            ours, theirs = training_settings(other), training_settings(record)
            if other is not base:
                ours.pop("data fingerprint")
                theirs.pop("data fingerprint")
            if difference := first_difference(ours, theirs, (_label(other), _label(record))):
                raise UserError(
                    f"{where}: trials that were not made alike cannot be compared ({difference}); run the ones that "
                    "differ again, or keep them in a run of their own."
                )


def _label(record: TrialRecord) -> str:
    return f"{record.spec.network.name} seed {record.spec.seed}"
