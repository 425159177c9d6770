"""A run folder: configuration, plan, records and their files. Whatever is written appears whole or not at all.

- ``run.json``: the configuration; written once
- ``plan.json``: which trial answers for a network, data set and seed; grows
- ``data/<fingerprint>/audit.json``: what an audit found in each data set, with the splits that the protocol uses
- ``networks/<digest>/network.json``: modules, edges, shapes and counts of each network
- ``trials/<trial id>/record.json``: with history.csv, predictions.npz, logits.npz, weights.safetensors, maps.npz,
  failure.txt
- ``checkpoints/<trial id>.safetensors``: what a trial that was interrupted goes on from; goes when it has a record
- ``costs/<cost id>.json``: measurements of cost, every raw sample
- ``test_readings.jsonl``: the ledger of test readings for the run's data, as it stood
- ``sha256.json``: the hashes of these files, and beside each record those of its trial's files, for ``fbench doctor``
- ``tuning/searches/<search id>.json``: what each search for settings found; ``tuning/trials``: its trials
- ``interim_analyses.json``: what each interim analysis found, where seeds were added until comparisons were decided
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from fbench.benchmark.data.audit.findings import Audit
from fbench.benchmark.maps.face_maps import (
    MAPS_FILE,
    FaceMaps,
    read_maps,
    read_maps_left_out,
    write_maps,
    write_maps_left_out,
)
from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.interim_analyses import InterimAnalyses
from fbench.benchmark.records.network_description import NetworkDescription
from fbench.benchmark.records.predictions import Predictions, read_predictions, write_predictions
from fbench.benchmark.records.trial_records import (
    HistoryRow,
    PlannedTrial,
    RunConfig,
    TrialRecord,
)
from fbench.benchmark.store.files import (
    naming,
    read_cost_file,
    read_history,
    read_model,
    readable_json,
    write_cost_file,
    write_history,
    write_json,
    write_text,
)
from fbench.benchmark.store.hashes import keep_hash, keep_hashes
from fbench.benchmark.store.leftovers import remove_leftovers
from fbench.core.bounded import parse_json, plain_texts, read_json, read_text
from fbench.core.contained import UNFINISHED, ContainedPath
from fbench.core.errors import UserError, storable
from fbench.core.locks import LOCK_FILE

WEIGHTS_FILE = "weights.safetensors"
FAILURE_FILE = "failure.txt"
ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True)
class TrialResult:
    """A record with the files that lie beside it; a failed trial has a record and as much history as there was.

    ``weights`` is the network's ``state_dict`` at the chosen step; ``test_readings`` counts how often the test split
    was read, by a failed trial too. A result from another process has its files, the record's among them, in the folder
    ``files`` instead. ``failure_details`` is the traceback of a failed trial and the end of its log; ``may_pass`` says
    that it failed for a reason that may not be there the next time.
    """

    record: TrialRecord
    history: tuple[HistoryRow, ...] = ()
    predictions: Predictions | None = None
    weights: dict[str, Any] | None = None
    test_readings: int = 0
    files: Path | None = None
    failure_details: str = ""
    may_pass: bool = False


class RunFolder:
    """The files of one run. Reading never changes anything; writing is atomic, file by file or trial by trial.

    A run may be a stranger's: ``files`` follows no link below it, and leads nowhere else.
    """

    def __init__(self, path: Path, files: ContainedPath | None = None) -> None:
        self.path = path
        self.files = files or ContainedPath(path)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Open an existing run.

        Raises:
            UserError: there is no run at ``path``.
        """
        if not ContainedPath(path, ("run.json",)).is_file():
            raise UserError(
                f"{path} is not a run folder (it has no run.json); give the folder that `fbench run` wrote."
            )
        return cls(path)

    @property
    def searching(self) -> RunFolder:
        """Where searches for settings and their trials lie, apart from the trials of the run."""
        return RunFolder(self.path / "tuning", self.files / "tuning")

    def is_new(self) -> bool:
        """Whether a folder without a run has nothing in it but what a run that was killed at its start left."""
        if not self.path.is_dir():
            return False
        return all(name.startswith((UNFINISHED, LOCK_FILE)) for name in self.files.names())

    def clean(self) -> None:
        """Remove what killed processes left unfinished, and checkpoints of finished trials; only for who holds the lock
        of the folder."""
        remove_leftovers(self.files)
        for name in (self.files / "checkpoints").names():
            trial_id = name.removesuffix(".safetensors")
            if self.has_record(trial_id) and self.trial(trial_id).status == "finished":
                (self.files / "checkpoints" / name).remove()

    # --- configuration and plan

    def create(self, config: RunConfig) -> None:
        """Write the configuration of a new run."""
        write_json(self.files / "run.json", config)
        keep_hash(self.files, self.files / "run.json")

    def config(self) -> RunConfig:
        """The configuration, validated."""
        return read_model(self.files / "run.json", RunConfig)

    def plan(self) -> list[PlannedTrial]:
        """Every planned trial so far, in the order it was planned."""
        file = self.files / "plan.json"
        if not file.exists():
            return []
        with naming(file):
            return [PlannedTrial.model_validate(row) for row in read_json(file)]

    def extend_plan(self, planned: Iterable[PlannedTrial]) -> None:
        """Add trials to the plan; a network, data set and seed that is planned again takes its new trial."""
        rows = {(row.network, row.data, row.seed): row for row in self.plan()}
        rows |= {(row.network, row.data, row.seed): row for row in planned}
        text = json.dumps([row.model_dump(mode="json") for row in rows.values()], indent=1)
        write_text(self.files / "plan.json", text + "\n")
        keep_hash(self.files, self.files / "plan.json")

    # --- trials

    def trial_folder(self, trial_id: str) -> Path:
        """Where a trial's files lie, for a sentence; they are read and written by :meth:`trial_files`."""
        return self.trial_files(trial_id).path

    def trial_files(self, trial_id: str) -> ContainedPath:
        """The folder of a trial's files."""
        return self.files / "trials" / trial_id

    def write_trial(self, result: TrialResult) -> TrialRecord:
        """Write a trial; it replaces an earlier (failed) one of the same id.

        Weights that cannot be kept are left out, and the record that is written, and returned, says why.

        Raises:
            OSError: the disk refuses; nothing is written then, as with any other error.
            ValueError: the record has a number that JSON cannot hold.
        """
        record = result.record
        if result.files is not None:
            self.trial_files(record.trial_id).take(result.files)
            return record
        with self.trial_files(record.trial_id).replacing_folder() as folder:
            write_history(folder / "history.csv", result.history)
            if result.predictions is not None:
                write_predictions(folder, result.predictions)
            if result.weights is not None:
                from fbench.benchmark.store.weights import write_state

                why_not = write_state(folder / WEIGHTS_FILE, result.weights)
                record = record.model_copy(update={"weights_not_kept": why_not})
            if result.failure_details:
                write_text(folder / FAILURE_FILE, storable(result.failure_details))
            write_text(folder / "record.json", readable_json(record))
            keep_hashes(folder)
        return record

    @property
    def checkpoints(self) -> Path:
        """The folder of what interrupted trials go on from."""
        return self.path / "checkpoints"

    def take_checkpoint(self, trial_id: str, file: Path) -> None:
        """Move a checkpoint of a trial into the run, in the place of an earlier one."""
        (self.files / "checkpoints" / f"{trial_id}.safetensors").take(file)

    def drop_checkpoint(self, trial_id: str) -> None:
        """Remove the checkpoint of a trial, where there is one; and the folder with the last."""
        folder = self.files / "checkpoints"
        (folder / f"{trial_id}.safetensors").remove()
        if not folder.names():
            folder.remove()

    def has_record(self, trial_id: str) -> bool:
        """Whether a trial has a record, finished or failed."""
        return (self.trial_files(trial_id) / "record.json").is_file()

    def trial(self, trial_id: str) -> TrialRecord:
        """The record of one trial.

        Raises:
            UserError: the record is not valid, or that of another trial.
        """
        file = self.trial_files(trial_id) / "record.json"
        record = read_model(file, TrialRecord)
        if record.trial_id != trial_id:
            raise UserError(f"{file} is the record of trial '{record.trial_id}'; restore it or delete its folder.")
        return record

    def trials(self) -> dict[str, TrialRecord]:
        """All trial records by id."""
        return {trial_id: self.trial(trial_id) for trial_id in self.trial_ids()}

    def trial_ids(self) -> list[str]:
        """The ids of all trials that have a record, in the order of the alphabet; no folder that was not finished."""
        names = (name for name in (self.files / "trials").names() if not name.startswith(UNFINISHED))
        return [name for name in names if self.has_record(name)]

    def history(self, trial_id: str) -> list[HistoryRow]:
        """The evaluation points of a trial."""
        return read_history(self.trial_files(trial_id) / "history.csv")

    def predictions(self, trial_id: str) -> Predictions:
        """The stored predictions of a trial."""
        return read_predictions(self.trial_files(trial_id))

    def has_weights(self, trial_id: str) -> bool:
        """Whether a trial's weights were kept."""
        return (self.trial_files(trial_id) / WEIGHTS_FILE).is_file()

    def has_maps(self, trial_id: str) -> bool:
        """Whether a trial has feature maps and Grad-CAM."""
        return (self.trial_files(trial_id) / MAPS_FILE).is_file()

    def maps(self, trial_id: str) -> FaceMaps | None:
        """Feature maps and Grad-CAM of a trial, or None where none were made."""
        return read_maps(self.trial_files(trial_id))

    def write_maps(self, trial_id: str, maps: FaceMaps) -> None:
        """Keep maps beside a trial's record; images that may not be kept are refused."""
        write_maps(self.trial_files(trial_id), maps)

    def take_maps(self, trial_id: str, other: RunFolder) -> None:
        """Move the maps of a trial here from another folder."""
        (self.trial_files(trial_id) / MAPS_FILE).take(other.trial_folder(trial_id) / MAPS_FILE)

    def write_maps_left_out(self, trial_id: str, reason: str) -> None:
        """Keep why no maps of a trial could be made, for the report."""
        write_maps_left_out(self.trial_files(trial_id), reason)

    def maps_left_out(self, trial_id: str) -> str:
        """Why no maps of a trial could be made; empty where they were made or not tried."""
        return read_maps_left_out(self.trial_files(trial_id))

    def take_trial(self, other: RunFolder, trial_id: str) -> None:
        """Copy a finished trial, whole, from another run."""
        with self.trial_files(trial_id).replacing_folder() as folder:
            folder.copy_files(other.trial_files(trial_id))

    # --- data, networks, costs, ledger

    def write_audit(self, fingerprint: str, audit: Audit) -> None:
        """Keep what an audit found in the data set of this fingerprint; it replaces an earlier one."""
        file = self.files / "data" / fingerprint[:16] / "audit.json"
        write_json(file, audit)
        keep_hash(self.files, file)

    def audit(self, fingerprint: str) -> Audit | None:
        """What was found in a data set, or None where no audit was kept."""
        file = self.files / "data" / fingerprint[:16] / "audit.json"
        return read_model(file, Audit) if file.exists() else None

    def network_file(self, digest: str) -> Path:
        """Where the description of a network lies, for a sentence."""
        return self._network_file(digest).path

    def _network_file(self, digest: str) -> ContainedPath:
        return self.files / "networks" / digest[:16] / "network.json"

    def write_network(self, digest: str, description: NetworkDescription) -> None:
        """Keep the description of a network; one that is there already stays."""
        file = self._network_file(digest)
        if not file.exists():
            write_text(file, json.dumps(description.to_json(), indent=1, sort_keys=True) + "\n")
            keep_hash(self.files, file)

    def network(self, digest: str) -> NetworkDescription | None:
        """The description of a network, or None where it was not kept.

        Raises:
            UserError: the file is not valid.
        """
        file = self._network_file(digest)
        return read_model(file, NetworkDescription) if file.exists() else None

    def write_cost(self, record: CostRecord) -> None:
        """Keep a measurement of cost."""
        file = self.files / "costs" / f"{record.cost_id}.json"
        write_cost_file(file, record)
        keep_hash(self.files, file)

    def cost_names(self) -> list[str]:
        """The names of the files of all measurements of cost."""
        names = (self.files / "costs").names()
        return [name for name in names if name.endswith(".json") and not name.startswith(UNFINISHED)]

    def costs(self) -> list[CostRecord]:
        """All measurements of cost, oldest first."""
        records = [read_cost_file(self.files / "costs" / name) for name in self.cost_names()]
        return sorted(records, key=lambda record: record.finished_at)

    def write_interim_analyses(self, analyses: InterimAnalyses) -> None:
        """Keep what each interim analysis found; it replaces what was kept before."""
        write_json(self.files / "interim_analyses.json", analyses)
        keep_hash(self.files, self.files / "interim_analyses.json")

    def interim_analyses(self) -> InterimAnalyses | None:
        """What each interim analysis found, or None where the run was not made until decided.

        Raises:
            UserError: the file is not valid.
        """
        files = (self.files / "interim_analyses.json", self.files / "looks.json")  # the second is of an older fbench
        return next((read_model(file, InterimAnalyses) for file in files if file.exists()), None)

    def write_test_readings(self, lines: Sequence[str]) -> None:
        """Keep a copy of the ledger's lines for this run's data; where there are none, what was kept before stays."""
        if not lines and (self.files / "test_readings.jsonl").exists():
            return
        write_text(self.files / "test_readings.jsonl", "".join(f"{line}\n" for line in lines))
        keep_hash(self.files, self.files / "test_readings.jsonl")

    def test_readings(self) -> list[dict[str, Any]]:
        """The ledger of test readings as it stood when the run last ended."""
        file = self.files / "test_readings.jsonl"
        if not file.exists():
            return []
        with naming(file):
            return [dict(plain_texts(parse_json(line))) for line in read_text(file).splitlines() if line]
