"""Maps of images that may not be kept are made in memory from the very data, and written nowhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from support import make_stripes, trial_spec_of

from fbench.ablations.suite import adhoc_suite
from fbench.benchmark.data.dataset import SPLITS
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.maps.private_maps import real_face_maps
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.specs import data_spec
from fbench.benchmark.records.trial_records import PlannedTrial, RunConfig
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.benchmark.training.trial import TrialContext, run_trial
from fbench.core.errors import UserError


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of 48x48 images in splits and classes, which the suite takes for photographs of people."""
    from PIL import Image

    stripes = make_stripes((36, 12, 12), size=48)
    for row, image in enumerate(stripes.images):
        part = {"train": "train", "validation": "val", "test": "test"}[SPLITS[stripes.split[row]]]
        folder = tmp_path / "images" / part / stripes.class_names[stripes.labels[row]]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(folder / f"{row:03}.png")
    return tmp_path / "images"


@pytest.fixture
def run(tmp_path: Path, images: Path) -> RunTable:
    """A run on the folder as read from disk: its records forget the path."""
    reference = DataReference(name="folder", path=images)
    dataset = load_dataset(reference)
    spec = trial_spec_of(dataset, "lenet5", budget=Budget(image_passes=24, evaluation_points=1, batch_size=12))
    spec = spec.model_copy(update={"data": data_spec(reference, dataset)})
    folder = RunFolder(tmp_path / "run")
    folder.create(
        RunConfig(
            name="example",
            suite=adhoc_suite(["ires"]),
            protocol=spec.protocol,
            preset="smoke",
            budget=spec.budget,
            data=(spec.data,),
            numerics=spec.numerics,
            created_at="2026-01-02T03:04:05+00:00",
            fbench_version="0.1.0",
        )
    )
    folder.extend_plan([PlannedTrial(network="lenet5", data=spec.data.name, seed=0, trial_id=spec.trial_id)])
    folder.write_trial(run_trial(spec, dataset, TrialContext(torch.device("cpu"))))
    return load_run(folder.path)


def test_own_selection_images_are_mapped_in_memory_and_never_written(run: RunTable, images: Path) -> None:
    files = sorted(run.folder.path.rglob("*"))
    found = real_face_maps(run, {"folder": images})
    ((place, maps),) = found.items()
    assert place == ("lenet5", run.config.data[0].name)
    dataset = load_dataset(DataReference(name="folder", path=images))
    own = dataset.images[dataset.rows("validation")]
    assert all((own == image).all((1, 2, 3)).any() for image in maps.images)
    assert (maps.labels, maps.seed, maps.may_be_kept) == (dataset.class_names, 0, False)
    with pytest.raises(ValueError, match="may not be written"):
        run.folder.write_maps(run.plan[0].trial_id, maps)
    assert sorted(run.folder.path.rglob("*")) == files


def test_other_images_than_the_trial_saw_are_refused(run: RunTable, images: Path) -> None:
    from PIL import Image

    Image.fromarray(np.zeros((48, 48), np.uint8)).save(next(iter(sorted(images.rglob("*.png")))))
    with pytest.raises(UserError, match="is not the one that the trial was trained on"):
        real_face_maps(run, {"folder": images})


def test_a_data_set_that_the_run_does_not_have_is_named(run: RunTable, images: Path) -> None:
    with pytest.raises(UserError, match="has no data set 'fer2013'; it has folder"):
        real_face_maps(run, {"fer2013": images})


def test_a_run_without_weights_is_told(run: RunTable, images: Path) -> None:
    (run.folder.trial_folder(run.plan[0].trial_id) / "weights.safetensors").unlink()
    with pytest.raises(UserError, match="has no trained network to show images to"):
        real_face_maps(run, {"folder": images})
