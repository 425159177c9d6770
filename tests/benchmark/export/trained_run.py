"""Small runs of trained trials, on data in memory and on a folder of images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from support import make_stripes, trial_spec_of

from fbench.benchmark.data.dataset import SPLITS, ImageDataset
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.export.metadata import ExportFormat
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.specs import TrialSpec, data_spec
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.training.trial import TrialContext, run_trial

FILE_NAMES = {
    ExportFormat.ONNX: "n.onnx",
    ExportFormat.ONNX_INT8: "n.int8.onnx",
    ExportFormat.SAFETENSORS: "n.safetensors",
    ExportFormat.TORCH_EXPORT: "n.pt2",
}
CPU = TrialContext(torch.device("cpu"))


@dataclass(frozen=True)
class TrainedRun:
    """The folder, and the ids of its trials: the default protocol, seed 1, images normalised one by one and flipped."""

    folder: RunFolder
    plain: str
    other: str
    flipped: str


def train(folder: RunFolder, dataset: ImageDataset, spec: TrialSpec) -> str:
    """Run one trial and keep it; its id."""
    result = run_trial(spec, dataset, CPU)
    assert result.record.status == "finished", result.record.failure_reason
    folder.write_trial(result)
    if not (folder.path / "run.json").exists():
        (folder.path / "run.json").write_text("{}", encoding="utf-8")  # what makes a folder a run
    return result.record.trial_id


def striped_run(folder: RunFolder) -> TrainedRun:
    """Three trials on stripes in memory: two of LeNet and one of a network with batch normalisation."""
    stripes = make_stripes()
    specs = (
        trial_spec_of(stripes, "lenet5"),
        trial_spec_of(stripes, "lenet5", seed=1),
        trial_spec_of(stripes, "simpler_cnn", normalisation="per_image", test_time_flip=True),
    )
    return TrainedRun(folder, *(train(folder, stripes, spec) for spec in specs))


def write_images(dataset: ImageDataset, root: Path) -> None:
    """The images as PNG in train/, val/ and test/ of class folders."""
    for row, image in enumerate(dataset.images):
        part = {"train": "train", "validation": "val", "test": "test"}[SPLITS[dataset.split[row]]]
        folder = root / part / dataset.class_names[dataset.labels[row]]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(folder / f"{row:03}.png")


def run_on_images(folder: RunFolder, images: Path) -> str:
    """One trial of LeNet on a folder of 48x48 images; its id. The record forgets the path, as one from disk does."""
    write_images(make_stripes((36, 12, 12), size=48), images)
    reference = DataReference(name="folder", path=images)
    dataset = load_dataset(reference)
    budget = Budget(image_passes=48, evaluation_points=1, batch_size=12, train_images=24)
    spec = trial_spec_of(dataset, "lenet5", budget=budget)
    spec = spec.model_copy(update={"data": data_spec(reference, dataset)})
    return train(folder, dataset, spec)
