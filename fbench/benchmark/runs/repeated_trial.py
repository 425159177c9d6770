"""A trial of somebody's run, trained once more here: results of others are checked by repeating a few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from fbench.architectures.plugin_sources import read_sources
from fbench.benchmark.data.catalogue import DATA_SETS, known_data
from fbench.benchmark.data.dataset import SplitName
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.records.numerics import NUMERICS_VERSIONS
from fbench.benchmark.records.predictions import answers_sha256
from fbench.benchmark.records.specs import DataSpec, NetworkSpec, TrialSpec
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.runs.driver import run_trials
from fbench.benchmark.runs.executors import WorkerContext
from fbench.benchmark.runs.listener import RunListener
from fbench.benchmark.store.hashes import is_as_kept, read_hashes, sha256_of
from fbench.benchmark.store.run_folder import WEIGHTS_FILE, RunFolder
from fbench.core.errors import UserError


@dataclass(frozen=True)
class RepeatedTrial:
    """What came of a repetition.

    Attributes:
        theirs: the record of the run.
        ours: that of the repetition; a failed one where it failed here.
        same_answers: whether every image has the same class again, in every split that was evaluated.
        same_logits: whether the logits are the same, as far as they are kept (16 bits); none where the run has none.
        same_weights: whether the file of the weights is the same; none where the run has neither it nor its hash.
        answers_sha256: hash of our answers by split; empty where it failed here.
    """

    theirs: TrialRecord
    ours: TrialRecord
    same_answers: bool
    same_logits: bool | None
    same_weights: bool | None
    answers_sha256: Mapping[SplitName, str] = field(default_factory=dict)

    @property
    def is_repeated(self) -> bool:
        """Whether nothing that is kept of both differs."""
        return self.same_answers and self.same_logits is not False and self.same_weights is not False


def chosen_trial(folder: RunFolder, given: str) -> str:
    """The id of the trial that is meant: of a network alone the finished one of its lowest seed.

    Raises:
        UserError: there is none.
    """
    from fbench.benchmark.export.trained import find_trial

    records = folder.trials()
    rows = sorted((row for row in folder.plan() if row.network == given), key=lambda row: row.seed)
    finished = [row.trial_id for row in rows if row.trial_id in records and records.facts(row.trial_id).finished]
    return finished[0] if finished else find_trial(folder, given)


def repeat_trial(
    folder: RunFolder,
    trial_id: str,
    device: str = "auto",
    data: Sequence[DataReference] = (),
    plugins: Sequence[Path] = (),
    listener: RunListener | None = None,
) -> RepeatedTrial:
    """Train a finished trial of a run again, with its own settings, and compare what both gave.

    Args:
        folder: the run.
        trial_id: the trial.
        device: as ``--device`` takes it.
        data: where its data lie here, as of ``--data``.
        plugins: the file that registers its network, where that is a user's.
        listener: is told how the training goes on.

    Raises:
        UserError: the trial has failed, was made by other training code, on other data, of another network, or on
            another kind of device.
    """
    from fbench.benchmark.runs.local_executor import LocalExecutor

    theirs = folder.trial(trial_id)
    spec = _as_here(folder, theirs, device, data, plugins)
    with TemporaryDirectory(prefix="fbench-") as place:
        here = RunFolder(Path(place) / "run")
        context = WorkerContext(Path(place) / "scratch", device, isolated=spec.network.source_sha256 is not None)
        with LocalExecutor(context) as executor:
            run_trials(executor, [spec], here, (listener or RunListener()).happened)
        ours = here.trial(trial_id)
        if ours.status == "failed":
            return RepeatedTrial(theirs, ours, False, None, None)
        answers, logits = _compared(folder, here, trial_id)
        weights = _same_weights(folder, here, trial_id)
        return RepeatedTrial(theirs, ours, answers, logits, weights, answers_sha256(here.predictions(trial_id)))


def _as_here(
    folder: RunFolder, record: TrialRecord, device: str, data: Sequence[DataReference], plugins: Sequence[Path]
) -> TrialSpec:
    from fbench.benchmark.machine.device import device_kind, pick_device

    spec = record.spec
    if record.status != "finished":
        raise UserError(f"{spec.label} (trial {record.trial_id}) has failed in {folder.path}; name one that finished.")
    if (kind := device_kind(pick_device(device))) != spec.numerics.device_kind:
        raise UserError(
            f"{folder.path} was computed on {spec.numerics.device_kind}, and this would be on {kind}; give --device "
            f"{spec.numerics.device_kind}, where there is one."
        )
    if spec.numerics.numerics_version != (current := NUMERICS_VERSIONS[spec.numerics.device_kind]):
        raise UserError(
            f"{folder.path} was computed by numerics version {spec.numerics.numerics_version}, and this fbench has "
            f"version {current}; repeat it with fbench {folder.config().fbench_version}."
        )
    network = _network_here(spec, plugins)
    return spec.model_copy(update={"data": _data_here(spec.data, data), "network": network})


def _data_here(spec: DataSpec, given: Sequence[DataReference]) -> DataSpec:
    """The data where they lie on this machine.

    Raises:
        UserError: that is not known, or other data lie there.
    """
    name = spec.source or spec.name
    found = next((one for one in given if name in (one.name, one.label) or spec.name == one.label), None)
    path = spec.path if found is None or found.path is None else str(found.path.resolve())
    option = f"--data {spec.name}={name}:PATH" if spec.label else f"--data {name}=PATH"
    if name in DATA_SETS and known_data(name).takes_path and path is None:
        raise UserError(f"The data {spec.name} of the trial lie somewhere else here; say where with {option}.")
    if found is not None and (other := load_dataset(found).fingerprint) != spec.fingerprint:
        raise UserError(
            f"{found} are other data than {spec.name} of the trial (fingerprint {other[:16]}, and there "
            f"{spec.fingerprint[:16]}); give the same data with {option}."
        )
    return spec.model_copy(update={"path": path})


def _network_here(spec: TrialSpec, plugins: Sequence[Path]) -> NetworkSpec:
    """The network, of fbench's own or a plug-in's code as it is here; a worker holds the latter against its digest."""
    from fbench.benchmark.training.networks import is_unedited

    network = spec.network
    if network.source_sha256 is not None:
        if not plugins:
            raise UserError(f"The network '{network.name}' is a user's; name the file that registers it with --plugin.")
        if read_sources(Path(plugins[0]).resolve()).identity != network.source_sha256:
            raise UserError(
                f"{plugins[0]} is other code than that of '{network.name}' in the trial; give the file that it was "
                "trained with."
            )
        return network.model_copy(update={"plugin_file": str(plugins[0])})
    if not is_unedited(network):
        raise UserError(
            f"The network '{network.name}' is built otherwise by this fbench than by the one of the run; install that "
            "version, and try again."
        )
    return network


def _compared(theirs: RunFolder, ours: RunFolder, trial_id: str) -> tuple[bool, bool | None]:
    """Whether the answers are the same, and the logits where both have them."""
    first, second = theirs.predictions(trial_id), ours.predictions(trial_id)
    same = first.keys() == second.keys() and all(
        np.array_equal(first[split].predicted, second[split].predicted) for split in first
    )
    pairs = [(first[split].logits, second[split].logits) for split in first if split in second]
    known = [(one, two) for one, two in pairs if one is not None and two is not None]
    return same, all(np.array_equal(one, two) for one, two in known) if known else None


def _same_weights(theirs: RunFolder, ours: RunFolder, trial_id: str) -> bool | None:
    """By the hash that was kept of them where the file itself is not there, as in a bundle."""
    if not ours.has_weights(trial_id):
        return None
    kept = (read_hashes(theirs.trial_files(trial_id)) or {}).get(WEIGHTS_FILE)
    if theirs.has_weights(trial_id):
        try:
            kept = sha256_of(theirs.trial_files(trial_id) / WEIGHTS_FILE)
        except (OSError, ValueError):
            return False
    return None if kept is None else is_as_kept(ours.trial_files(trial_id) / WEIGHTS_FILE, kept)
