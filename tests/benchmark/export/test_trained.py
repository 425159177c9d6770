from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support import make_stripes
from trained_run import TrainedRun, run_on_images, write_images

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.references import parse_reference
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.export.predict import flipped_logits
from fbench.benchmark.export.trained import find_trial, load_trained
from fbench.benchmark.records.trial_records import PlannedTrial
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.training.networks import load_model
from fbench.core.errors import UserError


def forget_normalisation(folder: RunFolder, trial_id: str) -> None:
    """Make a record as it was before it kept its normalisation."""
    file = folder.trial_folder(trial_id) / "record.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    del values["normalisation"]
    file.write_text(json.dumps(values), encoding="utf-8")


@pytest.mark.parametrize("kind", ["plain", "other", "flipped"])
def test_from_pixels_it_gives_the_logits_that_the_trial_kept(
    kind: str, trained: TrainedRun, stripes: ImageDataset
) -> None:
    trial_id = getattr(trained, kind)
    network = load_trained(trained.folder, trial_id)
    pixels = stripes.images[stripes.rows("test")].astype(np.float32)
    found = flipped_logits(network.logits, pixels, flip=kind == "flipped")
    kept = trained.folder.predictions(trial_id)["test"]
    np.testing.assert_array_equal(found.argmax(1), kept.predicted)
    np.testing.assert_allclose(found, kept.logits, rtol=2e-3, atol=2e-3)  # kept in half precision


def test_the_record_keeps_the_normalisation_of_the_training_images(trained: TrainedRun, stripes: ImageDataset) -> None:
    values = trained.folder.trial(trained.plain).normalisation
    assert values is not None
    images = stripes.images[stripes.rows("train")].astype(np.float64)
    assert values.mean == pytest.approx((images.mean(),), rel=1e-6)
    assert values.inverse_deviation == pytest.approx((1 / images.std(),), rel=1e-6)
    assert trained.folder.trial(trained.flipped).normalisation is None


def test_a_trial_is_found_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    for name in ("abcd01", "abce02", "abcd"):
        (tmp_path / "trials" / name).mkdir(parents=True)
        (tmp_path / "trials" / name / "record.json").touch()
    folder = RunFolder(tmp_path)
    assert find_trial(folder, "abce") == "abce02"
    assert find_trial(folder, "abcd") == "abcd"  # an id in full, though another begins with it
    with pytest.raises(
        UserError, match=r"'abc' stands for 3 trials of .* \(abcd, abcd01, abce02\); give NETWORK:SEED or"
    ):
        find_trial(folder, "abc")
    rows = [
        PlannedTrial(network=network, data="faces", seed=seed, trial_id=trial_id)
        for network, seed, trial_id in (("ires", 0, "abcd"), ("ires", 1, "abce02"), ("lenet5", 0, "abcd01"))
    ]
    folder.extend_plan(rows)
    assert find_trial(folder, "ires:1") == "abce02"
    assert find_trial(folder, "lenet5") == "abcd01"
    with pytest.raises(UserError, match=r"'ires' stands for 2 trials"):
        find_trial(folder, "ires")
    for wrong in ("", "x", "abcd011"):
        with pytest.raises(UserError, match=f"has no trial '{wrong}'"):
            find_trial(folder, wrong)


def test_a_failed_trial_says_why(trained: TrainedRun, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.take_trial(trained.folder, trained.plain)
    file = folder.trial_folder(trained.plain) / "record.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(values | {"status": "failed", "failure_reason": "diverged"}), encoding="utf-8")
    with pytest.raises(UserError, match=r"failed \(diverged\)"):
        load_trained(folder, trained.plain)


def test_a_network_that_was_edited_since_is_refused(trained: TrainedRun, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.take_trial(trained.folder, trained.plain)
    file = folder.trial_folder(trained.plain) / "record.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    values["spec"]["network"]["digest"] = "0" * 64
    file.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(UserError, match="'lenet5' was edited after trial"):
        load_trained(folder, trained.plain)


def test_a_record_that_asks_for_another_size_than_its_weights_have_is_refused_unbuilt(
    trained: TrainedRun, tmp_path: Path
) -> None:
    """Built, 200,000 by 200,000 numbers would take 149 GiB."""
    folder = RunFolder(tmp_path)
    folder.take_trial(trained.folder, trained.plain)
    file = folder.trial_folder(trained.plain) / "record.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    values["spec"]["network"]["options"]["dense_widths"] = [200_000, 200_000]
    file.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(UserError, match="do not fit the network 'lenet5'"):
        load_model(folder, trained.plain)


def test_an_older_record_takes_its_normalisation_from_the_data(tmp_path: Path) -> None:
    images, folder = tmp_path / "images", RunFolder(tmp_path / "run")
    trial_id = run_on_images(folder, images)
    kept = load_trained(folder, trial_id).fitted
    assert kept is not None
    forget_normalisation(folder, trial_id)
    assert load_trained(folder, trial_id, parse_reference(f"folder={images}")).fitted == kept
    with pytest.raises(UserError, match="add --data folder=PATH"):
        load_trained(folder, trial_id)
    with pytest.raises(UserError, match=r"--data synthetic was given.*trained on folder; give folder=PATH"):
        load_trained(folder, trial_id, DataReference(name="synthetic"))
    shutil.rmtree(images)
    with pytest.raises(UserError, match="There is no file or folder"):
        load_trained(folder, trial_id, parse_reference(f"folder={images}"))
    write_images(make_stripes((36, 12, 12), seed=1, size=48), images)
    with pytest.raises(UserError, match="is not the one that the trial was trained on"):
        load_trained(folder, trial_id, parse_reference(f"folder={images}"))
