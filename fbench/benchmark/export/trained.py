"""A trained network with its normalisation: from pixels to logits, as the trial computed them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from fbench.benchmark.data.catalogue import known_data
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.export.from_pixels import FromPixels
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.records.trial_records import PixelNormalisation, TrialRecord
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.training.arrange import arrange_splits
from fbench.benchmark.training.networks import is_unedited, load_model
from fbench.benchmark.training.tensors import fit_normalisation, split_to_device
from fbench.core.errors import UserError

CPU = torch.device("cpu")


@dataclass(frozen=True)
class TrainedNetwork:
    """The network of a finished trial in evaluation mode on the CPU, alone and from pixels.

    ``fitted`` is none where the trial normalised each image by itself.
    """

    record: TrialRecord
    network: nn.Module
    fitted: PixelNormalisation | None
    from_pixels: FromPixels

    def logits(self, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Logits float32 (N, classes) in fp32 of pixels 0 to 255, float32 (N, C, H, W)."""
        with torch.no_grad():  # a network that keeps a tensor of inference_mode gives no gradients, as Grad-CAM needs
            result: npt.NDArray[np.float32] = self.from_pixels(torch.from_numpy(pixels)).numpy()
        return result


def find_trial(folder: RunFolder, given: str) -> str:
    """The id of the one trial that is meant: by its id or its first digits, or as ``NETWORK`` or ``NETWORK:SEED``.

    Raises:
        UserError: there is none, or more than one.
    """
    ids = folder.trial_ids()
    found = [given] if given in ids else [trial_id for trial_id in ids if given and trial_id.startswith(given)]
    if not found:
        planned = [row for row in folder.plan() if given in (row.network, f"{row.network}:{row.seed}")]
        found = list(dict.fromkeys(row.trial_id for row in planned if row.trial_id in ids))
    if not found:
        raise UserError(f"{folder.path} has no trial '{given}'; `fbench status {folder.path}` lists them.")
    if len(found) > 1:
        shown = ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")
        raise UserError(
            f"'{given}' stands for {len(found)} trials of {folder.path} ({shown}); give NETWORK:SEED or an id."
        )
    return found[0]


def load_trained(
    folder: RunFolder, trial_id: str, data: DataReference | None = None, trust: str | None = None
) -> TrainedNetwork:
    """The trained network of a finished trial with its normalisation.

    Where the record of an older trial lacks the normalisation, it is fitted again on the training images: ``data``
    says where they are, and is not looked at otherwise. ``trust`` as of
    :func:`fbench.benchmark.training.networks.load_model`.

    Raises:
        UserError: no such trial, a failed one, one without weights, a network that was edited since, or the data are
            needed and not to be had.
    """
    if folder.has_record(trial_id):
        record = folder.trial(trial_id)
        if record.status == "failed":
            raise UserError(
                f"Trial '{trial_id}' failed ({record.failure_reason}); take a finished one, or run it again."
            )
    network = load_model(folder, trial_id, trust)
    record = folder.trial(trial_id)
    spec = record.spec.network
    if spec.options.get("num_classes") != len(record.spec.data.class_names):
        raise UserError(
            f"The record of trial '{trial_id}' names {len(record.spec.data.class_names)} classes and its network gives "
            f"{spec.options.get('num_classes')}; restore it or delete its folder."
        )
    if not is_unedited(spec):
        raise UserError(f"The network '{spec.name}' was edited after trial '{trial_id}'; use the code that trained it.")
    fitted = None if record.spec.protocol.normalisation == "per_image" else _fitted(record, data)
    return TrainedNetwork(record, network, fitted, FromPixels(network, fitted).eval())


def data_of(spec: TrialSpec, given: DataReference | None) -> ImageDataset:
    """The data set of a trial with the splits that its protocol uses, read from the path of ``given``.

    The trial's own options hold, whatever those of ``given`` are.

    Raises:
        UserError: another data set was given, a path is needed and missing, or the content is not that of the trial.
    """
    wanted = spec.data.reference
    if given is not None and given.name != wanted.name:
        raise UserError(
            f"--data {given} was given, and the trial was trained on {wanted.name}; give {wanted.name}=PATH."
        )
    path = given.path if given is not None else wanted.path
    if path is None and known_data(wanted.name).takes_path:
        raise UserError(
            f"The images of {wanted.name} that the trial was trained on are needed here; add --data {wanted.name}=PATH."
        )
    dataset = load_dataset(wanted.model_copy(update={"path": path}))
    if dataset.fingerprint != spec.data.fingerprint:
        raise UserError(
            f"The data set at {path or wanted.name} is not the one that the trial was trained on (its fingerprint is "
            f"{dataset.fingerprint[:12]} and not {spec.data.fingerprint[:12]}); give the very same files."
        )
    return arrange_splits(dataset, spec.protocol)


def _fitted(record: TrialRecord, data: DataReference | None) -> PixelNormalisation:
    if record.normalisation is not None:
        return record.normalisation
    spec = record.spec
    train = split_to_device(data_of(spec, data), "train", CPU, spec.numerics, spec.budget.train_images)
    return fit_normalisation(train).values()
