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

from pathlib import Path

from fbench.benchmark.maps.face_maps import (
    MAPS_FILE,
    FaceMaps,
    read_maps,
    read_maps_left_out,
    write_maps,
    write_maps_left_out,
)
from fbench.benchmark.records.predictions import SMALL_FILE, Predictions, prediction_files, read_predictions
from fbench.benchmark.records.trial_records import HistoryRow, TrialRecord
from fbench.benchmark.store.files import history_text, naming, read_history, read_model, readable_json
from fbench.benchmark.store.files_of_run import FilesOfRun
from fbench.benchmark.store.hashes import write_with_hashes
from fbench.benchmark.store.index.histories import HISTORY_FILE
from fbench.benchmark.store.index.records import RECORD_FILE, TrialRecords
from fbench.benchmark.store.index.trial_files import SeenTrials
from fbench.benchmark.store.leftovers import remove_leftovers
from fbench.benchmark.store.trial_result import TrialResult
from fbench.core.bounded import read_text
from fbench.core.contained import UNFINISHED, ContainedPath
from fbench.core.errors import UserError, storable
from fbench.core.locks import LOCK_FILE

WEIGHTS_FILE = "weights.safetensors"
FAILURE_FILE = "failure.txt"
TRIAL_FILES = (RECORD_FILE, SMALL_FILE, HISTORY_FILE)
"""What is asked of all trials at once."""


class RunFolder(FilesOfRun):
    """The files of one run. Reading never changes anything; writing is atomic, file by file or trial by trial.

    A run may be a stranger's: ``files`` follows no link below it, and leads nowhere else.
    """

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

    def while_it_is_there(self) -> RunFolder:
        """The same folder, in which nothing is written once its ``run.json`` is gone, or is another file.

        Without that, whoever still works in a folder that was removed would make it again, in part.
        """
        file = self.files / "run.json"
        first = file.inode()

        def require() -> None:
            """
            Raises:
                UserError: the run is gone.
            """
            if file.inode() != first:
                raise UserError(
                    f"The run {self.path} was removed or replaced while it was at work; run the same command again, "
                    "which begins with what is there."
                )

        return RunFolder(self.path, ContainedPath(self.files.root, self.files.parts, require))

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
        files = {HISTORY_FILE: history_text(result.history).encode()}
        if result.predictions is not None:
            files |= prediction_files(result.predictions)
        if result.weights is not None:
            from fbench.benchmark.store.weights import encode_or_say

            weights = encode_or_say(result.weights)
            record = record.model_copy(update={"weights_not_kept": weights if isinstance(weights, str) else None})
            if isinstance(weights, bytes):
                files[WEIGHTS_FILE] = weights
        if result.failure_details:
            files[FAILURE_FILE] = storable(result.failure_details).encode()
        files[RECORD_FILE] = readable_json(record).encode()
        with self.trial_files(record.trial_id).replacing_folder() as folder:
            write_with_hashes(folder, files)
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
        return (self.trial_files(trial_id) / RECORD_FILE).is_file()

    def trial(self, trial_id: str) -> TrialRecord:
        """The record of one trial.

        Raises:
            UserError: the record is not valid, or that of another trial.
        """
        file = self.trial_files(trial_id) / RECORD_FILE
        record = read_model(file, TrialRecord)
        if record.trial_id != trial_id:
            raise UserError(f"{file} is the record of trial '{record.trial_id}'; restore it or delete its folder.")
        return record

    def trials(self) -> TrialRecords:
        """All trial records by id, each known to be valid; they are read where the index does not know them.

        Raises:
            UserError: one is not valid, or that of another trial.
        """
        records = TrialRecords(SeenTrials(self.files, TRIAL_FILES))
        records.prepare()
        records.require_whole()
        return records

    def trial_ids(self) -> list[str]:
        """The ids of all trials that have a record, in the order of the alphabet; no folder that was not finished."""
        return list(TrialRecords(SeenTrials(self.files, (RECORD_FILE,))))

    def history(self, trial_id: str) -> list[HistoryRow]:
        """The evaluation points of a trial."""
        return read_history(self.trial_files(trial_id) / HISTORY_FILE)

    def predictions(self, trial_id: str) -> Predictions:
        """The stored predictions of a trial."""
        return read_predictions(self.trial_files(trial_id))

    def failure_details(self, trial_id: str) -> str:
        """The traceback of a failed trial and the end of its log, as they were kept; empty where there is none.

        Raises:
            UserError: the file cannot be read.
        """
        file = self.trial_files(trial_id) / FAILURE_FILE
        if not file.exists():
            return ""
        with naming(file):
            return read_text(file)

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
