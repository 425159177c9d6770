"""What a tracker is told: a trial with its settings, its evaluations, and its end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.records.trial_records import HistoryRow, TrialRecord

Setting = str | int | float | bool


@dataclass(frozen=True)
class TrackedTrial:
    """A trial as a tracker names it.

    Attributes:
        run: the name of the run's folder.
        preset: how much was trained.
        network: what the suite calls its network.
        spec: everything that is asked for.
    """

    run: str
    preset: str
    network: str
    spec: TrialSpec

    @property
    def trial_id(self) -> str:
        """Which trial; equal ids are one trial, in whatever run."""
        return self.spec.trial_id

    @property
    def label(self) -> str:
        """What a person calls it."""
        return f"{self.network} on {self.spec.data.name}, seed {self.spec.seed}"

    def main_settings(self) -> dict[str, Setting]:
        """What people sort and filter trials by."""
        spec = self.spec
        return {
            "network": self.network,
            "data": spec.data.name,
            "protocol": f"{spec.protocol.name}@{spec.protocol.version}",
            "preset": self.preset,
            "seed": spec.seed,
            "device": spec.numerics.device_kind,
            "precision": spec.numerics.precision,
            "trial_id": self.trial_id,
        }

    def every_setting(self) -> dict[str, Setting]:
        """All that the result depends on, under dotted names; what is not set is left out."""
        spec = self.spec
        network = {"builder": spec.network.builder, "digest": spec.network.digest, "options": spec.network.options}
        data = spec.data.model_dump(mode="json", include={"fingerprint", "options", "images_by_split"})
        nested = {
            "network": network,
            "data": data,
            "protocol": spec.protocol.model_dump(mode="json", exclude={"name", "description"}),
            "budget": spec.budget.model_dump(mode="json"),
            "numerics": spec.numerics.model_dump(mode="json"),
        }
        return {**self.main_settings(), **dict(_flat(nested))}


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Setting]]:
    for key, value in values.items():
        name = f"{prefix}{key}"
        match value:
            case None:
                continue
            case dict():
                yield from _flat(value, f"{name}.")
            case str() | int() | float():
                yield name, value
            case _:
                yield name, json.dumps(value)


def measures_of(row: HistoryRow) -> dict[str, float]:
    """What an evaluation says; the place is ``row.images_seen``."""
    names = ("epoch", "learning_rate", "train_loss", "train_top1", "validation_loss", "validation_top1", "train_time_s")
    return {name: float(getattr(row, name)) for name in names}


def results_of(record: TrialRecord) -> dict[str, float]:
    """What a trial that ended says as a whole: quality of the chosen epoch on each split, times, and counts.

    The time of training is that of its last evaluation.
    """
    found: dict[str, float] = {}
    for split, measures in (("chosen_validation", record.validation), ("test", record.test)):
        if measures is not None:
            names = ("top1", "loss", "balanced_accuracy", "macro_f1", "expected_calibration_error")
            found |= {f"{split}_{name}": float(getattr(measures, name)) for name in names}
    if record.chosen_epoch is not None:
        found["chosen_epoch"] = record.chosen_epoch
    if record.times is not None:
        names = ("data_time_s", "step_time_s", "evaluation_time_s", "total_time_s", "train_time_per_epoch_s")
        found |= {name: float(getattr(record.times, name)) for name in names}
    if record.status == "finished":
        found |= {name: float(getattr(record, name)) for name in ("trainable_params", "total_params_keras", "macs")}
    return found


class Tracker(Protocol):
    """Keeps a copy of trials elsewhere, one entry a trial id. Whatever a method raises ends the copying alone."""

    def has_end(self, trial: TrackedTrial, record: TrialRecord) -> bool:
        """Whether this very end of the trial is kept already."""

    def begin(self, trial: TrackedTrial, at_s: float) -> int:
        """Open the trial's entry, or go on with the one that it has.

        Args:
            trial: the trial.
            at_s: when it began, in seconds since 1970.

        Returns:
            How many evaluations the entry holds already.
        """

    def evaluated(self, trial: TrackedTrial, row: HistoryRow, at_s: float) -> None:
        """Keep an evaluation."""

    def ended(self, trial: TrackedTrial, record: TrialRecord, at_s: float) -> None:
        """Keep what the trial found, its status and why it failed."""

    def close(self) -> None:
        """No more is told; trials that began and have not ended were stopped."""
